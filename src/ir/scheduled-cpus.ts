import type { Allocation, Job } from './plan.js';

/** A job whose CPUs are those that its scheduler counts: hardware threads, where it counts these. */
export function asScheduled<Request extends Pick<Job, 'allocation' | 'components'>>(job: Request): Request {
  return { ...job, allocation: scheduled(job.allocation), components: job.components.map(scheduled) };
}

function scheduled(allocation: Allocation): Allocation {
  const { cpusPerNode, threadsPerCpu = 1 } = allocation;
  return cpusPerNode === undefined ? allocation : { ...allocation, cpusPerNode: cpusPerNode * threadsPerCpu };
}

/** Cores of so many CPUs as the scheduler counts them. */
export function coresIn(cpus: number, { threadsPerCpu = 1 }: Pick<Allocation, 'threadsPerCpu'>): number {
  return Math.floor(cpus / threadsPerCpu);
}
