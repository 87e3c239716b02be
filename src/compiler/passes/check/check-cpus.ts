import type { Problems } from '../../../diagnostics/index.js';
import { applicationsOf } from '../../../ir/index.js';
import { launcherOf } from '../../../targets/target.js';
import type { Reads } from '../compilation.js';
import { placeOf } from '../lookup/placed-jobs.js';
import { siteAt } from '../lookup/queue-of.js';

/** Warns of CPU numbers that a store's job, a step or a node does not have. */
export function checkCpus(
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
  for (const application of applicationsOf(experiment)) {
    const place = placeOf(application, jobs);
    const { allocation } = place.component;
    const { cores } = siteAt(place, site).node;
    const perNode = allocation.exclusive ? cores : (allocation.cpusPerNode ?? cores);
    const { pin, at } = application.colocated ?? {};
    const pinned = Math.max(-1, ...(pin ?? []));
    if (perNode !== undefined && pinned >= perNode) {
      const message = `.colocate({ pin }): there is no CPU ${pinned}: the job has ${perNode} on a node, counted from 0`;
      problems.warning('PLAN1011', message, at, 'lower the numbers, or ask for more CPUs a node');
    }
    for (const { command, size } of sized.get(application)?.launches.flatMap(({ programs }) => programs) ?? []) {
      if (command.cpuBind === undefined) continue;
      const bound = Math.max(...command.cpuBind);
      const ofStep = size.tasksPerNode * size.cpusPerTask;
      const isStep = launchers[command.launcher ?? launcherOf(target, site)].bindsWithinLaunch === true;
      const limit = isStep ? ofStep : cores;
      if (limit === undefined || bound < limit) continue;
      const has = isStep ? `the step has ${ofStep} on a node` : `a node of site '${site.name}' has ${cores}`;
      const message = `.cpuBind(): there is no CPU ${bound} for '${application.name}': ${has}, counted from 0`;
      problems.warning(
        'PLAN1011',
        message,
        command.at,
        'lower the numbers, or raise .cpusPerTask() or .tasksPerNode()',
      );
    }
  }
}
