import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { umaskOfJob } from '../../job/private-files.js';
import { codeMark, pidMark, readyLine, workerName, workerProgram } from './worker-program.js';

/**
 * A bash that starts one application after another. Its small memory makes that several times cheaper than a child of Node. It ends
 * with its standard input, so with this process.
 */
export class BashWorker {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #ended: Promise<unknown>;
  readonly #lines: string[] = [];
  #rest = '';
  #hasGone = false;
  #wake: () => void = () => {};

  private constructor(env: NodeJS.ProcessEnv) {
    // Neither start-up files (bash takes a socket as standard input for a login over the network) nor, with -p, BASH_ENV and functions
    // from the environment. Applications get these variables all the same.
    const umask = umaskOfJob();
    const args = ['--norc', '-p', '-c', workerProgram, workerName, ...(umask === undefined ? [] : [umask.toString(8)])];
    this.#child = spawn('bash', args, { env, stdio: ['pipe', 'pipe', 'ignore'], detached: true });
    const gone = () => {
      this.#hasGone = true;
      this.#wake();
    };
    this.#ended = new Promise((resolve) => {
      this.#child.on('error', gone).on('error', resolve).on('exit', resolve);
    });
    this.#child.stdin.on('error', () => {});
    this.#child.stdout.setEncoding('latin1');
    this.#child.stdout.on('data', (text: string) => this.#read(text));
    this.#child.stdout.on('close', gone);
  }

  /** Starts one with the job's environment; `undefined` when there is no bash, or an old one. */
  static async start(env: NodeJS.ProcessEnv): Promise<BashWorker | undefined> {
    const worker = new BashWorker(env);
    return (await worker.#next()) === readyLine ? worker : undefined;
  }

  get hasGone(): boolean {
    return this.#hasGone;
  }

  /**
   * Asks for an application. The number is its process id, then its exit code; `undefined` when the worker has gone, or what was to become
   * the application has ended before it was one.
   */
  async run(words: readonly string[]): Promise<{ pid: number; code: Promise<number | undefined> } | undefined> {
    this.#child.stdin.write(`${[words.length, ...words].join('\0')}\0`);
    const pid = numberAfter(pidMark, await this.#next());
    return pid === undefined ? undefined : { pid, code: this.#next().then((line) => numberAfter(codeMark, line)) };
  }

  /** Waits for its end, which comes once its application has ended. */
  async close(): Promise<void> {
    this.#child.stdin.end();
    await this.#ended;
  }

  async #next(): Promise<string | undefined> {
    while (this.#lines.length === 0 && !this.#hasGone) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#lines.shift();
  }

  #read(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    this.#lines.push(...lines);
    this.#wake();
  }
}

function numberAfter(mark: string, line: string | undefined): number | undefined {
  return line?.startsWith(mark) ? Number(line.slice(mark.length)) : undefined;
}
