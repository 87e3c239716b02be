import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import type { Readable } from 'node:stream';
import type { BackendName } from '../../../../ml/backends.js';
import { cutOutputs } from '../batching.js';
import { InferenceError, type InferenceProblem } from '../inference-error.js';
import type { ModelNames, ScriptCall, SessionSettings } from '../messages.js';
import { type LoadedFacts, LoadedPrograms, notBegun, type Runner, type RunResult, RunWatch } from '../runner.js';
import type { ByteSource, TensorSource } from '../tensor.js';
import { encodeFrame, FrameReader, type IncomingFrame, type OutgoingFrame, operations } from './frames.js';
import { workerCommand } from './probe.js';
import { gatheredInputs, inputsInPlace } from './written-inputs.js';

/** Options of a worker process. */
export interface WorkerStart {
  /** Absolute path. */
  readonly python: string;
  readonly framework: BackendName;
  readonly device: string;
  /** 0 leaves the choice to the framework. */
  readonly intraOpThreads: number;
  readonly interOpThreads: number;
  /** Microseconds for which it looks for the next request before it sleeps. */
  readonly busyPollMicros: number;
  readonly runLimitMs: number;
  /** Called once, when it has ended by itself. */
  readonly onDeath: (worker: WorkerProcess) => void;
  readonly log: (level: 'info' | 'warn', message: string) => void;
}

/** Facts of a worker process that runs. */
export interface WorkerFacts {
  readonly pid: number;
  readonly framework: BackendName;
  readonly device: string;
  readonly python: string;
  /** Package and version of the framework; undefined until it is ready. */
  readonly package: string | undefined;
  readonly version: string | undefined;
  readonly models: number;
  readonly runs: number;
  /** Memory that it takes, in bytes. */
  readonly residentBytes: number;
}

interface Pending {
  readonly resolve: (frame: IncomingFrame) => void;
  readonly reject: (error: Error) => void;
}

interface Ready {
  readonly framework: string;
  readonly version: string;
}

/** Milliseconds in which a worker has to be ready: on a busy parallel file system importing a framework takes minutes. */
const startMs = 600_000;
/** Longest time for loading a model, as a multiple of that for a run. */
const loadFactor = 5;
/** Milliseconds in which a worker that is closed may end what it does. */
const closeMs = 2000;
/** Frames up to this size are written in one piece. */
const onePieceBytes = 16 * 1024;

/** A process with a framework in it, which loads and runs its programs. This thread talks to it over a pair of sockets. */
export class WorkerProcess implements Runner {
  readonly #start: WorkerStart;
  readonly #child: ChildProcess;
  readonly #socket: Socket;
  readonly #watch: RunWatch;
  readonly #pending = new Map<number, Pending>();
  readonly #programs = new LoadedPrograms();
  readonly #ended: Promise<void>;
  readonly #starting: NodeJS.Timeout;
  occupied = 0;
  #nextId = 1;
  #runs = 0;
  #ready: Ready | undefined;
  /** Reason for which it does nothing any more. */
  #dead: InferenceError | undefined;
  #closing = false;
  #lastWords = '';
  /** Those who wait until it is ready. */
  readonly #waiting = new Set<(error?: InferenceError) => void>();

  constructor(start: WorkerStart) {
    this.#start = start;
    this.#watch = new RunWatch(start.runLimitMs, () => this.#giveUp(), loadFactor * start.runLimitMs);
    this.#watch.pause();
    this.#starting = setTimeout(() => this.#die(`it was not ready after ${startMs / 1000} s`), startMs).unref();
    const { framework, device, intraOpThreads, interOpThreads, busyPollMicros } = start;
    const { path, folder, environment } = workerCommand(start.python);
    this.#child = spawn(
      path,
      [
        ...['-B', '-m', 'simwright.worker', '--backend', framework, '--device', device],
        ...['--intra', String(intraOpThreads), '--inter', String(interOpThreads)],
        ...['--busy-poll', String(busyPollMicros)],
      ],
      // The output of models is logged with the worker's errors. The fourth is a pair of sockets that nobody else can reach.
      { cwd: folder, env: environment, stdio: ['ignore', 'pipe', 'pipe', 'pipe'] },
    );
    this.#socket = this.#child.stdio[3] as Socket;
    const reader = new FrameReader((frame) => this.#onFrame(frame));
    this.#socket.on('data', (chunk: Buffer) => {
      try {
        reader.read(chunk);
      } catch (error) {
        this.#die(`it sent something else than frames: ${(error as Error).message}`);
      }
    });
    this.#socket.on('error', () => undefined);
    for (const output of [this.#child.stdout, this.#child.stderr]) this.#listen(output as Readable);
    this.#ended = this.#whenEnded();
  }

  /** Settles when it can run programs. Rejects with InferenceError if it cannot. */
  ready(): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (error?: InferenceError) => (error === undefined ? resolve() : reject(error));
      if (this.#dead !== undefined || this.#ready !== undefined) settle(this.#dead);
      else this.#waiting.add(settle);
    });
  }

  #tellWaiting(error?: InferenceError): void {
    for (const settle of this.#waiting) settle(error);
    this.#waiting.clear();
  }

  get dead(): boolean {
    return this.#dead !== undefined;
  }

  readonly isStuck = false;

  has(program: number): boolean {
    return this.#programs.has(program);
  }

  facts(): WorkerFacts {
    const { framework, device, python } = this.#start;
    const pid = this.#child.pid ?? 0;
    const versions = { package: this.#ready?.framework, version: this.#ready?.version };
    const counts = { models: this.#programs.size, runs: this.#runs, residentBytes: residentBytesOf(pid) };
    return { pid, framework, device, python, ...versions, ...counts };
  }

  async load(program: number, bytes: ByteSource, settings: SessionSettings): Promise<LoadedFacts> {
    const started = performance.now();
    const { kind, inputs, outputs } = settings;
    const here = bytes.peek();
    const loan = here === undefined ? await bytes.borrow() : undefined;
    const data = here?.bytes ?? new Uint8Array(loan?.buffer ?? new ArrayBuffer(0));
    const release = () => (here === undefined ? loan?.giveBack(loan.buffer) : here.release());
    const frame = { op: operations.load, model: program, info: { kind, inputs, outputs }, data };
    const answer = await this.#ask(undefined, frame, release);
    this.#programs.add(program);
    return { ...(answer.info as ModelNames), micros: Math.round((performance.now() - started) * 1000) };
  }

  async run(
    program: number,
    requests: readonly (readonly TensorSource[])[],
    sizes: readonly number[],
    call?: ScriptCall,
  ): Promise<RunResult[]> {
    const { tensors, release } = inputsInPlace(requests) ?? (await gatheredInputs(requests));
    const answer = await this.#ask(program, { op: operations.run, model: program, tensors, info: call }, release);
    this.#runs += 1;
    const { micros } = answer.info as { micros: number };
    const outputs = sizes.length > 1 ? cutOutputs(answer.outputs, sizes) : [answer.outputs];
    return outputs.map((own) => ({ outputs: own.map((output) => output ?? undefined), micros }));
  }

  endSoon(program: number): void {
    this.#watch.endSoon(program);
  }

  onUnload(program: number, done: () => void): void {
    if (this.dead) done();
    else this.#programs.onUnload(program, done);
  }

  unload(program: number): void {
    this.#watch.forget(program);
    if (!this.#programs.delete(program) || this.dead) return;
    this.#write({ op: operations.unload, id: 0, model: program }, () => undefined);
  }

  async close(): Promise<void> {
    this.#closing = true;
    if (this.#pending.size > 0 && !this.dead) {
      const done = Promise.allSettled([...this.#pending.values()].map(settled));
      let timer: NodeJS.Timeout | undefined;
      await Promise.race([
        done,
        new Promise((resolve) => {
          timer = setTimeout(resolve, closeMs);
        }),
      ]);
      clearTimeout(timer);
    }
    this.#child.ref();
    this.#kill();
    await this.#ended;
  }

  #ask(program: number | undefined, frame: Omit<OutgoingFrame, 'id'>, release: () => void): Promise<IncomingFrame> {
    return new Promise((resolve, reject) => {
      if (this.#dead !== undefined) {
        release();
        reject(this.#dead);
        return;
      }
      const id = this.#nextId;
      this.#nextId = (this.#nextId % 0xffff_ffff) + 1;
      this.#pending.set(id, { resolve, reject });
      this.#watch.begin(id, program);
      this.#write({ ...frame, id }, release);
    });
  }

  /** Calls `done` when the bytes are no longer needed. */
  #write(frame: OutgoingFrame, done: () => void): void {
    const pieces = encodeFrame(frame);
    const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
    if (pieces.length === 1 || length <= onePieceBytes) {
      this.#socket.write(Buffer.concat(pieces));
      done();
      return;
    }
    this.#socket.cork();
    for (const [index, piece] of pieces.entries())
      this.#socket.write(piece, index === pieces.length - 1 ? done : undefined);
    this.#socket.uncork();
  }

  #onFrame(frame: IncomingFrame): void {
    if (frame.op === operations.ready) {
      this.#ready = frame.info as Ready;
      clearTimeout(this.#starting);
      this.#watch.resume();
      this.#letNodeEnd();
      const { framework, device } = this.#start;
      const { framework: name, version } = this.#ready;
      this.#start.log('info', `${framework} worker ${this.#child.pid} on ${device} runs ${name} ${version}`);
      this.#tellWaiting();
      return;
    }
    const failure = frame.op === operations.failed ? asError(frame.info) : undefined;
    if (frame.id === 0 && failure !== undefined) {
      this.#end(failure, failure);
      return;
    }
    const pending = this.#pending.get(frame.id);
    this.#pending.delete(frame.id);
    this.#watch.end(frame.id);
    if (failure === undefined) pending?.resolve(frame);
    else pending?.reject(failure);
  }

  /** The run that it does has taken too long. */
  #giveUp(): void {
    const errors = [...this.#watch.errorsWhenLate()];
    for (const [id, error] of errors) {
      this.#pending.get(id)?.reject(error);
      this.#pending.delete(id);
    }
    this.#die('one of its models took too long');
  }

  #die(why: string): void {
    const { framework } = this.#start;
    const words = this.#lastWords === '' ? '' : `; it said: ${this.#lastWords}`;
    const text = `the ${framework} worker (process ${this.#child.pid ?? 'none'}) has ended: ${why}${words}`;
    this.#end(new InferenceError('failed', text), notBegun());
  }

  /** The request that it worked on gets the first error, those that waited the second. */
  #end(first: InferenceError, others: InferenceError): void {
    if (this.#dead !== undefined) return;
    this.#dead = first;
    clearTimeout(this.#starting);
    this.#watch.stop();
    let error = first;
    for (const { reject } of this.#pending.values()) {
      reject(error);
      error = others;
    }
    this.#pending.clear();
    this.#programs.clear();
    this.#tellWaiting(first);
    this.#kill();
    if (!this.#closing) this.#start.onDeath(this);
  }

  #kill(): void {
    this.#child.kill('SIGKILL');
    this.#socket.destroy();
  }

  /** Settles when the process has ended and all that it sent has been read. */
  async #whenEnded(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#socket.once('close', () => resolve()));
    const why = await new Promise<string>((resolve) => {
      this.#child.once('error', (error) => resolve(error.message));
      this.#child.once('exit', (code, signal) =>
        resolve(signal === null ? `it ended with code ${code}` : `it was killed by ${signal}`),
      );
    });
    if (this.#child.pid === undefined) this.#socket.destroy();
    await closed;
    this.#die(why);
  }

  /** Logs what it prints, and keeps the last line. */
  #listen(output: Readable): void {
    let rest = '';
    output.setEncoding('utf8');
    output.on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = (lines.pop() ?? '').slice(-longestLine);
      for (const line of lines) {
        if (line.trim() === '') continue;
        this.#lastWords = line.trim().slice(0, longestLine);
        this.#start.log('info', `${this.#start.framework} worker ${this.#child.pid}: ${line.slice(0, longestLine)}`);
      }
    });
    output.on('error', () => undefined);
  }

  /** Before it is ready nothing else may hold a store that waits for it. */
  #letNodeEnd(): void {
    this.#child.unref();
    for (const stream of this.#child.stdio) (stream as Socket | null)?.unref?.();
  }
}

const longestLine = 500;

function settled(pending: Pending): Promise<void> {
  return new Promise((resolve) => {
    const { resolve: succeed, reject: fail } = pending;
    Object.assign(pending, {
      resolve: (frame: IncomingFrame) => {
        succeed(frame);
        resolve();
      },
      reject: (error: Error) => {
        fail(error);
        resolve();
      },
    });
  });
}

function asError(info: unknown): InferenceError {
  const { problem, message } = info as { problem: InferenceProblem; message: string };
  return new InferenceError(problem, message);
}

/** Memory that a process takes, in bytes; 0 if it has gone. */
function residentBytesOf(pid: number): number {
  try {
    const kilobytes = /^VmRSS:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
    return Number(kilobytes ?? 0) * 1024;
  } catch {
    return 0;
  }
}
