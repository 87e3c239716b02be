import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import * as z from 'zod';
import { WorkflowError } from '../../diagnostics/index.js';
import { type JobEnvironment, thisHost } from './job-environment.js';
import { isCode } from './job-folder.js';
import { isAlive, ownIdentity } from './process-identity.js';

const Holder = z.object({
  job: z.string(),
  jobId: z.string(),
  host: z.string(),
  pid: z.number(),
  startTicks: z.string(),
  /** Times that the scheduler had started the job again. */
  restarts: z.number().optional(),
  /** The scheduler that gave the job its id, and its cluster; absent without one. */
  scheduler: z.string().optional(),
  /** Without a scheduler: seconds since the epoch at which the holder has ended for certain. */
  until: z.number().optional(),
});
type Holder = z.infer<typeof Holder>;

/** The scheduler of a job, as far as locks ask it. */
export interface LockScheduler {
  /** Name of the scheduler and its cluster: ids of another one mean nothing here. */
  readonly name: string;
  /** Times that it has started this job again. */
  readonly restarts: number;
  /** True if the job with that id may still run on a node; `undefined` if the scheduler does not say. */
  holds(id: string): Promise<boolean | undefined>;
}

/** A taker of locks: the job, the end of its walltime if nobody else knows it, and its scheduler, if it has one. */
export interface LockTaker {
  readonly job: JobEnvironment;
  readonly walltimeSeconds: number | undefined;
  readonly scheduler: LockScheduler | undefined;
}

/** Seconds after its walltime in which a job may still be ending. */
const lateSeconds = 300;

/** Locks that this process holds: what they say, by their paths. */
const heldHere = new Map<string, string>();

/** A member's lock: a file beside its directory, which says who runs the member. */
export class MemberLock {
  readonly #path: string;

  private constructor(path: string) {
    this.#path = path;
  }

  /**
   * Takes the lock of the member in `directory`. Throws RUN1008 when a process that may still run holds it: one of this host that is
   * alive; one of another host whose job the scheduler has not ended, or started again; without a scheduler one whose walltime is not over.
   */
  static async take(directory: string, taker: LockTaker): Promise<MemberLock> {
    const path = `${directory}.lock`;
    const text = `${JSON.stringify(holderOf(taker))}\n`;
    if (!linkFromHeld(path, text)) await linkFromNew(path, text, directory, taker);
    heldHere.set(path, text);
    return new MemberLock(path);
  }

  release(): void {
    heldHere.delete(this.#path);
    try {
      unlinkSync(this.#path);
    } catch (error) {
      if (!isCode(error, 'ENOENT')) throw error;
    }
  }
}

/**
 * True if a process that may still run holds the lock of the member in `directory`, as far as this host knows: without a question to the
 * scheduler, a holder on another host counts until its walltime is over.
 */
export function isHeld(directory: string): boolean {
  const found = readHolder(`${directory}.lock`);
  if (found?.holder === undefined) return found !== undefined;
  const { holder } = found;
  if (holder.host === thisHost()) return isAlive(holder);
  return holder.until === undefined || Date.now() / 1000 <= holder.until;
}

/** True if a process that may still run holds the lock of the member in `directory`: as a taker would find it. */
export async function isHeldFor(directory: string, taker: LockTaker): Promise<boolean> {
  const found = readHolder(`${directory}.lock`);
  return found !== undefined && (await judge(found.holder, taker)) !== 'stale';
}

function holderOf({ job, walltimeSeconds, scheduler }: LockTaker): Holder {
  const holder = { job: job.job, jobId: job.jobId, host: thisHost(), ...ownIdentity() };
  if (scheduler !== undefined) return { ...holder, restarts: scheduler.restarts, scheduler: scheduler.name };
  if (walltimeSeconds === undefined) return holder;
  return { ...holder, until: job.startedSeconds + walltimeSeconds + lateSeconds };
}

/** A lock that this process holds says all that a further one has to say: a link to it is half the work of a new file. */
function linkFromHeld(path: string, text: string): boolean {
  for (const [held, says] of heldHere) {
    if (says !== text) continue;
    try {
      linkSync(held, path);
      return true;
    } catch {
      // It is taken, or there is no folder for it yet: the longer way tells.
      return false;
    }
  }
  return false;
}

/** Files of this process that become locks, so that two at a time do not meet. */
let serial = 0;

/** A link appears with its content, also over NFS, where O_EXCL does not everywhere. */
async function linkFromNew(path: string, text: string, directory: string, taker: LockTaker): Promise<void> {
  const own = `${path}.${thisHost()}-${process.pid}-${serial++}`;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(own, text, { mode: 0o600 });
  try {
    for (let attempt = 0; attempt < 10; attempt++) {
      try {
        linkSync(own, path);
        return;
      } catch (error) {
        if (!isCode(error, 'EEXIST')) throw error;
      }
      await breakIfStale(path, directory, taker);
    }
    throw held(directory, undefined, path, false);
  } finally {
    rmSync(own, { force: true });
  }
}

/** Takes a stale lock away; throws RUN1008 for one that holds. */
async function breakIfStale(path: string, directory: string, taker: LockTaker): Promise<void> {
  const found = readHolder(path);
  if (found === undefined) return;
  const verdict = await judge(found.holder, taker);
  if (verdict !== 'stale') throw held(directory, found.holder, path, verdict === 'unanswered');
  const aside = `${path}.stale-${thisHost()}-${process.pid}`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if (isCode(error, 'ENOENT')) return;
    throw error;
  }
  // Another process may have broken the same lock and taken it between our look and our rename: give it back.
  if (readHolder(aside)?.text !== found.text) {
    try {
      linkSync(aside, path);
    } catch (error) {
      if (!isCode(error, 'EEXIST')) throw error;
    }
  }
  unlinkSync(aside);
}

function readHolder(path: string): { text: string; holder: Holder | undefined } | undefined {
  try {
    const text = readFileSync(path, 'utf8');
    try {
      return { text, holder: Holder.parse(JSON.parse(text)) };
    } catch {
      return { text, holder: undefined };
    }
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** Judges whether a lock still counts; `unanswered` if the scheduler should know and does not say. */
async function judge(
  holder: Holder | undefined,
  { job, scheduler }: LockTaker,
): Promise<'stale' | 'held' | 'unanswered'> {
  if (holder === undefined) return 'held';
  const isSameJob = scheduler !== undefined && holder.scheduler === scheduler.name && holder.jobId === job.jobId;
  // The same job has been started again, so that what it left is gone, with its node or without.
  if (isSameJob && (holder.restarts ?? 0) !== scheduler.restarts) return 'stale';
  if (holder.host === thisHost()) return isAlive(holder) ? 'held' : 'stale';
  if (isSameJob) return 'stale';
  if (holder.scheduler === undefined) {
    return holder.until !== undefined && Date.now() / 1000 > holder.until ? 'stale' : 'held';
  }
  if (holder.scheduler !== scheduler?.name) return 'held';
  const holds = await scheduler.holds(holder.jobId);
  if (holds === undefined) return 'unanswered';
  return holds ? 'held' : 'stale';
}

function held(directory: string, holder: Holder | undefined, path: string, isUnanswered: boolean): WorkflowError {
  const who =
    holder === undefined
      ? 'somebody'
      : `job ${holder.jobId} ('${holder.job}', process ${holder.pid} on ${holder.host})`;
  const unknown = isUnanswered ? ', as far as is known: the scheduler does not say whether that job has ended' : '';
  return new WorkflowError({
    code: 'RUN1008',
    message: `${basename(directory)} is being run by ${who}${unknown}`,
    hint: `it runs once, there: submit again when that job has ended, for what it has left; if it is gone without a trace, remove ${path}`,
  });
}
