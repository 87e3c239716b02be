import { counted, type Problems } from '../../../diagnostics/index.js';
import { applicationsOf, orchestratorsOf } from '../../../ir/index.js';
import { launcherOf } from '../../../targets/target.js';
import type { Reads, Sized } from '../compilation.js';
import { groupsOf, placeOf } from '../lookup/placed-jobs.js';

/**
 * A program that starts without a launcher runs on the script's host: that is one of its nodes, and the job has no other nodes for it alone.
 */
export function checkScriptHost(
  {
    experiment,
    sized,
    jobs,
    site,
    target,
    launchers,
  }: Reads<'experiment' | 'sized' | 'jobs' | 'site' | 'target' | 'launchers'>,
  problems: Problems,
): void {
  if (target.capabilities.oneNode) return;
  const startsHere = (one: Parameters<typeof sized.get>[0]) => (sized.get(one) as Sized).startsHere;
  const launcher = launchers[launcherOf(target, site)];
  const storesHere = launcher.program === undefined;
  for (const { name, at, interface: network } of orchestratorsOf(experiment)) {
    if (network !== 'lo' || launcher.scriptApart !== true) continue;
    const message = `.orchestrator(): store '${name}' is to listen on the loopback of its node, and ${launcher.name} runs scripts on another`;
    problems.error('STORE1005', message, at, 'leave out interface, or name one of the network that both nodes have');
  }
  const here = [...applicationsOf(experiment).filter(startsHere), ...(storesHere ? orchestratorsOf(experiment) : [])];
  for (const entity of here) {
    const { index, group } = placeOf(entity, jobs);
    if (index === 0 && group.first === 0) continue;
    const message = `'${entity.name}' starts without a launcher, on the script's host, which is not one of its nodes`;
    problems.error('PLAN1006', message, entity.at, "name a launcher with .launcher(), or leave out 'apart'");
  }
  for (const job of jobs) {
    for (const { group } of groupsOf(job)) {
      const { applications, orchestrators, nodes } = group;
      if (nodes === 1 || applications.length === 0 || !applications.every(startsHere)) continue;
      if (orchestrators.length > 0 && !storesHere) continue;
      const message = `job '${job.name}' has ${nodes} nodes, and all that runs in it starts on the script's host: ${counted(nodes - 1, 'node')} stay idle`;
      const hint = 'lower nodes in .batch(), or give the site or the command a launcher';
      problems.warning('PLAN1010', message, job.batch?.at ?? applications[0]?.at, hint);
    }
  }
}
