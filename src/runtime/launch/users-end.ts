import type { Entity, Plan } from '../../ir/index.js';
import { type JobEnvironment, thisHost } from '../job/job-environment.js';
import { isAlive } from '../job/process-identity.js';
import { OtherJobs } from '../scheduler/other-jobs.js';
import { type Counts, entityOutcome, type LaunchEvent, StatusReader } from '../status/index.js';
import { lostLaunch } from './lost-launch.js';
import type { StopRequest } from './stop-request.js';

/** Milliseconds between two looks at who still uses a service. */
const pauseMs = 500;

/** Another way of telling that launches have gone without a word. */
export interface Presence {
  refresh(): Promise<void>;
  readonly isGone: (launch: LaunchEvent) => boolean;
}

/** The launches of this host alone. */
const onThisHost: Presence = {
  refresh: async () => {},
  isGone: (launch) => launch.host === thisHost() && !isAlive(launch),
};

/** Waits until all users of a service have ended, or a stop is requested; returns those that had not ended at the last look. */
export async function untilUsersEnd(
  job: JobEnvironment,
  plan: Plan,
  users: readonly Entity[],
  stop: StopRequest,
  presence: Presence = onThisHost,
): Promise<Entity[]> {
  const reader = new StatusReader(job.dir);
  const others = new OtherJobs(job, plan);
  for (;;) {
    await others.refresh(users.map((user) => user.job));
    // Who is there is asked first: a launch writes its last line before it goes.
    await presence.refresh();
    reader.refresh();
    const facts = {
      plan,
      statusOf: (entity: string) => reader.of(entity),
      countsFor: () => since(job),
      isGone: presence.isGone,
      isJobOver: (one: string) => others.endOf(one) !== undefined,
    };
    const waiting = users.filter((user) => entityOutcome(facts, user) === 'pending' && !isLost(job, plan, user));
    if (waiting.length === 0 || stop.reason !== undefined) return waiting;
    await pauseUnlessStopped(stop);
  }
}

/** True for a user in this job that cannot begin any more. */
function isLost(job: JobEnvironment, plan: Plan, user: Entity): boolean {
  return user.job === job.job && lostLaunch(job, plan, user.name) !== undefined;
}

/** Events that count: those of the same submission, and all since this job began. */
function since(job: JobEnvironment): Counts {
  const start = new Date(job.startedSeconds * 1000).toISOString();
  return ({ run, time }) => (job.run !== undefined && run === job.run) || time >= start;
}

function pauseUnlessStopped(stop: StopRequest): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, pauseMs);
    const withdraw = stop.onRequest(() => {
      clearTimeout(timer);
      resolve();
    });
    setTimeout(withdraw, pauseMs).unref();
  });
}
