import type { LaunchStep } from '../target.js';

/** jsrun's unit: tasks that share CPUs and GPUs of one host. */
export interface ResourceSets {
  readonly count: number;
  readonly perHost: number;
  readonly tasks: number;
  readonly cpus: number;
  readonly gpus: number;
  readonly memoryMiB?: number;
}

/**
 * Resource sets of a step: one a task where GPUs divide evenly among tasks, else the most sets a host that both tasks and GPUs
 * divide into, so that every task sees a GPU.
 */
export function resourceSets(step: LaunchStep): ResourceSets {
  const { tasks, tasksPerNode, cpusPerTask, gpusPerTask, gpusPerNode = 0, memoryPerNodeMiB } = step;
  const divides = (sets: number) =>
    tasksPerNode % sets === 0 && gpusPerNode % sets === 0 && tasks % (tasksPerNode / sets) === 0;
  const fitting = gpusPerTask !== undefined || gpusPerNode === 0 ? tasksPerNode : mostSets(tasksPerNode, divides);
  const tasksPerSet = tasksPerNode / fitting;
  return {
    count: tasks / tasksPerSet,
    perHost: fitting,
    tasks: tasksPerSet,
    cpus: tasksPerSet * cpusPerTask,
    gpus: gpusPerTask ?? gpusPerNode / fitting,
    ...(memoryPerNodeMiB === undefined ? {} : { memoryMiB: Math.floor(memoryPerNodeMiB / fitting) }),
  };
}

function mostSets(limit: number, divides: (sets: number) => boolean): number {
  for (let sets = limit; sets > 1; sets--) if (divides(sets)) return sets;
  return 1;
}
