import { type Job, mergeArgs, type Store } from '../../ir/index.js';
import { isNotSupported, type LaunchStep, launcherOf, namesHosts } from '../../targets/target.js';
import type { PlacedJob, Reads } from './compilation.js';
import { siteArgs, stepOptions } from './launch-line.js';
import { groupsOf } from './lookup/placed-jobs.js';

/** Name of the step for the scheduler. */
const stepName = 'simwright-allow';

/**
 * The launches by which a job's nodes tell their addresses, where stores that its applications use listen on the network: from which of its addresses a
 * node connects is known there only.
 */
export function allowNodes(
  job: PlacedJob,
  stores: readonly Store[],
  input: Reads<'site' | 'target' | 'launchers'>,
): Pick<Job, 'allow'> {
  const { site, target, launchers } = input;
  const name = launcherOf(target, site);
  const launcher = launchers[name];
  const isNeeded = stores.some((store) => isMetFromElsewhere(store, job, launcher.scriptApart === true));
  if (!isNeeded || !target.capabilities.severalHosts || name === 'none') return {};
  const nodes = job.components.reduce((sum, { allocation }) => sum + allocation.nodes, 0);
  // A launcher that is told hosts has all of them; others choose among those of a component.
  const isTold = namesHosts(target, launcher);
  const lines = job.components.slice(0, isTold ? 1 : undefined).map(({ allocation }, index) => {
    const { component, ...options } = optionsOf(job, index, input);
    const step: LaunchStep = {
      name: stepName,
      nodes: isTold ? nodes : allocation.nodes,
      tasks: isTold ? nodes : allocation.nodes,
      tasksPerNode: 1,
      cpusPerTask: 1,
      ...options,
      ...(isTold || component === undefined ? {} : { component }),
      environment: ['PATH', 'LD_LIBRARY_PATH'],
      launcherArgs: mergeArgs(siteArgs(site, name, false)),
      overlap: true,
      namesHosts: isTold,
    };
    return launcher.line([{ step, words: [] }]);
  });
  // The launches of the job's entities are refused for the same reason.
  if (lines.some(isNotSupported)) return {};
  const beforeStores = !launcher.sharesNodes || launcher.storesCpus === 'hold';
  return { allow: { lines: lines.flatMap((line) => (isNotSupported(line) ? [] : [[...line.words]])), beforeStores } };
}

/** True if applications of a job connect to a store from another host than that of the store or of the job's script. */
function isMetFromElsewhere(store: Store, job: PlacedJob, scriptApart: boolean): boolean {
  if (job.applications.length === 0 || store.kind !== 'standalone' || store.scope !== 'network') return false;
  const nodes = job.components.reduce((sum, { allocation }) => sum + allocation.nodes, 0);
  const isOwn = job.orchestrators.some(({ name }) => name === store.name);
  return nodes > 1 || (scriptApart && !isOwn);
}

/** Options of a step that has all nodes of a component. */
function optionsOf(job: PlacedJob, index: number, input: Reads<'site' | 'target'>) {
  const groups = groupsOf(job);
  const groupIndex = groups.findIndex((one) => one.index === index);
  const { component, group } = groups[groupIndex] as (typeof groups)[number];
  const { group: _group, ...options } = stepOptions({ job, component, index, group, groupIndex }, input);
  return options;
}
