import type { Plan } from '../../ir/index.js';
import type { JobEnvironment } from '../job/job-environment.js';
import { JobTime } from '../scheduler/job-time.js';

/** Milliseconds that a store may take to save, where nothing else limits them; and those that the rest of a job's end needs. */
const time = { mostMs: 600_000, endMs: 5000 };

/** Milliseconds that the stores of a job have to save: until its scheduler ends it, less what the rest of its end takes. */
export async function saveMsOf(job: JobEnvironment, plan: Plan): Promise<number> {
  const jobTime = new JobTime(job, plan);
  await jobTime.ask();
  if (jobTime.endMs === undefined) return time.mostMs;
  const leftMs = jobTime.endMs - Date.now();
  // A job that runs although its time is over has been given more.
  return leftMs < 0 ? time.mostMs : Math.min(time.mostMs, Math.max(0, leftMs - time.endMs));
}

/** The notice for people of a store that could not save what is still needed. */
export function notSaved(store: string, why: string): string {
  return `store '${store}' was not saved: ${why}; members whose data others still need run again with the next job`;
}
