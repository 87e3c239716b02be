import { graceOf, type Job, type Plan } from '../../ir/index.js';
import type { JobEnvironment } from '../job/job-environment.js';
import { jobOf } from '../job/read-plan.js';
import { ownScript } from './own-script.js';
import { Scheduler } from './scheduler.js';

/** The time that a job has: what its scheduler says, as far as it has been asked. */
export class JobTime {
  readonly #job: JobEnvironment;
  readonly #planned: Job;
  readonly #scheduler: Scheduler | undefined;
  /** When the job is over, and the part of its time that is kept for ending in order; `undefined` without a limit. */
  #end: { readonly ms: number; readonly graceMs: number } | undefined;

  /** `env` is the job's environment. */
  constructor(job: JobEnvironment, plan: Plan, env: NodeJS.ProcessEnv = process.env) {
    this.#job = job;
    this.#planned = jobOf(plan, job.job);
    this.#scheduler = Scheduler.of(plan.target, env);
    this.#end = this.#unasked();
  }

  /** True if there is a scheduler to ask. */
  get canAsk(): boolean {
    return this.#scheduler !== undefined;
  }

  /** True if the scheduler has told the end in the environment, so that it need not be asked at the start. */
  get isTold(): boolean {
    return this.#scheduler?.endSeconds !== undefined;
  }

  /** When the job is over, milliseconds since the epoch; `undefined` without a limit. */
  get endMs(): number | undefined {
    return this.#end?.ms;
  }

  /** When its applications are to end. */
  get deadlineMs(): number | undefined {
    return this.#end === undefined ? undefined : this.#end.ms - this.#end.graceMs;
  }

  /** Asks the scheduler; without an answer, what was known before stays. */
  async ask(): Promise<void> {
    const report = await this.#scheduler?.reportOf(this.#job.jobId);
    if (this.#scheduler === undefined || report === undefined || report === 'unknown') return;
    const { limitSeconds, elapsedSeconds } = report;
    if (limitSeconds === undefined) {
      this.#end = undefined;
      return;
    }
    // The scheduler leaves out what was suspended; where it is behind, it is so by that much at most.
    const own = Date.now() / 1000 - this.#job.startedSeconds;
    const behind = this.#scheduler.queries.elapsedLagSeconds ?? 0;
    const used = elapsedSeconds === undefined ? own : Math.max(elapsedSeconds, Math.min(own, elapsedSeconds + behind));
    this.#end = { ms: Date.now() + (limitSeconds - used) * 1000, graceMs: graceOf(limitSeconds) * 1000 };
  }

  /** Without an answer what the script asks its scheduler for counts; where there is no scheduler, the plan. */
  #unasked() {
    const { startedSeconds } = this.#job;
    const end = (limitSeconds: number | undefined, grace = graceOf(limitSeconds ?? 0)) =>
      limitSeconds === undefined ? undefined : { ms: (startedSeconds + limitSeconds) * 1000, graceMs: grace * 1000 };
    if (this.#scheduler === undefined) {
      return end(this.#planned.allocation.walltimeSeconds, this.#planned.graceSeconds);
    }
    const { endSeconds, queries } = this.#scheduler;
    if (endSeconds !== undefined) return end(endSeconds - startedSeconds);
    return end(queries.walltimeOf(ownScript(this.#job, this.#planned.script)));
  }
}
