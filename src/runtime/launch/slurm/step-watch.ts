import { thisHost } from '../../job/job-environment.js';
import { askSlurm, jobIdsOf } from './ask-slurm.js';
import { readRunningSteps } from './running-steps.js';

/** Milliseconds between two questions, and after which an answer is not waited for. */
const pauseMs = 3000;
const patienceMs = 2000;

/**
 * Finds out on which hosts steps run while they do, where Slurm chose them: one question for all steps that are not known yet, every few
 * seconds at most. Steps that end before are told of by the accounting.
 */
export class StepWatch {
  readonly #env: NodeJS.ProcessEnv;
  readonly #waiting = new Map<number, (host: string) => void>();
  #timer: NodeJS.Timeout | undefined;

  /** `env` is the job's environment. */
  constructor(env: NodeJS.ProcessEnv) {
    this.#env = env;
  }

  /** Calls back once, with the nodes of the step whose srun has that process id. Returns a function that withdraws. */
  watch(pid: number, onHost: (host: string) => void): () => void {
    this.#waiting.set(pid, onHost);
    this.#timer ??= setTimeout(() => void this.#look(), pauseMs).unref();
    return () => this.#waiting.delete(pid);
  }

  async #look(): Promise<void> {
    if (this.#waiting.size > 0) {
      const asked = jobIdsOf(this.#env).map((id) => askSlurm('scontrol', ['show', 'step', id], this.#env, patienceMs));
      const steps = (await Promise.all(asked)).flatMap((text) => readRunningSteps(text ?? ''));
      for (const { host, pid, nodes } of steps) {
        const onHost = host === thisHost() ? this.#waiting.get(pid) : undefined;
        if (onHost === undefined || nodes === undefined) continue;
        this.#waiting.delete(pid);
        onHost(nodes);
      }
    }
    this.#timer = this.#waiting.size === 0 ? undefined : setTimeout(() => void this.#look(), pauseMs).unref();
  }
}
