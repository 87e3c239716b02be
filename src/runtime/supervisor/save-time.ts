import type { Plan } from '../../ir/index.js';
import type { JobEnvironment } from '../job/job-environment.js';
import { jobOf } from '../job/read-plan.js';

/** Milliseconds that a store may take to save, where nothing else limits them; and those that the rest of a job's end needs. */
const time = { mostMs: 600_000, endMs: 5000 };

/** Milliseconds that the stores of a job have to save: until its walltime is over, less what the rest of its end takes. */
export function saveMsOf(job: JobEnvironment, plan: Plan): number {
  const { walltimeSeconds } = jobOf(plan, job.job).allocation;
  if (walltimeSeconds === undefined) return time.mostMs;
  const leftMs = (job.startedSeconds + walltimeSeconds) * 1000 - Date.now();
  // A job that runs although its time is over has been given more.
  return leftMs < 0 ? time.mostMs : Math.min(time.mostMs, Math.max(0, leftMs - time.endMs));
}

/** The notice for people of a store that could not save what is still needed. */
export function notSaved(store: string, why: string): string {
  return `store '${store}' was not saved: ${why}; members whose data others still need run again with the next job`;
}
