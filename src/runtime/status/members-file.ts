import { mkdirSync, readdirSync, rmSync, statSync, utimesSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { hasNumbers, type Plan } from '../../ir/index.js';
import { type JobEnvironment, jobIdForPath, thisHost } from '../job/job-environment.js';
import { isCode } from '../job/job-folder.js';
import { membersCsvPieces } from './members-csv.js';
import { StatusReader } from './status-reader.js';

/** Milliseconds between two versions at least: of a job, and of one whose many elements each have to read what the others do. */
const leastMs = { job: 1000, elements: 5000 };

/** Milliseconds until the first version of a job. */
const firstMs = 50;

/** Reciprocal of the part of a process's time that the file may take. */
const share = 20;

/** Members beyond which the file is written at the ends of jobs only: it would cost a launch its memory. */
const mostLive = 200_000;

/** Versions that are written at most until nothing is news any more. */
const mostRounds = 5;

/**
 * Keeps run/members.csv current. Any number of processes may, on any hosts: each version is written beside the file and takes its place
 * as a whole, and whoever has put one there looks whether more has happened since it read the status files. So no old version stays over a
 * newer one. The file's time is that at which the status files were read for it.
 */
export class MembersFile {
  readonly #path: string;
  readonly #temporary: string;
  readonly #plan: Plan;
  readonly #reader: StatusReader;
  readonly #isLive: boolean;
  #written = -1;
  readonly #leastMs: number;
  #pauseMs: number;
  #timer: NodeJS.Timeout | undefined;
  #work: Promise<void> = Promise.resolve();
  /** Milliseconds since the epoch at which the newest events were read. */
  #newsAt = 0;
  #hasEnded = false;

  constructor(job: JobEnvironment, plan: Plan) {
    const own = plan.jobs.find(({ name }) => name === job.job);
    const counts = plan.entities.map((entity) => (hasNumbers(entity) ? entity.members.count : 0));
    const total = counts.reduce((sum, count) => sum + count, 0);
    this.#path = join(job.dir, 'run/members.csv');
    this.#temporary = `${this.#path}.${temporaryMark(job)}${thisHost()}-${process.pid}.tmp`;
    this.#plan = plan;
    this.#reader = new StatusReader(job.dir);
    this.#isLive = total > 0 && total <= mostLive;
    this.#leastMs = own?.array === undefined && own?.separate === undefined ? leastMs.job : leastMs.elements;
    this.#pauseMs = this.#leastMs;
  }

  /** Writes a version every now and then, as long as there is news. */
  keep(): void {
    // Elements of an array begin together, and would all read what the others do.
    if (this.#isLive) this.#schedule(this.#leastMs === leastMs.job ? firstMs : this.#pauseMs);
  }

  /** Writes what is known now, and again until nothing has happened in the meantime. */
  update(): Promise<void> {
    if (!this.#plan.entities.some(hasNumbers)) return Promise.resolve();
    this.#work = this.#work.then(() => this.#writeAll());
    return this.#work;
  }

  /** Writes no more versions. What cannot be written is the next process's concern. */
  async close(): Promise<void> {
    this.#hasEnded = true;
    clearTimeout(this.#timer);
    await this.#work.catch(() => undefined);
  }

  /** Removes what processes of the job have left that were killed as they wrote. */
  static clear(job: JobEnvironment): void {
    const folder = join(job.dir, 'run');
    const isLeft = (name: string) => name.startsWith(`members.csv.${temporaryMark(job)}`) && name.endsWith('.tmp');
    try {
      for (const name of readdirSync(folder).filter(isLeft)) rmSync(join(folder, name));
    } catch (error) {
      // A job that could not write anything has left nothing.
      if (!isCode(error, 'ENOENT')) throw error;
    }
  }

  #schedule(afterMs: number): void {
    if (this.#hasEnded) return;
    this.#timer = setTimeout(
      () => {
        if (this.#isOld()) this.#work = this.#work.then(() => this.#writeLive());
        void this.#work.catch(() => undefined).then(() => this.#schedule(this.#pauseMs));
      },
      afterMs * (1 + Math.random() / 2),
    ).unref();
  }

  /** True unless another process has seen to it. */
  #isOld(): boolean {
    return Math.abs(Date.now() - this.#timeOfFile()) > this.#pauseMs;
  }

  async #writeLive(): Promise<void> {
    const begun = performance.now();
    try {
      const readAt = new Date();
      const isNews = this.#read(readAt);
      // A version that was read before the last news is from a slower process.
      if (isNews || this.#timeOfFile() + 1 < this.#newsAt) await this.#write(readAt);
      else utimesSync(this.#path, readAt, readAt);
    } catch {
      // A full disk must not end an application; a later version may find room.
    }
    this.#pauseMs = Math.max(this.#leastMs, share * (performance.now() - begun));
  }

  /** Reads what has happened; true if the last version does not have all of it. */
  #read(at: Date): boolean {
    const before = this.#reader.events;
    this.#reader.refresh();
    if (this.#reader.events > before) this.#newsAt = at.getTime();
    return this.#reader.events !== this.#written;
  }

  /** Less than 0 where there is no file. */
  #timeOfFile(): number {
    return statSync(this.#path, { throwIfNoEntry: false })?.mtimeMs ?? -2;
  }

  async #writeAll(): Promise<void> {
    for (let round = 0; round < mostRounds; round++) {
      const readAt = new Date();
      if (!this.#read(readAt)) return;
      await this.#write(readAt);
    }
  }

  async #write(readAt: Date): Promise<void> {
    const events = this.#reader.events;
    try {
      mkdirSync(dirname(this.#path), { recursive: true });
      const file = await open(this.#temporary, 'w', 0o644);
      try {
        for (const piece of membersCsvPieces(this.#plan, (entity) => this.#reader.of(entity))) await file.write(piece);
        await file.utimes(readAt, readAt);
      } finally {
        await file.close();
      }
      await rename(this.#temporary, this.#path);
      this.#written = events;
    } catch (error) {
      await rm(this.#temporary, { force: true });
      throw error;
    }
  }
}

/** Common part of the names of a job's half-written files. */
function temporaryMark(job: JobEnvironment): string {
  return `${jobIdForPath(job.jobId)}.`;
}
