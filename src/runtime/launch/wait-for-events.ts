import { mkdirSync, watch } from 'node:fs';
import { WorkflowError } from '../../diagnostics/index.js';
import type { Entity, Event, Plan } from '../../ir/index.js';
import { type JobEnvironment, thisHost } from '../job/job-environment.js';
import { MemberSelection } from '../job/member-selection.js';
import { statusFolder } from '../job/paths.js';
import { isAlive } from '../job/process-identity.js';
import { entityOf, jobOf } from '../job/read-plan.js';
import { OtherJobs } from '../scheduler/other-jobs.js';
import {
  type Awaited,
  type Counts,
  countsFor,
  type EventState,
  judgeEvent,
  type LaunchEvent,
  launchesOf,
  type MemberEvent,
  neverStarts,
  ownLaunchesOf,
  type RunFacts,
  type StatusReader,
} from '../status/index.js';
import { lostLaunch } from './lost-launch.js';
import type { StopRequest } from './stop-request.js';

/** Milliseconds between two looks at the processes of this job. */
const lookMs = 500;

/** Milliseconds between two looks when the file system says nothing, as NFS does, and at least between two. */
const pause = { mostMs: 250, leastMs: 20 };

/** Data in stores that were started again. */
interface StoredData {
  /** True if what a member has written is as it left it. */
  isIntact(entity: Entity, event: MemberEvent): boolean;
  /** Data that the waiting entity reads and that is lost; undefined if all is there. */
  loss(): { readonly reason: string } | undefined;
}

/**
 * Waits until everything that the entity is `.after` has come, or a stop is requested. Throws RUN1009 when something can no
 * longer come.
 */
export async function waitForEvents(
  job: JobEnvironment,
  plan: Plan,
  entity: Entity,
  reader: StatusReader,
  stop: StopRequest,
  stored?: StoredData,
): Promise<void> {
  const others = new OtherJobs(job, plan);
  const isIntact = (target: Entity, seen: MemberEvent) => stored?.isIntact(target, seen) ?? true;
  const awaited = entity.after.flatMap((after) =>
    'event' in after ? [awaitedEvent(job, plan, entity, reader, after.name, after.event, others, isIntact)] : [],
  );
  if (awaited.length === 0) return;
  const waker = new Waker(statusFolder(job.dir), stop);
  try {
    while (stop.reason === undefined) {
      await others.refresh(awaited.map((one) => one.job));
      reader.refresh();
      const pending = awaited.filter((one) => {
        let verdict = verdictOf(job, plan, reader, one, others);
        // A launch that has just gone may have written its last lines after our look.
        if (typeof verdict === 'object' && reader.refresh()) verdict = verdictOf(job, plan, reader, one, others);
        if (typeof verdict === 'object') throw cannotCome(entity, one, stored?.loss()?.reason ?? verdict.impossible);
        return verdict === 'pending';
      });
      if (pending.length === 0) return;
      await waker.next();
    }
  } finally {
    waker.close();
  }
}

/** An awaited event of another entity, with the job that runs that entity. */
export interface AwaitedOfJob extends Awaited {
  readonly job: string;
}

/** The event of another entity that an entity waits for, and which events count. */
export function awaitedEvent(
  job: JobEnvironment,
  plan: Plan,
  entity: Entity,
  reader: StatusReader,
  name: string,
  event: Event,
  others: OtherJobs,
  isIntact: (target: Entity, seen: MemberEvent) => boolean = () => true,
): AwaitedOfJob {
  const whole = plan.entities.find((candidate) => candidate.name === name);
  const member = whole === undefined ? /^(.+)_(\d+)$/.exec(name) : null;
  const target = whole ?? entityOf(plan, member?.[1] ?? name);
  const sameJob = target.job === entity.job;
  const launches = sameJob ? ownLaunchesOf(jobOf(plan, job.job), target) : launchesOf(plan, target);
  const { members: chosen = MemberSelection.all } = job;
  const index = member === null ? undefined : Number(member[2]);
  if (index !== undefined && !chosen.has(target.name, index)) throw notChosen(entity, name);
  const counts = (): Counts => {
    const isOfRun = countsFor(job, target, reader.of(target.name));
    return (seen) =>
      isOfRun(seen) && (!('index' in seen) || (chosen.has(target.name, seen.index) && isIntact(target, seen)));
  };
  const members = { ...target.members, count: chosen.count(target) };
  const isGone = (launch: LaunchEvent): boolean => sameJob && isGoneFromHere(launch);
  const over = sameJob ? sometimes(() => lostLaunch(job, plan, target.name)) : () => others.endOf(target.job);
  return { entity: { ...target, members }, event, member: index, launches, counts, isGone, over, job: target.job };
}

/** The same, but asked twice a second at most: it looks at processes. */
function sometimes<Value>(ask: () => Value): () => Value | undefined {
  let nextMs = 0;
  let last: Value | undefined;
  return () => {
    if (performance.now() >= nextMs) {
      last = ask();
      nextMs = performance.now() + lookMs;
    }
    return last;
  };
}

/** True if a launch on this host has ended without having said so. */
function isGoneFromHere(launch: LaunchEvent): boolean {
  return launch.host === thisHost() && !isAlive(launch);
}

/**
 * Judges what an entity waits for. Of one of another job nothing is heard when the scheduler does not start that job: it is as one that
 * was skipped.
 */
export function verdictOf(
  job: JobEnvironment,
  plan: Plan,
  reader: StatusReader,
  awaited: Awaited,
  others: OtherJobs,
): EventState {
  const { entity: target, event } = awaited;
  const verdict = judgeEvent(reader.of(target.name), awaited);
  if (verdict !== 'pending') return verdict;
  const { job: name } = entityOf(plan, target.name);
  // A job that was submitted by hand knows of no run that its own belongs to.
  if (name === job.job || job.run === undefined) return 'pending';
  const facts: RunFacts = {
    plan,
    statusOf: (one) => reader.of(one),
    countsFor: (one) => countsFor(job, one, reader.of(one.name)),
    isGone: () => false,
    isJobOver: (one) => others.endOf(one) !== undefined,
  };
  if (!neverStarts(facts, jobOf(plan, name))) return 'pending';
  return event === 'ended'
    ? 'met'
    : { impossible: `job '${name}' is not started, since what it waits for did not come` };
}

function notChosen(entity: Entity, member: string): WorkflowError {
  return new WorkflowError({
    code: 'RUN1009',
    message: `${entity.name} is not launched: it waits for '${member}', which is not among the members that were asked for`,
    hint: 'add it to --members',
  });
}

function cannotCome(entity: Entity, { entity: target, member, event }: Awaited, why: string): WorkflowError {
  const name = member === undefined ? target.name : `${target.name}_${member}`;
  return new WorkflowError({
    code: 'RUN1009',
    message: `${entity.name} is not launched: it waits for '${name}' to have ${past[event]}, but ${why}`,
    hint: `its output is in run/${target.name}/; to run what has not completed, run the job again`,
  });
}

const past: Readonly<Record<Event, string>> = {
  started: 'started',
  completed: 'completed',
  failed: 'failed',
  ended: 'ended',
};

/** Wakes when a folder changes, a stop is requested, or some time has gone by. */
class Waker {
  readonly #close: () => void;
  #wake: () => void = () => {};
  #stopped = false;
  #woken = false;

  constructor(folder: string, stop: StopRequest) {
    mkdirSync(folder, { recursive: true });
    const withdraw = stop.onRequest(() => {
      this.#stopped = true;
      this.#wake();
    });
    const watcher = watchOrNothing(folder, () => {
      this.#woken = true;
      this.#wake();
    });
    this.#close = () => {
      withdraw();
      watcher?.close();
    };
  }

  async next(): Promise<void> {
    await pauseFor(pause.leastMs);
    if (this.#stopped) return;
    if (!this.#woken) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, pause.mostMs);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.#woken = false;
  }

  close(): void {
    this.#close();
  }
}

function watchOrNothing(folder: string, onChange: () => void): { close(): void } | undefined {
  try {
    const watcher = watch(folder, onChange);
    watcher.on('error', () => {});
    return watcher;
  } catch {
    // The system's watches are used up: the clock alone wakes.
    return undefined;
  }
}

function pauseFor(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
