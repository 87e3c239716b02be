import type { JobEnvironment } from '../job/job-environment.js';
import { readPlan, storeOf } from '../job/read-plan.js';
import { notThereYet } from './assert-runnable.js';

/** Waits until all that use a store with a job of its own have ended. Throws RUN1011: no such store runs yet. */
export function hold(job: JobEnvironment, name: string): never {
  throw notThereYet(storeOf(readPlan(job.dir), name), 'a job of its own');
}
