import type { Allocation, Job } from './plan.js';

/** Cost of a job at most: node-hours, and the hours that its site charges for them. */
export interface JobCost {
  readonly nodeHours: number;
  readonly chargedHours: number;
}

/** Number of times that the scheduler runs a job's script: elements of an array, or members with a job each. */
export function timesOf({ array, separate }: Pick<Job, 'array' | 'separate'>): number {
  return array?.size ?? separate ?? 1;
}

/** Cost of all runs of a job's script, if each takes its whole walltime; undefined if it has none. */
export function costOf(job: Pick<Job, 'allocation' | 'components' | 'array' | 'separate'>): JobCost | undefined {
  const { walltimeSeconds } = job.allocation;
  if (walltimeSeconds === undefined) return undefined;
  const hours = (timesOf(job) * walltimeSeconds) / 3600;
  const sum = (amount: (one: Allocation) => number) =>
    [job.allocation, ...job.components].reduce((total, one) => total + amount(one), 0);
  return {
    nodeHours: hours * sum(({ nodes }) => nodes),
    chargedHours: hours * sum(({ nodes, chargeFactor = 1 }) => nodes * chargeFactor),
  };
}
