import type { Allocation, Job } from '../ir/index.js';

/** A job whose CPUs are those that its scheduler counts: hardware threads, where it counts these. */
export function asScheduled<Request extends Pick<Job, 'allocation' | 'components'>>(job: Request): Request {
  return { ...job, allocation: scheduled(job.allocation), components: job.components.map(scheduled) };
}

function scheduled(allocation: Allocation): Allocation {
  const { cpusPerNode, threadsPerCpu = 1 } = allocation;
  return cpusPerNode === undefined ? allocation : { ...allocation, cpusPerNode: cpusPerNode * threadsPerCpu };
}

/**
 * The number of CPUs that a word of shell says, as a word of shell: of cores, where the scheduler says it of their hardware threads. A word
 * that says nothing stays.
 */
export function coresOf(word: string, { threadsPerCpu = 1 }: Allocation): string {
  const expression = word.replace(/^"(.*)"$/s, '$1').replace(/^\$(\w+)$/, '$1');
  return threadsPerCpu === 1 || expression === "''" ? word : `$((${expression} / ${threadsPerCpu}))`;
}
