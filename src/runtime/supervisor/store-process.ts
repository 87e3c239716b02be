import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { WorkflowError } from '../../diagnostics/index.js';
import type { Store } from '../../ir/index.js';
import type { JobEnvironment } from '../job/job-environment.js';
import { storeJobFolder } from '../job/paths.js';
import type { StoreAddress } from '../store-files/store-address.js';
import { readJsonLines } from './json-lines.js';
import { fromWire, StoreWord } from './messages.js';
import { Tail } from './tail.js';

/** Start of a store. */
export interface StoreLaunch {
  readonly store: Store;
  /** Words before the store's own command line; empty: it is a child of the supervisor. */
  readonly launch: readonly string[];
  /** The runtime's own command line: Node and the bundle. */
  readonly runtime: readonly string[];
  readonly onnxRuntime: string | undefined;
  /** Python for workers: a program of the PATH, or an absolute path. */
  readonly python: string | undefined;
  readonly env: Readonly<Record<string, string>>;
  /** Overrides the plan's port. */
  readonly port: number | undefined;
}

/** How a store ends that is told to: in order. */
const toldToEnd = 'exit code 0';

type Node = StoreAddress['nodes'][number];

/** Milliseconds for a store to end, or to say that it saves, and after SIGTERM. */
const patience = { closeMs: 5000, terminateMs: 5000 };

/** A store's processes, one a node: they live as long as the pipe that this object holds to them. */
export class StoreProcess {
  readonly #child: ChildProcess;
  readonly name: string;
  /** Identity of this start of the store. */
  readonly id = randomBytes(8).toString('hex');
  readonly #expected: number;
  readonly #writesAtEnd: boolean;
  readonly #tail = new Tail();
  readonly #log: number;
  readonly #nodes: Node[] = [];
  readonly #ended: Promise<void>;
  #problem: WorkflowError | undefined;
  #how = 'no reason is known';
  #changed: () => void = () => {};
  #running = true;
  #isSaving = false;
  /** Nodes that have saved. */
  #saved = 0;
  readonly #notSaved: string[] = [];

  constructor(job: JobEnvironment, launch: StoreLaunch) {
    const { store } = launch;
    const folder = storeJobFolder(job, store.name);
    mkdirSync(folder, { recursive: true });
    this.#log = openSync(join(folder, 'launch.log'), 'a');
    this.name = store.name;
    this.#writesAtEnd = store.kind === 'standalone' && store.saveAtEnd.length > 0;
    this.#expected = store.kind === 'colocated' ? store.nodes : 1;
    const [program = '', ...args] = [
      ...launch.launch,
      ...launch.runtime,
      'store',
      store.name,
      '--id',
      this.id,
      ...(launch.port === undefined ? [] : ['--port', String(launch.port)]),
      ...(launch.onnxRuntime === undefined ? [] : ['--onnxruntime', launch.onnxRuntime]),
      ...(launch.python === undefined ? [] : ['--python', launch.python]),
    ];
    // A process group of its own, so that a launcher and what it started end together.
    this.#child = spawn(program, args, {
      cwd: job.dir,
      env: { ...launch.env },
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
    });
    this.#child.stdin?.on('error', () => {});
    if (this.#child.stdout !== null) {
      readJsonLines(
        this.#child.stdout,
        (value) => this.#onWord(value),
        (line) => this.#note(`${line}\n`),
      );
    }
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => this.#note(text));
    this.#ended = new Promise((resolve) => {
      this.#child.once('error', (error) => {
        this.#problem ??= new WorkflowError({
          code: 'RUN1010',
          message: `${program}, which starts store '${store.name}', cannot be started: ${error.message}`,
        });
        this.#end(resolve);
      });
      this.#child.once('close', (code, signal) => {
        this.#how = signal ?? `exit code ${code}`;
        this.#problem ??= this.#didNotStart();
        this.#end(resolve);
      });
    });
  }

  /** Resolves with the nodes when all have answered, their models loaded; rejects when one does not. */
  async ready(): Promise<readonly Node[]> {
    while (this.#nodes.length < this.#expected && this.#problem === undefined) {
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
      });
    }
    if (this.#problem !== undefined) throw this.#problem;
    return [...this.#nodes].sort((a, b) => (a.host < b.host ? -1 : 1));
  }

  /** Resolves when the store has ended, for whatever reason. */
  get ended(): Promise<void> {
    return this.#ended;
  }

  /** Why the store ended by itself. */
  deathProblem(): WorkflowError {
    return new WorkflowError({
      code: 'RUN1005',
      message: [`store '${this.name}' died (${this.#how})`, ...this.#tail.lines(5)].join('\n  '),
      hint: `its log is run/stores/${this.name}/`,
    });
  }

  /** True if it ended without being told to. */
  get crashed(): boolean {
    return !this.#running && this.#how !== toldToEnd;
  }

  /**
   * Ends the store: closes its pipe, then SIGTERM, then SIGKILL. One that writes what it is to leave behind has `saveMs` milliseconds for it.
   * Returns why it has not saved on every node, if so.
   */
  async stop(saveMs: number | Promise<number>): Promise<string | undefined> {
    this.#child.stdin?.end();
    const isEnded =
      (await this.#endsWithin(this.#writesAtEnd ? await saveMs : patience.closeMs)) ||
      (this.#isSaving && (await this.#endsWithin(await saveMs)));
    if (!isEnded) {
      this.#kill('SIGTERM');
      if (!(await this.#endsWithin(patience.terminateMs))) this.#kill('SIGKILL');
      await this.#ended;
    }
    if (this.#saved === this.#expected) return undefined;
    if (this.#notSaved.length > 0) return [...new Set(this.#notSaved)].join('; ');
    return isEnded ? `it ended before (${this.#how})` : 'it was not ready in the time that was left';
  }

  #onWord(value: unknown): void {
    const word = StoreWord.safeParse(value);
    if (!word.success) this.#note(`${JSON.stringify(value)}\n`);
    else if ('ready' in word.data) this.#nodes.push(word.data.ready);
    else if ('saving' in word.data) this.#isSaving = true;
    else if ('saved' in word.data) this.#saved++;
    else if ('notSaved' in word.data) this.#notSaved.push(word.data.notSaved.reason);
    else this.#problem ??= fromWire(word.data.failed);
    this.#changed();
  }

  #didNotStart(): WorkflowError {
    return new WorkflowError({
      code: 'RUN1004',
      message: [`store '${this.name}' did not start (${this.#how})`, ...this.#tail.lines(12)].join('\n  '),
      hint: `its log is run/stores/${this.name}/`,
    });
  }

  #note(text: string): void {
    this.#tail.add(text);
    if (this.#running) writeSync(this.#log, text);
  }

  #end(resolve: () => void): void {
    if (!this.#running) return;
    this.#running = false;
    closeSync(this.#log);
    this.#changed();
    resolve();
  }

  #kill(signal: NodeJS.Signals): void {
    if (!this.#running || this.#child.pid === undefined) return;
    try {
      process.kill(-this.#child.pid, signal);
    } catch {
      // It has just ended.
    }
  }

  #endsWithin(milliseconds: number): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), milliseconds);
      void this.#ended.then(() => {
        clearTimeout(timer);
        resolve(true);
      });
    });
  }
}
