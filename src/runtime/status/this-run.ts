import type { Entity, Job, Plan } from '../../ir/index.js';
import type { JobEnvironment } from '../job/job-environment.js';
import type { EntityStatus } from './entity-status.js';
import { isInRanges } from './ranges.js';
import type { LaunchEvent, MemberEvent } from './status-event.js';

/** Which events tell about the run that a job belongs to: what an earlier one left says nothing of it. */
export type Counts = (event: MemberEvent | LaunchEvent) => boolean;

/**
 * Events that count for a job that looks at an entity: of its own entities those of its own, of other jobs' those of the same
 * submission, or, where a job was submitted by hand, whatever was done last. Members that had completed before count too, once a launch
 * that counts has said that they stay as they are.
 */
export function countsFor(job: JobEnvironment, entity: Pick<Entity, 'job'>, { launches }: EntityStatus): Counts {
  const isOfRun: Counts =
    entity.job === job.job ? isOfThisStart(job) : ({ run }) => job.run === undefined || run === job.run;
  const done = [...launches.values()].flatMap((launch) => (isOfRun(launch) ? (launch.done ?? []) : []));
  return (seen) =>
    isOfRun(seen) ||
    ('state' in seen && seen.state === 'completed' && done.some((ranges) => isInRanges(ranges, seen.index)));
}

/** Counts events of the job since the scheduler last started it, and of earlier starts only members that completed. */
function isOfThisStart(job: JobEnvironment): Counts {
  const start = new Date(job.startedSeconds * 1000).toISOString();
  return (seen) => seen.jobId === job.jobId && (seen.time >= start || ('state' in seen && seen.state === 'completed'));
}

/** Number of launches of an entity: one, or one per element of its job array, or one per member. */
export function launchesOf(plan: Plan, entity: Entity): number {
  const job = plan.jobs.find(({ name }) => name === entity.job);
  if (entity.memberEnv !== undefined) return entity.members.count;
  return job?.array?.size ?? job?.separate ?? 1;
}

/** Number of launches of an entity by one job, or by one element of a job array. */
export function ownLaunchesOf({ array, separate }: Job, entity: Entity): number {
  return entity.memberEnv === undefined || array !== undefined || separate !== undefined ? 1 : entity.members.count;
}
