import { setImmediate as nextTurn } from 'node:timers/promises';
import type { GentleSignal, StepQueries } from '../../../targets/queries.js';
import { thisHost } from '../../job/job-environment.js';
import { runCommand } from '../../scheduler/run-command.js';
import { patienceMs, runningSteps } from './running-steps.js';

/** A signal to several applications, so that the scheduler is asked once for all of them. */
interface Round {
  readonly pids: Set<number>;
  /** The process ids whose tasks the scheduler has been asked to signal. */
  readonly told: Promise<ReadonlySet<number>>;
}

/**
 * Signals the tasks of steps through their scheduler, where the launcher would not hand the signal on. A step is known by the process id of
 * its launcher, so that its name, and what else the application starts, do not matter.
 */
export class StepSignaller {
  readonly #steps: StepQueries;
  readonly #env: NodeJS.ProcessEnv;
  readonly #rounds = new Map<GentleSignal, Round>();

  /** `env` is the job's environment. */
  constructor(steps: StepQueries, env: NodeJS.ProcessEnv) {
    this.#steps = steps;
    this.#env = env;
  }

  /** Signals the tasks of the launcher with that process id; false if that is not possible, and the launcher itself must be told. */
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
   * A job that the scheduler itself is ending refuses the signal: its tasks have had it. So what counts is that the step is there, and not what
   * the command says.
   */
  async #signal(pids: ReadonlySet<number>, signal: GentleSignal): Promise<ReadonlySet<number>> {
    const steps = (await runningSteps(this.#steps, this.#env)).filter(
      ({ host, pid }) => host === thisHost() && pids.has(pid),
    );
    if (steps.length === 0) return new Set();
    const ids = [...new Set(steps.map(({ id }) => id))];
    const answer = await runCommand(this.#steps.signal(signal, ids), this.#env, patienceMs);
    return new Set(answer === undefined ? [] : steps.map(({ pid }) => pid));
  }
}
