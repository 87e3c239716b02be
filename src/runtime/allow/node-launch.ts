import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { Tail } from '../supervisor/tail.js';
import { parseTold, type ToldAddresses } from './told-addresses.js';

/** Milliseconds between SIGTERM and SIGKILL for a launcher that takes too long, and for the last output of one that has ended. */
const patience = { killMs: 2000, outputMs: 500 };

/** A launch of a task on each of several nodes, each of which tells its addresses. */
export class NodeLaunch {
  readonly #child: ChildProcess;
  readonly #tail = new Tail();
  #how: readonly string[] = [];
  #isEnded = false;
  /** Resolves when the launcher has ended, however it did. */
  readonly ended: Promise<void>;

  constructor(
    [program = '', ...words]: readonly string[],
    { cwd, env, onTold }: { cwd: string; env: NodeJS.ProcessEnv; onTold: (told: ToldAddresses) => void },
  ) {
    // A process group of its own, so that a launcher and what it started end together.
    this.#child = spawn(program, words, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    const { stdout, stderr } = this.#child;
    stderr?.setEncoding('utf8').on('data', (text: string) => this.#tail.add(text));
    if (stdout !== null) {
      createInterface({ input: stdout }).on('line', (line) => {
        const told = parseTold(line);
        if (told === undefined) this.#tail.add(`${line}\n`);
        else onTold(told);
      });
    }
    this.ended = new Promise<void>((resolve) => {
      this.#child.once('error', (error) => {
        this.#tail.add(`${error.message}\n`);
        resolve();
      });
      this.#child.once('exit', (code, signal) => {
        this.#how = code === 0 ? [] : [`${program}: ${signal ?? `exit code ${code}`}`];
        // Processes that a killed launcher has left may keep its output open.
        setTimeout(resolve, patience.outputMs);
      });
      this.#child.once('close', resolve);
    }).then(() => {
      this.#isEnded = true;
    });
  }

  /** Lines that tell most about what went wrong. */
  get complaint(): readonly string[] {
    return [...this.#tail.lines(3), ...this.#how];
  }

  /** Ends the launcher, and what it has started here. */
  async stop(): Promise<void> {
    if (this.#isEnded) return;
    this.#kill('SIGTERM');
    const timer = setTimeout(() => this.#kill('SIGKILL'), patience.killMs);
    await this.ended;
    clearTimeout(timer);
  }

  #kill(signal: NodeJS.Signals): void {
    try {
      if (this.#child.pid !== undefined) process.kill(-this.#child.pid, signal);
    } catch {
      // It has just ended.
    }
  }
}
