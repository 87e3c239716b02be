import type { StepQueries } from '../../../targets/queries.js';
import { thisHost } from '../../job/job-environment.js';
import { runningSteps } from './running-steps.js';

/** Milliseconds between two questions. */
const pauseMs = 3000;

/**
 * Finds out on which hosts steps run while they do, where the scheduler chose them: one question for all steps that are not known yet, every few
 * seconds at most. Steps that end before are told of by the accounting.
 */
export class StepWatch {
  readonly #steps: StepQueries;
  readonly #env: NodeJS.ProcessEnv;
  readonly #waiting = new Map<number, (host: string) => void>();
  #timer: NodeJS.Timeout | undefined;

  /** `env` is the job's environment. */
  constructor(steps: StepQueries, env: NodeJS.ProcessEnv) {
    this.#steps = steps;
    this.#env = env;
  }

  /** Calls back once, with the nodes of the step whose launcher has that process id. Returns a function that withdraws. */
  watch(pid: number, onHost: (host: string) => void): () => void {
    this.#waiting.set(pid, onHost);
    this.#timer ??= setTimeout(() => void this.#look(), pauseMs).unref();
    return () => this.#waiting.delete(pid);
  }

  async #look(): Promise<void> {
    if (this.#waiting.size > 0) {
      for (const { host, pid, nodes } of await runningSteps(this.#steps, this.#env)) {
        const onHost = host === thisHost() ? this.#waiting.get(pid) : undefined;
        if (onHost === undefined || nodes === undefined) continue;
        this.#waiting.delete(pid);
        onHost(nodes);
      }
    }
    this.#timer = this.#waiting.size === 0 ? undefined : setTimeout(() => void this.#look(), pauseMs).unref();
  }
}
