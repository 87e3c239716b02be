import { readFileSync } from 'node:fs';
import type { Job, Plan } from '../../ir/index.js';
import { isAlive, type JobReport, sameJob } from '../../targets/queries.js';
import { earlyDeathOf } from '../job/early-deaths.js';
import type { JobEnvironment } from '../job/job-environment.js';
import { jobOf } from '../job/read-plan.js';
import { type SubmittedJob, submittedJobs } from '../job/submitted-jobs.js';
import { Scheduler } from './scheduler.js';

/** Milliseconds until the first question, and between two of them. */
const pause = { firstMs: 5000, nextMs: 30_000 };

/** Milliseconds in which what an ended job has written is sure to be seen on a shared file system. */
const settleMs = 3000;

/** Other jobs of the submission that launches wait for: tells which have ended, even those that left no status. */
export class OtherJobs {
  readonly #job: JobEnvironment;
  readonly #plan: Plan;
  readonly #env: NodeJS.ProcessEnv;
  readonly #scheduler: Scheduler | undefined;
  /** Ends by the jobs' names, with the time at which they were heard of. */
  readonly #ends = new Map<string, { readonly text: string; readonly atMs: number }>();
  #nextMs = Date.now() + pause.firstMs;

  constructor(job: JobEnvironment, plan: Plan, env: NodeJS.ProcessEnv = process.env) {
    this.#job = job;
    this.#plan = plan;
    this.#env = env;
    this.#scheduler = Scheduler.of(plan.target, env);
    if (this.#scheduler === undefined) this.#nextMs = 0;
  }

  /** Looks for ends of jobs: reads what their scripts have left each time, and asks the scheduler every 30 seconds. */
  async refresh(names: Iterable<string>): Promise<void> {
    const { run, dir } = this.#job;
    const open = [...new Set(names)].filter((name) => name !== this.#job.job && !this.#ends.has(name));
    // A job that was submitted by hand knows of no others that belong to it.
    if (run === undefined || open.length === 0) return;
    for (const name of open) {
      const planned = jobOf(this.#plan, name);
      // Another job of the same script may still start.
      if (planned.array !== undefined || planned.separate !== undefined) continue;
      const death = earlyDeathOf(dir, planned, run);
      if (death !== undefined) this.#note(name, `job '${name}' (${death.jobId}) has ended: ${death.text}`, 0);
    }
    if (Date.now() < this.#nextMs) return;
    if (this.#scheduler !== undefined) this.#nextMs = Date.now() + pause.nextMs;
    await Promise.all(open.map((name) => this.#ask(name)));
  }

  /** A sentence on how a job has ended; `undefined` while it may still run, or is not known. */
  endOf(name: string): string | undefined {
    const end = this.#ends.get(name);
    return end !== undefined && Date.now() - end.atMs >= settleMs ? end.text : undefined;
  }

  async #ask(name: string): Promise<void> {
    const rows = this.#rowsOf(name);
    if (rows.length === 0 || this.#ends.has(name)) return;
    if (this.#scheduler === undefined) {
      if (rows.every(({ id, job }) => !runsScript(id, job)))
        this.#note(name, `job '${name}' (${idsOf(rows)}) has ended`, 0);
      return;
    }
    const reports = await this.#scheduler.reportsOf(...rows.map(({ id }) => id));
    if (reports === undefined || reports.some(({ state }) => isAlive(state) || state === 'UNKNOWN')) return;
    const death = earlyDeathOf(this.#job.dir, jobOf(this.#plan, name), this.#job.run ?? '');
    const why = death === undefined ? '' : `: ${death.text}`;
    this.#note(name, `job '${name}' (${idsOf(rows)}) has ended${howEnded(reports)}${why}`);
  }

  #note(name: string, text: string, atMs = Date.now()): void {
    this.#ends.set(name, { text, atMs });
  }

  /** Rows of a job in the submission that this job belongs to: read anew, since submit.sh may still be at it. */
  #rowsOf(name: string): SubmittedJob[] {
    const rows = submittedJobs(this.#job.dir, this.#plan);
    const array = this.#scheduler?.queries.variables?.array;
    const ownId = (array === undefined ? undefined : this.#env[array]) || this.#job.jobId;
    const own = rows.findLast(({ job, id }) => job.name === this.#job.job && sameJob(id, ownId));
    return own === undefined
      ? []
      : rows.filter(({ job, submission }) => job.name === name && submission === own.submission);
  }
}

function idsOf(rows: readonly SubmittedJob[]): string {
  return rows.length > 3 ? `${rows[0]?.id} and ${rows.length - 1} more` : rows.map(({ id }) => id).join(', ');
}

/** ` (FAILED, NonZeroExitCode)`; nothing where all elements have completed, or the scheduler has forgotten them. */
function howEnded(reports: readonly JobReport[]): string {
  const bad = reports.find(({ state }) => state !== 'COMPLETED');
  if (bad === undefined) return '';
  const code = bad.exit === undefined ? undefined : `exit code ${bad.exit}`;
  return ` (${[bad.state, code, bad.reason].filter((part) => part !== undefined).join(', ')})`;
}

/** True if the process with that id runs a job's script on this machine. */
export function runsScript(id: string, { script }: Job): boolean {
  try {
    return readFileSync(`/proc/${id}/cmdline`, 'utf8').split('\0').includes(script);
  } catch {
    return false;
  }
}
