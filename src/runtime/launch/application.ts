import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { groupLives } from '../job/process-identity.js';
import type { StopRequest } from './stop-request.js';

/** How an application is started. */
export interface ApplicationLaunch {
  readonly line: readonly string[];
  readonly directory: string;
  /** Its output goes to NAME.out and NAME.err in the directory. */
  readonly name: string;
  readonly env: NodeJS.ProcessEnv;
  /** Milliseconds between SIGTERM and SIGKILL. */
  readonly killAfterMs: number;
}

/** How an application ended. */
export interface ApplicationEnd {
  /** Exit code; 128 + n when signal n ended it. */
  readonly exit: number;
  readonly signal: NodeJS.Signals | undefined;
  /** It was told to end before it did. */
  readonly wasStopped: boolean;
}

/** Milliseconds between an SIGINT and the SIGTERM that follows it: some launchers only report at the first. */
const termAfterIntMs = 2000;

/** Milliseconds in which the news that the job is to end follows an application's own end. */
const newsMs = 500;

/** A running application: a process group of its own. */
export class Application {
  readonly #child: ChildProcess;
  readonly #launch: ApplicationLaunch;
  readonly #passedOn = new Set<NodeJS.Signals>();

  private constructor(child: ChildProcess, launch: ApplicationLaunch) {
    this.#child = child;
    this.#launch = launch;
  }

  /** Starts it; rejects with the system's error when that is not possible. */
  static async start(launch: ApplicationLaunch): Promise<Application> {
    const out = openSync(join(launch.directory, `${launch.name}.out`), 'w', 0o644);
    const err = openSync(join(launch.directory, `${launch.name}.err`), 'w', 0o644);
    const [program = '', ...args] = launch.line;
    try {
      const child = spawn(program, args, {
        cwd: launch.directory,
        env: launch.env,
        stdio: ['ignore', out, err],
        detached: true,
      });
      if (child.pid === undefined) await new Promise((_, reject) => child.once('error', reject));
      return new Application(child, launch);
    } finally {
      closeSync(out);
      closeSync(err);
    }
  }

  /** Sends a signal to the whole group. */
  signal(signal: NodeJS.Signals): void {
    this.#passedOn.add(signal);
    this.#kill(signal);
  }

  /** Waits for the end; at a stop request tells the group to end, and makes it after a while. */
  async ended(stop: StopRequest): Promise<ApplicationEnd> {
    let stopping: Promise<void> | undefined;
    const withdraw = stop.onRequest((reason) => {
      stopping = this.#terminate(reason.kind === 'signal' && reason.signal === 'SIGINT');
    });
    const { code, signal } = await new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
      if (this.#child.exitCode !== null || this.#child.signalCode !== null) {
        resolve({ code: this.#child.exitCode, signal: this.#child.signalCode });
      }
      this.#child.once('exit', (code, signal) => resolve({ code, signal }));
    });
    // A scheduler that cancels a job may reach the application before the script, and us through it.
    if (stopping === undefined && looksTold(code, signal)) await stopWithin(stop, newsMs);
    withdraw();
    await stopping;
    const wasStopped = stopping !== undefined || (signal !== null && this.#passedOn.has(signal));
    return { exit: code ?? 128 + signalNumber(signal), signal: signal ?? undefined, wasStopped };
  }

  /** SIGINT (then SIGTERM), or SIGTERM; SIGKILL to what is left of the group after a while. */
  async #terminate(gently: boolean): Promise<void> {
    if (gently) {
      this.#kill('SIGINT');
      if (await this.#groupEndsWithin(termAfterIntMs)) return;
    }
    this.#kill('SIGTERM');
    if (await this.#groupEndsWithin(this.#launch.killAfterMs)) return;
    this.#kill('SIGKILL');
  }

  async #groupEndsWithin(milliseconds: number): Promise<boolean> {
    const end = performance.now() + milliseconds;
    let pause = 5;
    while (this.#child.pid !== undefined && groupLives(this.#child.pid)) {
      if (performance.now() >= end) return false;
      await sleep(Math.min(pause, 100));
      pause *= 2;
    }
    return true;
  }

  #kill(signal: NodeJS.Signals): void {
    try {
      if (this.#child.pid !== undefined) process.kill(-this.#child.pid, signal);
    } catch {
      // The group has just ended.
    }
  }
}

/** Whether an end looks like that of an application that was told to end, by whomever. */
function looksTold(code: number | null, signal: NodeJS.Signals | null): boolean {
  const told = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGKILL'] as const;
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
