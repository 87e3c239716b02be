import { graceOf, type Job, type Plan } from '../../ir/index.js';
import type { JobEnvironment } from '../job/job-environment.js';
import { jobOf } from '../job/read-plan.js';
import { ownScript } from '../scheduler/own-script.js';
import { Scheduler } from '../scheduler/scheduler.js';

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
export function watchDeadline(
  job: JobEnvironment,
  plan: Plan,
  onDeadline: () => void,
  env: NodeJS.ProcessEnv = process.env,
): () => void {
  const scheduler = Scheduler.of(plan.target, env);
  const watch = new DeadlineWatch(job, jobOf(plan, job.job), scheduler, onDeadline);
  watch.start();
  return () => watch.close();
}

class DeadlineWatch {
  readonly #job: JobEnvironment;
  readonly #planned: Job;
  readonly #scheduler: Scheduler | undefined;
  readonly #onDeadline: () => void;
  /** When applications are to end; `undefined` without a limit. */
  #deadlineMs: number | undefined;
  /** When the scheduler was asked for the last time, and whether it answered then or not. */
  #askedMs = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(job: JobEnvironment, planned: Job, scheduler: Scheduler | undefined, onDeadline: () => void) {
    this.#job = job;
    this.#planned = planned;
    this.#scheduler = scheduler;
    this.#onDeadline = onDeadline;
    this.#deadlineMs = this.#unasked();
  }

  start(): void {
    // A scheduler that has told the job's end in its environment need not be asked at once.
    if (this.#scheduler?.endSeconds !== undefined) this.#askedMs = Date.now();
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
    if (this.#scheduler !== undefined && Date.now() - this.#askedMs > freshMs) await this.#ask(this.#scheduler);
    if (this.#isClosed) return;
    const leftMs = this.#leftMs();
    if (leftMs <= 0) this.#onDeadline();
    else this.#wait(this.#pauseMs(leftMs));
  }

  /** Half of what is left, so that a long job asks a few times only, and a moment before the deadline for the last time. */
  #pauseMs(leftMs: number): number {
    if (this.#scheduler === undefined || leftMs <= aheadMs) return Math.min(leftMs, longestMs);
    return Math.min(Math.max(leftMs / 2, 2 * freshMs), leftMs - aheadMs, longestMs);
  }

  #leftMs(): number {
    return (this.#deadlineMs ?? Number.POSITIVE_INFINITY) - Date.now();
  }

  async #ask(scheduler: Scheduler): Promise<void> {
    const report = await scheduler.reportOf(this.#job.jobId);
    this.#askedMs = Date.now();
    if (report === undefined || report === 'unknown') return;
    const { limitSeconds, elapsedSeconds } = report;
    if (limitSeconds === undefined) {
      this.#deadlineMs = undefined;
      return;
    }
    // The scheduler leaves out what was suspended; where it is behind, it is so by that much at most.
    const own = Date.now() / 1000 - this.#job.startedSeconds;
    const behind = scheduler.queries.elapsedLagSeconds ?? 0;
    const used = elapsedSeconds === undefined ? own : Math.max(elapsedSeconds, Math.min(own, elapsedSeconds + behind));
    this.#deadlineMs = Date.now() + (limitSeconds - used - graceOf(limitSeconds)) * 1000;
  }

  /** Without an answer what the script asks its scheduler for counts; where there is no scheduler, the plan. */
  #unasked(): number | undefined {
    const { startedSeconds } = this.#job;
    const deadline = (limitSeconds: number | undefined, grace = graceOf(limitSeconds ?? 0)) =>
      limitSeconds === undefined ? undefined : (startedSeconds + limitSeconds - grace) * 1000;
    if (this.#scheduler === undefined) {
      return deadline(this.#planned.allocation.walltimeSeconds, this.#planned.graceSeconds);
    }
    const { endSeconds, queries } = this.#scheduler;
    if (endSeconds !== undefined) return deadline(endSeconds - startedSeconds);
    return deadline(queries.walltimeOf(ownScript(this.#job, this.#planned.script)));
  }
}
