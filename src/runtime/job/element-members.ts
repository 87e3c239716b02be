import type { Entity, Plan } from '../../ir/index.js';
import type { JobEnvironment } from './job-environment.js';
import { jobOf } from './read-plan.js';

/** True for the members of an entity that this job, or this element of a job array, runs. */
export function isOfElement(plan: Plan, job: JobEnvironment, entity: Entity): (index: number) => boolean {
  const { arrayIndex: element } = job;
  if (element === undefined || entity.job !== job.job) return () => true;
  const { array, separate } = jobOf(plan, job.job);
  if (separate !== undefined) return (index) => index === element;
  if (array === undefined) return () => true;
  return (index) => Math.floor(index / array.perElement) === element;
}
