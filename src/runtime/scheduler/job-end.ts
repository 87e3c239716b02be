import type { Job } from '../../ir/index.js';
import type { JobEnvironment } from '../job/job-environment.js';
import { ownScript } from './own-script.js';
import type { Scheduler } from './scheduler.js';

/** When a job's time is over; a job without a limit has neither. */
export interface JobEnd {
  /** Milliseconds since the epoch. */
  readonly endMs?: number;
  /** Seconds that the job has in all. */
  readonly limitSeconds?: number;
}

/** The end as the scheduler has it now; `undefined` without an answer. */
export async function askedEnd(scheduler: Scheduler, job: JobEnvironment): Promise<JobEnd | undefined> {
  const report = await scheduler.reportOf(job.jobId);
  if (report === undefined || report === 'unknown') return undefined;
  const { limitSeconds, elapsedSeconds } = report;
  if (limitSeconds === undefined) return {};
  // The scheduler leaves out what was suspended; where it is behind, it is so by that much at most.
  const own = Date.now() / 1000 - job.startedSeconds;
  const behind = scheduler.queries.elapsedLagSeconds ?? 0;
  const used = elapsedSeconds === undefined ? own : Math.max(elapsedSeconds, Math.min(own, elapsedSeconds + behind));
  return { endMs: Date.now() + (limitSeconds - used) * 1000, limitSeconds };
}

/** The end without an answer: what the script asks its scheduler for counts; where there is no scheduler, the plan. */
export function unaskedEnd(scheduler: Scheduler | undefined, job: JobEnvironment, planned: Job): JobEnd {
  const { startedSeconds } = job;
  const end = (limitSeconds: number | undefined): JobEnd =>
    limitSeconds === undefined ? {} : { endMs: (startedSeconds + limitSeconds) * 1000, limitSeconds };
  if (scheduler === undefined) return end(planned.allocation.walltimeSeconds);
  const { endSeconds, queries } = scheduler;
  return end(
    endSeconds === undefined ? queries.walltimeOf(ownScript(job, planned.script)) : endSeconds - startedSeconds,
  );
}
