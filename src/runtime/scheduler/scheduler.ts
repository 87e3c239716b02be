import type { TargetName } from '../../ir/index.js';
import { askedTogether, type JobReport, type Queries } from '../../targets/queries.js';
import { queriesOf } from '../../targets/schedulers.js';
import { runCommand } from './run-command.js';

/** Milliseconds after which a scheduler is too busy to be waited for. */
const patienceMs = 5000;

/** The scheduler that a job runs under, asked from inside the job. */
export class Scheduler {
  readonly queries: Queries;
  readonly #env: NodeJS.ProcessEnv;

  private constructor(queries: Queries, env: NodeJS.ProcessEnv) {
    this.queries = queries;
    this.#env = env;
  }

  /** The scheduler of a target, as a job with that environment sees it; `undefined` where there is none. */
  static of(target: TargetName, env: NodeJS.ProcessEnv): Scheduler | undefined {
    const queries = queriesOf[target];
    return queries === undefined ? undefined : new Scheduler(queries, env);
  }

  /** Number of times that this job was started again under its id, as far as the scheduler counts. */
  get restarts(): number {
    return this.#number('restarts') ?? 0;
  }

  /** The cluster's name, where ids of two clusters may be alike. */
  get cluster(): string | undefined {
    const name = this.queries.variables?.cluster;
    return name === undefined ? undefined : this.#env[name] || undefined;
  }

  /** This job's end as it was planned when it started, seconds since the epoch; `undefined` where the environment does not say. */
  get endSeconds(): number | undefined {
    return this.#number('end');
  }

  /**
   * Reports of the scheduler on jobs, one for each element of an array or component: none on a job that it does not know (any more),
   * `undefined` if it does not answer.
   */
  async reportsOf(...ids: readonly string[]): Promise<readonly JobReport[] | undefined> {
    const reports: JobReport[] = [];
    for (const some of askedTogether(this.queries, ids)) {
      const read = await this.#ask(some);
      if (read === undefined) return undefined;
      reports.push(...read);
    }
    return reports;
  }

  /** The answer to the first question, or to the next one where a version of the scheduler does not understand that. */
  async #ask(ids: readonly string[]): Promise<readonly JobReport[] | undefined> {
    for (const [place, query] of this.queries.states.entries()) {
      if (place > 0 && this.queries.states[0].optional !== true) return undefined;
      const answer = await runCommand(query.command(ids), this.#env, patienceMs);
      const read = answer === undefined ? undefined : query.read(answer);
      if (read !== undefined) return read;
    }
    return undefined;
  }

  /** The report of exactly the job (or element) that knows itself by that id. */
  async reportOf(id: string): Promise<JobReport | 'unknown' | undefined> {
    const reports = await this.reportsOf(id);
    if (reports === undefined) return undefined;
    const own = reports.filter((report) => (report.ownId ?? report.id) === id);
    return own[0] ?? (reports.length === 1 ? reports[0] : undefined) ?? 'unknown';
  }

  /**
   * True if the job with that id has processes on a node, `undefined` if the scheduler does not say. A job that waits has none: if it had
   * any, it was started again since.
   */
  async runs(id: string): Promise<boolean | undefined> {
    const report = await this.reportOf(id);
    if (report === undefined) return undefined;
    if (report === 'unknown') return false;
    return report.state === 'UNKNOWN' ? undefined : report.state === 'RUNNING';
  }

  #number(variable: 'end' | 'restarts'): number | undefined {
    const name = this.queries.variables?.[variable];
    const text = name === undefined ? undefined : this.#env[name];
    return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
  }
}
