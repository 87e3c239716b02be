import type { Job } from '../../ir/index.js';
import type { JobEnvironment } from '../job/job-environment.js';

/** Longest delay that a timer takes. */
const longestMs = 2 ** 31 - 1;

/**
 * Calls back when the job's walltime is over but for its grace; never for a job without a walltime. Returns a function that ends the
 * watch.
 */
export function watchDeadline(
  job: JobEnvironment,
  { allocation, graceSeconds }: Job,
  onDeadline: () => void,
): () => void {
  if (allocation.walltimeSeconds === undefined) return () => {};
  const deadlineMs = (job.startedSeconds + allocation.walltimeSeconds - graceSeconds) * 1000;
  let timer: NodeJS.Timeout;
  const wait = () => {
    const left = deadlineMs - Date.now();
    if (left <= 0) return onDeadline();
    timer = setTimeout(wait, Math.min(left, longestMs));
  };
  timer = setTimeout(wait, 0);
  return () => clearTimeout(timer);
}
