import { defined } from './defined.js';
import type { Allocation, Job } from './plan.js';

/** A job whose CPUs are those that its scheduler counts: hardware threads, where it counts these. */
export function asScheduled<Request extends Pick<Job, 'allocation' | 'components'>>(job: Request): Request {
  return { ...job, allocation: scheduled(job.allocation), components: job.components.map(scheduled) };
}

function scheduled(allocation: Allocation): Allocation {
  const { cpusPerNode, leastCpusPerNode, threadsPerCpu = 1 } = allocation;
  const counted = (cpus: number | undefined) => (cpus === undefined ? undefined : cpus * threadsPerCpu);
  return {
    ...allocation,
    ...defined({ cpusPerNode: counted(cpusPerNode), leastCpusPerNode: counted(leastCpusPerNode) }),
  };
}

/** Cores of so many CPUs as the scheduler counts them. */
export function coresIn(cpus: number, { threadsPerCpu = 1 }: Pick<Allocation, 'threadsPerCpu'>): number {
  return Math.floor(cpus / threadsPerCpu);
}
