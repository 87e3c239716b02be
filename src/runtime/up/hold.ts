import type { JobEnvironment } from '../job/job-environment.js';

/** Waits until all that use a store with a job of its own have ended. */
export async function hold(_job: JobEnvironment, _name: string): Promise<number> {
  return 0;
}
