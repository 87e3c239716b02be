import type { Problems } from '../../diagnostics/index.js';
import {
  type ApplicationDeclaration,
  applicationsOf,
  type ExperimentDeclaration,
  type LauncherName,
  type Site,
} from '../../ir/index.js';
import type { Sized } from './allocate.js';
import { type PlacedJob, placeOf } from './placed-jobs.js';

/** Steps, jobs and nodes whose CPUs are counted. */
export interface CpuInput {
  readonly experiment: ExperimentDeclaration;
  readonly sized: ReadonlyMap<ApplicationDeclaration, Sized>;
  readonly jobs: readonly PlacedJob[];
  readonly site: Site;
  readonly siteLauncher: LauncherName;
  /** True of launchers that bind a step's tasks to CPUs that the step has; others bind to those of the node. */
  readonly bindsWithinLaunch: (launcher: LauncherName) => boolean;
}

/** Warns of CPUs by number that a store's job, a step or a node does not have. */
export function checkCpus(
  { experiment, sized, jobs, site, siteLauncher, bindsWithinLaunch }: CpuInput,
  problems: Problems,
): void {
  const { cores } = site.node;
  for (const application of applicationsOf(experiment)) {
    const allocation = placeOf(application, jobs)?.component.allocation;
    const perNode = allocation?.exclusive === true ? cores : (allocation?.cpusPerNode ?? cores);
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
      const isStep = bindsWithinLaunch(command.launcher ?? siteLauncher);
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
