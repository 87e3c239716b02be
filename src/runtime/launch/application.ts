import { constants } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { GentleSignal } from '../../targets/queries.js';
import { groupLives } from '../job/process-identity.js';
import type { ProcessEnd, StartedProcess } from './starters/index.js';
import type { StepSignaller } from './steps/step-signaller.js';
import type { StopRequest } from './stop-request.js';

/** End of an application. */
export interface ApplicationEnd {
  /** Exit code; 128 + n when signal n ended it. */
  readonly exit: number;
  readonly signal: NodeJS.Signals | undefined;
  /** It was told to end before it did. */
  readonly wasStopped: boolean;
  /** Why it was, where that is not a stop request. */
  readonly reason?: string;
}

/** Milliseconds between an SIGINT and the SIGTERM that follows it: some launchers only report at the first. */
const termAfterIntMs = 2000;

/** Milliseconds that a launcher gets to kill its tasks. */
const launcherKillsMs = 2000;

/** Milliseconds in which the news that the job is to end follows an application's own end. */
const newsMs = 500;

/** A running application: a process group of its own. */
export class Application {
  readonly #process: StartedProcess;
  readonly #killAfterMs: number;
  readonly #signaller: StepSignaller | undefined;
  readonly #passedOn = new Set<NodeJS.Signals>();

  /** `killAfterMs` are the milliseconds between SIGTERM and SIGKILL; `signaller` reaches tasks that signals to the group do not. */
  constructor(process_: StartedProcess, killAfterMs: number, signaller?: StepSignaller) {
    this.#process = process_;
    this.#killAfterMs = killAfterMs;
    this.#signaller = signaller;
  }

  /** Sends a signal to the whole group. */
  signal(signal: NodeJS.Signals): void {
    this.#passedOn.add(signal);
    this.#kill(signal);
  }

  /**
   * Waits for the end; at a stop request tells the group to end, and makes it after a while. Rejects with the system's error when the
   * program could not be executed after all.
   */
  async ended(stop: StopRequest): Promise<ApplicationEnd> {
    let stopping: Promise<void> | undefined;
    const withdraw = stop.onRequest((reason) => {
      stopping = this.#terminate(reason.kind === 'signal' && reason.signal === 'SIGINT');
    });
    try {
      const end = await this.#process.ended;
      if (end === undefined) {
        await (stopping ?? this.#terminate(false));
        return { exit: 137, signal: undefined, wasStopped: true, reason: 'the shell that started it has gone' };
      }
      const { code, signal } = end;
      // A scheduler that cancels a job may reach the application before the script, and us through it.
      if (stopping === undefined && looksTold(end)) await stopWithin(stop, newsMs);
      const wasStopped = stopping !== undefined || (signal !== null && this.#passedOn.has(signal));
      return { exit: code ?? 128 + signalNumber(signal), signal: signal ?? undefined, wasStopped };
    } finally {
      withdraw();
      await stopping;
    }
  }

  /** SIGINT (then SIGTERM), or SIGTERM; SIGKILL to what is left of the group after a while. */
  async #terminate(gently: boolean): Promise<void> {
    if (gently) {
      await this.#tell('SIGINT');
      if (await this.#groupEndsWithin(termAfterIntMs)) return;
    }
    const isByScheduler = await this.#tell('SIGTERM');
    if (await this.#groupEndsWithin(this.#killAfterMs)) return;
    if (isByScheduler) {
      this.#kill('SIGTERM');
      if (await this.#groupEndsWithin(launcherKillsMs)) return;
    }
    this.#kill('SIGKILL');
  }

  /** Through the scheduler, else to the whole group; true if it was the scheduler. */
  async #tell(signal: GentleSignal): Promise<boolean> {
    const isByScheduler = (await this.#signaller?.tell(this.#process.pid, signal)) ?? false;
    if (!isByScheduler) this.#kill(signal);
    return isByScheduler;
  }

  async #groupEndsWithin(milliseconds: number): Promise<boolean> {
    const end = performance.now() + milliseconds;
    let pause = 5;
    while (groupLives(this.#process.pid)) {
      if (performance.now() >= end) return false;
      await sleep(Math.min(pause, 100));
      pause *= 2;
    }
    return true;
  }

  #kill(signal: NodeJS.Signals): void {
    try {
      process.kill(-this.#process.pid, signal);
    } catch {
      // The group has just ended.
    }
  }
}

/** True if an end looks like that of an application that was told to end. */
function looksTold({ code, signal }: ProcessEnd): boolean {
  const told = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR2', 'SIGKILL'] as const;
  return told.some((one) => signal === one || code === 128 + signalNumber(one));
}

function stopWithin(stop: StopRequest, milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    stop.onRequest(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}

function signalNumber(signal: NodeJS.Signals | null): number {
  return signal === null ? 0 : constants.signals[signal];
}
