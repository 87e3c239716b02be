import { setImmediate as nextTurn } from 'node:timers/promises';
import { thisHost } from '../../job/job-environment.js';
import type { GentleSignal, Herald } from '../herald.js';
import { askSlurm, jobIdsOf } from './ask-slurm.js';
import { type RunningStep, readRunningSteps } from './running-steps.js';

/** Milliseconds after which a controller is too busy to be waited for. */
const patienceMs = 2000;

/** A signal to several applications, so that Slurm is asked once for all of them. */
interface Round {
  readonly pids: Set<number>;
  /** Those of them whose tasks Slurm has been asked to signal. */
  readonly told: Promise<ReadonlySet<number>>;
}

/**
 * Signals the tasks of steps through Slurm, since srun answers SIGTERM by killing them. A step is known by the process id of its srun, so
 * that its name, and what else the application starts, do not matter.
 */
export class SlurmHerald implements Herald {
  readonly #env: NodeJS.ProcessEnv;
  readonly #rounds = new Map<GentleSignal, Round>();

  /** `env` is the job's environment. */
  constructor(env: NodeJS.ProcessEnv) {
    this.#env = env;
  }

  async tell(pid: number, signal: GentleSignal): Promise<boolean> {
    const round = this.#rounds.get(signal) ?? this.#open(signal);
    round.pids.add(pid);
    return (await round.told).has(pid);
  }

  #open(signal: GentleSignal): Round {
    const pids = new Set<number>();
    const told = nextTurn().then(() => {
      this.#rounds.delete(signal);
      return this.#signal(pids, signal);
    });
    const round = { pids, told };
    this.#rounds.set(signal, round);
    return round;
  }

  /**
   * A job that Slurm itself is ending refuses the signal: its tasks have had it. So what counts is that the step is there, and not what
   * scancel says.
   */
  async #signal(pids: ReadonlySet<number>, signal: GentleSignal): Promise<ReadonlySet<number>> {
    const steps = (await this.#steps()).filter(({ host, pid }) => host === thisHost() && pids.has(pid));
    if (steps.length === 0) return new Set();
    const ids = [...new Set(steps.map(({ id }) => id))];
    const words = [`--signal=${signal.slice('SIG'.length)}`, ...ids];
    const answer = await askSlurm('scancel', words, this.#env, patienceMs);
    return new Set(answer === undefined ? [] : steps.map(({ pid }) => pid));
  }

  async #steps(): Promise<RunningStep[]> {
    const asked = jobIdsOf(this.#env).map((id) => askSlurm('scontrol', ['show', 'step', id], this.#env, patienceMs));
    return (await Promise.all(asked)).flatMap((text) => readRunningSteps(text ?? ''));
  }
}
