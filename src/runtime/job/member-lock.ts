import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import * as z from 'zod';
import { WorkflowError } from '../../diagnostics/index.js';
import { type JobEnvironment, thisHost } from './job-environment.js';
import { isCode } from './job-folder.js';
import { identify, isAlive } from './process-identity.js';

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
    const self = identify(process.pid);
    const holder: Holder = {
      job: job.job,
      jobId: job.jobId,
      host: thisHost(),
      pid: process.pid,
      startTicks: self?.startTicks ?? '0',
      ...(walltimeSeconds === undefined ? {} : { until: job.startedSeconds + walltimeSeconds + lateSeconds }),
    };
    const own = `${path}.${thisHost()}-${process.pid}`;
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(own, `${JSON.stringify(holder)}\n`, { mode: 0o600 });
    try {
      // A link appears with its content, also over NFS, where O_EXCL does not everywhere.
      for (let attempt = 0; attempt < 10; attempt++) {
        try {
          linkSync(own, path);
          return new MemberLock(path);
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

  release(): void {
    rmSync(this.#path, { force: true });
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
