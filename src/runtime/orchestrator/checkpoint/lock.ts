import { randomUUID } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { link, open, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { WorkflowError } from '../../../diagnostics/index.js';

/** Pause between two signs of life of a holder. */
const beatMs = 2000;
/** A lock of another host that has not changed for so long is of one that has died. */
const silenceMs = 8000;

/** Holder of a lock, as its file says it. */
interface Holder {
  readonly token: string;
  readonly host: string;
  readonly pid: number;
  /** Start time of the process in clock ticks since boot, and the space that its number is from. */
  readonly start: string;
  readonly space: string;
}

/**
 * Keeps a second store from a checkpoint file: a file beside it. A store that was killed leaves it behind; the next one of that host sees
 * that its process is gone, one of another host that its file no longer changes.
 */
export class CheckpointLock {
  readonly #path: string;
  readonly #token: string;
  readonly #timer: NodeJS.Timeout;

  private constructor(path: string, token: string) {
    this.#path = path;
    this.#token = token;
    this.#timer = setInterval(() => {
      const now = new Date();
      utimes(path, now, now).catch(() => undefined);
    }, beatMs).unref();
  }

  /** @throws WorkflowError if another store that lives has it */
  static async take(file: string): Promise<CheckpointLock> {
    const path = `${file}.owner`;
    const holder: Holder = { token: randomUUID(), host: hostname(), pid: process.pid, ...identityOf(process.pid) };
    const own = `${path}.${holder.token}`;
    try {
      await writeNew(own, JSON.stringify(holder));
      // A link appears with its content, also over NFS.
      while (!(await linked(own, path))) {
        const found = await read(path);
        if (found !== undefined && (await lives(path, found))) throw held(file, path, found.holder);
        if (found !== undefined) await takeAway(path, found.text);
      }
    } catch (error) {
      if (error instanceof WorkflowError) throw error;
      throw new WorkflowError({
        code: 'OUT1002',
        message: `the checkpoint ${file} cannot be locked: ${(error as Error).message}`,
        hint: 'its folder must exist and be writable',
        cause: error,
      });
    } finally {
      await rm(own, { force: true });
    }
    return new CheckpointLock(path, holder.token);
  }

  /** To be called before the file is replaced: a store that stood still for long may have lost it. @throws Error */
  async assertHeld(): Promise<void> {
    if ((await read(this.#path))?.holder?.token === this.#token) return;
    throw new Error('another store has taken the file over');
  }

  async release(): Promise<void> {
    clearInterval(this.#timer);
    if ((await read(this.#path).catch(() => undefined))?.holder?.token === this.#token) {
      await rm(this.#path, { force: true });
    }
  }
}

interface Found {
  readonly text: string;
  readonly holder: Partial<Holder> | undefined;
}

async function writeNew(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(text);
  } finally {
    await file.close();
  }
}

async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function read(path: string): Promise<Found | undefined> {
  try {
    const text = await readFile(path, 'utf8');
    try {
      return { text, holder: JSON.parse(text) as Partial<Holder> };
    } catch {
      return { text, holder: undefined };
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

async function lives(path: string, { text, holder }: Found): Promise<boolean> {
  if (holder?.host === hostname() && holder.pid !== undefined && holder.space === spaceHere()) {
    return identityOf(holder.pid).start === holder.start;
  }
  const before = await stat(path).catch(() => undefined);
  for (let waited = 0; waited < silenceMs; waited += beatMs / 4) {
    await sleep(beatMs / 4);
    const after = await stat(path).catch(() => undefined);
    if (after === undefined || before === undefined) return false;
    if (after.mtimeMs !== before.mtimeMs) return (await read(path))?.text === text;
  }
  return false;
}

/** Removes a lock that was left; one that another store has taken meanwhile stays. */
async function takeAway(path: string, text: string): Promise<void> {
  const aside = `${path}.${randomUUID()}`;
  try {
    await rename(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  if ((await read(aside))?.text !== text) await linked(aside, path);
  await rm(aside, { force: true });
}

/** The start of a process that runs; empty if there is none of that number, or only its unreaped rest. */
function identityOf(pid: number): Pick<Holder, 'start' | 'space'> {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return { start: fields[0] === 'Z' ? '' : (fields[19] ?? ''), space: spaceHere() };
  } catch {
    return { start: '', space: '' };
  }
}

/** Process numbers of a container are others than those of its host. */
function spaceHere(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return '';
  }
}

function held(file: string, path: string, holder: Partial<Holder> | undefined): WorkflowError {
  const who = holder?.pid === undefined ? 'another process' : `process ${holder.pid} on ${holder.host}`;
  return new WorkflowError({
    code: 'RUN1004',
    message: `the checkpoint ${file} belongs to another store that runs: ${who}`,
    hint: `give this store a file of its own, or end the other one; if there is none, remove ${path}`,
  });
}
