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
  /** Seconds since the epoch at which the scheduler has ended the holder for certain. */
  until: z.number().optional(),
});
type Holder = z.infer<typeof Holder>;

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
   * alive, or one of another host whose walltime is not over.
   */
  static take(directory: string, job: JobEnvironment, walltimeSeconds: number | undefined): MemberLock {
    const path = `${directory}.lock`;
    const holder: Holder = {
      job: job.job,
      jobId: job.jobId,
      host: thisHost(),
      ...ownIdentity(),
      ...(walltimeSeconds === undefined ? {} : { until: job.startedSeconds + walltimeSeconds + lateSeconds }),
    };
    const text = `${JSON.stringify(holder)}\n`;
    if (!linkFromHeld(path, text)) linkFromNew(path, text, directory);
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

/** True while a process that may still run holds the lock of the member in `directory`. */
export function isHeld(directory: string): boolean {
  const found = readHolder(`${directory}.lock`);
  return found !== undefined && !isStale(found.holder);
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

/** A link appears with its content, also over NFS, where O_EXCL does not everywhere. */
function linkFromNew(path: string, text: string, directory: string): void {
  const own = `${path}.${thisHost()}-${process.pid}`;
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
      breakIfStale(path, directory);
    }
    throw held(directory, undefined, path);
  } finally {
    rmSync(own, { force: true });
  }
}

/** Takes a stale lock away; throws RUN1008 for one that holds. */
function breakIfStale(path: string, directory: string): void {
  const found = readHolder(path);
  if (found === undefined) return;
  if (!isStale(found.holder)) throw held(directory, found.holder, path);
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

function isStale(holder: Holder | undefined): boolean {
  if (holder === undefined) return false;
  if (holder.host === thisHost()) return !isAlive(holder);
  return holder.until !== undefined && Date.now() / 1000 > holder.until;
}

function held(directory: string, holder: Holder | undefined, path: string): WorkflowError {
  const who =
    holder === undefined
      ? 'somebody'
      : `job ${holder.jobId} ('${holder.job}', process ${holder.pid} on ${holder.host})`;
  return new WorkflowError({
    code: 'RUN1008',
    message: `${basename(directory)} is being run by ${who}`,
    hint: `wait for it; if that job has ended, remove ${path}`,
  });
}
