import type { JobEnvironment } from '../job/job-environment.js';
import { entityOf, readPlan } from '../job/read-plan.js';
import { StatusWriter } from '../status/index.js';

/** Options of `skip`. */
export interface SkipOptions {
  readonly entity: string;
  /** One member; otherwise all. */
  readonly member: number | undefined;
  readonly reason: string;
}

/** Records that an entity is not launched, so that what waits for it does not wait for ever. Returns 1. */
export function skip(job: JobEnvironment, { entity, member, reason }: SkipOptions): number {
  const plan = readPlan(job.dir);
  const writer = new StatusWriter(job, plan, entityOf(plan, entity), member);
  try {
    writer.launch({ launch: 'skipped', exit: 1, reason });
  } finally {
    writer.close();
  }
  process.stderr.write(`simwright: ${entity} is not launched: ${reason}\n`);
  return 1;
}
