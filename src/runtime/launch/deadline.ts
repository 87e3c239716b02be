import type { Plan } from '../../ir/index.js';
import type { JobEnvironment } from '../job/job-environment.js';
import { JobTime } from '../scheduler/job-time.js';

/** Milliseconds between two questions at most: the walltime of a job that runs may be changed. */
const longestMs = 15 * 60_000;

/** Milliseconds before the deadline at which the scheduler is asked for the last time. */
const aheadMs = 5000;

/** Milliseconds for which an answer is good. */
const freshMs = 8000;

/**
 * Calls back when the job's time is over but for its grace; never for a job without a limit. The time that counts is the scheduler's, which
 * is asked when the watch begins, every so often, and before the deadline comes. Returns a function that ends the watch.
 */
export function watchDeadline(job: JobEnvironment, plan: Plan, onDeadline: () => void): () => void {
  const watch = new DeadlineWatch(new JobTime(job, plan), onDeadline);
  watch.start();
  return () => watch.close();
}

class DeadlineWatch {
  readonly #time: JobTime;
  readonly #onDeadline: () => void;
  /** When the scheduler was asked for the last time, whether it answered or not. */
  #askedMs = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(time: JobTime, onDeadline: () => void) {
    this.#time = time;
    this.#onDeadline = onDeadline;
    if (time.isTold) this.#askedMs = Date.now();
  }

  start(): void {
    this.#wait(0);
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  #wait(milliseconds: number): void {
    this.#timer = setTimeout(() => void this.#look(), milliseconds);
  }

  async #look(): Promise<void> {
    // A job that was suspended finds its deadline in the past, and the last answer too.
    if (this.#time.canAsk && Date.now() - this.#askedMs > freshMs) {
      await this.#time.ask();
      this.#askedMs = Date.now();
    }
    if (this.#isClosed) return;
    const leftMs = (this.#time.deadlineMs ?? Number.POSITIVE_INFINITY) - Date.now();
    if (leftMs <= 0) this.#onDeadline();
    else this.#wait(this.#pauseMs(leftMs));
  }

  /** Half of what is left, so that a long job asks a few times only, and a moment before the deadline for the last time. */
  #pauseMs(leftMs: number): number {
    if (!this.#time.canAsk || leftMs <= aheadMs) return Math.min(leftMs, longestMs);
    return Math.min(Math.max(leftMs / 2, 2 * freshMs), leftMs - aheadMs, longestMs);
  }
}
