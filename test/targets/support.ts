import type { Allocation, SiteInput, TargetName } from '../../src/ir/index.js';
import { Site } from '../../src/ir/index.js';
import { launchers } from '../../src/targets/launchers/index.js';
import { isNotSupported, type JobRequest, type LaunchProgram, type LaunchStep } from '../../src/targets/target.js';
import { makeJob } from '../runtime/support/make-plan.js';

/** A step of one task on one node. */
export function step(more: Partial<LaunchStep> = {}): LaunchStep {
  return {
    name: 'm',
    nodes: 1,
    tasks: 1,
    tasksPerNode: 1,
    cpusPerTask: 1,
    overlap: false,
    namesHosts: false,
    environment: [],
    launcherArgs: {},
    ...more,
  };
}

export function program(words: readonly string[], more: Partial<LaunchStep> = {}): LaunchProgram {
  return { step: step(more), words };
}

/** The words of a launch that is supported, joined by blanks. */
export function lineOf(launcher: keyof typeof launchers, ...programs: [LaunchProgram, ...LaunchProgram[]]): string {
  const line = launchers[launcher].line(programs);
  if (isNotSupported(line)) throw new Error(line.notSupported);
  return line.words.join(' ');
}

/** What a launcher refuses, and what it says to use instead. */
export function refusalOf(launcher: keyof typeof launchers, ...programs: [LaunchProgram, ...LaunchProgram[]]): string {
  const line = launchers[launcher].line(programs);
  if (!isNotSupported(line)) throw new Error(`${launcher} says: ${line.words.join(' ')}`);
  return `${line.notSupported}; ${line.hint}`;
}

export function allocation(more: Partial<Allocation> = {}): Allocation {
  return { nodes: 1, cpusPerNode: 4, exclusive: false, ...more };
}

export function job(more: Partial<JobRequest> = {}): JobRequest {
  const { directives, ...request } = makeJob({ name: 'flow', script: 'jobs/flow', allocation: allocation() });
  return { ...request, ...more };
}

export function site(more: Partial<SiteInput> & Pick<SiteInput, 'target'>): Site {
  return Site.parse({ name: 'here', ...more });
}

/** Names that each site chooses itself, where a scheduler has no words of its own for nodes, GPUs and memory. */
export const chosenNames: Partial<Record<TargetName, Partial<SiteInput>>> = {
  sge: {
    parallelEnvironments: { oneNode: 'smp', perNode: 'mpi-{slots}' },
    resources: { gpus: { name: 'gpu', per: 'node' }, wholeNode: 'exclusive' },
  },
};
