import { performance } from 'node:perf_hooks';
import { Worker } from 'node:worker_threads';
import { putBack } from '../memory/spare-buffers.js';
import type { ModelNames } from './backend.js';
import { cutOutputs } from './batching.js';
import { gatherInputs } from './gather-inputs.js';
import { InferenceError } from './inference-error.js';
import type { InferenceAnswer, InferenceRequest, InferenceWorkerData, SessionSettings } from './messages.js';
import type { ByteSource, Loan, ResultTensor, TensorSource } from './tensor.js';
import { startable } from './worker-url.js';

/** Names of a model's inputs and outputs, and how long loading it took. */
export interface LoadedFacts extends ModelNames {
  readonly micros: number;
}

/** Results of a run: outputs in the model's order, undefined where an output is no tensor. */
export interface RunResult {
  readonly outputs: readonly (ResultTensor | undefined)[];
  readonly micros: number;
}

type Finished = Extract<InferenceAnswer, { kind: 'loaded' | 'ran' }>;

interface Pending {
  /** The model that runs, undefined while one is loaded. */
  readonly model: number | undefined;
  readonly loans: Loan[];
  readonly resolve: (answer: Finished) => void;
  readonly reject: (error: Error) => void;
}

/** Milliseconds for which a run of a model that has been deleted may go on. */
const deletedRunMs = 5000;
/** Milliseconds in which a thread that is closed may end what it does. */
const closeMs = 2000;

/** One inference thread as seen from outside. It does one thing after the other. */
export class InferenceThread {
  readonly #worker: Worker;
  readonly #runLimitMs: number;
  readonly #pending = new Map<number, Pending>();
  readonly #models = new Set<number>();
  readonly #deleted = new Set<number>();
  readonly #onUnload = new Map<number, () => void>();
  /** Loans that runs which were given up still hold. */
  readonly #owed = new Map<number, Loan[]>();
  /** Number of its open requests; the caller keeps the count. */
  occupied = 0;
  #nextId = 1;
  #dead: Error | undefined;
  #ended = false;
  /** Time at which its current work began. */
  #begunMs = 0;
  #limit: NodeJS.Timeout | undefined;

  /** A run that takes longer than `runLimitMs` fails, and the thread is dead then. */
  constructor(workerUrl: URL, workerData: InferenceWorkerData, runLimitMs: number) {
    this.#runLimitMs = runLimitMs;
    this.#worker = new Worker(startable(workerUrl), { workerData, execArgv: [] });
    this.#worker.on('message', (answer: InferenceAnswer) => this.#onAnswer(answer));
    this.#worker.on('error', (error) => this.#die(error));
    this.#worker.on('exit', () => {
      this.#ended = true;
      this.#die(new Error('the thread has ended'));
    });
    this.#worker.unref();
  }

  get dead(): boolean {
    return this.#dead !== undefined;
  }

  /** True while it works although it is dead: nothing can end it before it is done. */
  get isStuck(): boolean {
    return this.dead && !this.#ended;
  }

  has(model: number): boolean {
    return this.#models.has(model);
  }

  async load(model: number, bytes: ByteSource, settings: SessionSettings): Promise<LoadedFacts> {
    const loan = await bytes.borrow();
    const answer = await this.#ask(undefined, [loan], (id) => ({
      kind: 'load',
      id,
      model,
      buffer: loan.buffer,
      settings,
    }));
    if (answer.kind !== 'loaded') throw unexpected();
    this.#models.add(model);
    const { inputs, outputs, inputTypes, micros } = answer;
    return { inputs, outputs, inputTypes, micros };
  }

  /** Runs the inputs of one or more requests, whose sizes are given, as one; a result for each. */
  async run(
    model: number,
    requests: readonly (readonly TensorSource[])[],
    sizes: readonly number[],
  ): Promise<RunResult[]> {
    const { inputs, loans } = await gatherInputs(requests);
    const answer = await this.#ask(model, loans, (id) => ({ kind: 'run', id, model, inputs, sizes }));
    if (answer.kind !== 'ran') throw unexpected();
    const { micros } = answer;
    const [whole, ...more] = answer.outputs;
    const outputs =
      whole !== undefined && more.length === 0 && sizes.length > 1 ? cutOutputs(whole, sizes) : answer.outputs;
    return outputs.map((own) => ({ outputs: own.map((output) => output ?? undefined), micros }));
  }

  /** The model has been deleted: its run, if there is one, may not go on for long. */
  endSoon(model: number): void {
    this.#deleted.add(model);
    clearTimeout(this.#limit);
    this.#limit = undefined;
    this.#watch();
  }

  /** Calls `done` once the model is unloaded, or the thread is dead. */
  onUnload(model: number, done: () => void): void {
    if (this.dead) done();
    else this.#onUnload.set(model, done);
  }

  unload(model: number): void {
    this.#deleted.delete(model);
    this.#onUnload.get(model)?.();
    this.#onUnload.delete(model);
    if (!this.#models.delete(model) || this.dead) return;
    this.#worker.postMessage({ kind: 'unload', model } satisfies InferenceRequest);
  }

  /** Ends it once what was asked is done; what takes longer than two seconds fails. */
  async close(): Promise<void> {
    if (this.#ended) return;
    // ONNX Runtime aborts the process when its thread is torn down in the middle of its work.
    this.#worker.ref();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, closeMs);
    });
    const ended = new Promise<void>((resolve) => this.#worker.once('exit', () => resolve()));
    if (!this.dead) this.#post({ kind: 'close' });
    await Promise.race([ended, late]);
    clearTimeout(timer);
    if (this.#ended) return;
    this.#worker.unref();
    this.#die(new Error('the orchestrator is closing'));
  }

  #post(request: InferenceRequest): void {
    this.#worker.postMessage(request);
  }

  #ask(
    model: number | undefined,
    loans: readonly Loan[],
    request: (id: number) => InferenceRequest,
  ): Promise<Finished> {
    return new Promise((resolve, reject) => {
      if (this.#dead !== undefined) {
        for (const loan of loans) loan.giveBack(loan.buffer);
        reject(new InferenceError('failed', `the inference thread has failed: ${this.#dead.message}`));
        return;
      }
      const id = this.#nextId++;
      try {
        this.#worker.postMessage(
          request(id),
          loans.map(({ buffer }) => buffer),
        );
      } catch (error) {
        for (const loan of loans) loan.giveBack(loan.buffer);
        reject(new InferenceError('failed', `the inference thread cannot be reached: ${String(error)}`));
        return;
      }
      if (this.#pending.size === 0) this.#begunMs = performance.now();
      this.#pending.set(id, { model, loans: [...loans], resolve, reject });
      this.#watch();
    });
  }

  #onAnswer(answer: InferenceAnswer): void {
    const pending = this.#pending.get(answer.id);
    this.#giveBack(pending?.loans ?? this.#owed.get(answer.id) ?? [], answer.buffers);
    if (pending === undefined) return;
    if (answer.kind === 'returned') return;
    this.#pending.delete(answer.id);
    this.#begunMs = performance.now();
    if (answer.kind === 'ran') for (const buffer of answer.spare) putBack(buffer);
    if (answer.kind === 'failed') pending.reject(new InferenceError(answer.problem, answer.message));
    else pending.resolve(answer);
  }

  /** Buffers come back in the order in which the loans that are missed were given. */
  #giveBack(loans: Loan[], buffers: readonly ArrayBuffer[]): void {
    if (buffers.length === 0) return;
    for (const [index, loan] of loans
      .splice(0)
      .filter(({ missed }) => missed)
      .entries()) {
      loan.giveBack(buffers[index]);
    }
  }

  /** Looks after the run that it does now. To be told once of many runs costs less than a timer for each. */
  #watch(): void {
    const [first] = this.#pending.values();
    if (this.#limit !== undefined || first === undefined || this.dead) return;
    const limitMs = this.#limitOf(first);
    const leftMs = first.model === undefined ? limitMs : this.#begunMs + limitMs - performance.now();
    this.#limit = setTimeout(
      () => {
        this.#limit = undefined;
        const [now] = this.#pending.values();
        if (now?.model === undefined || performance.now() - this.#begunMs < this.#limitOf(now)) this.#watch();
        else this.#giveUp();
      },
      Math.min(leftMs, maxTimerMs),
    );
    this.#limit.unref();
  }

  #limitOf({ model }: Pending): number {
    const isDeleted = model !== undefined && this.#deleted.has(model);
    return isDeleted ? Math.min(deletedRunMs, this.#runLimitMs) : this.#runLimitMs;
  }

  /** The run that it does has taken too long: it fails, and what waits behind it is to go elsewhere. */
  #giveUp(): void {
    this.#dead ??= new Error('one of its models took too long');
    let error: InferenceError | undefined;
    for (const [id, { model, loans, reject }] of this.#pending) {
      const wasDeleted = model !== undefined && this.#deleted.has(model);
      error = error === undefined ? tooLong(wasDeleted ? undefined : this.#runLimitMs) : notBegun();
      this.#owed.set(id, loans);
      reject(error);
    }
    this.#pending.clear();
    // This ends a process of its own; a thread ends when its run does.
    this.#post({ kind: 'close' });
  }

  #die(error: Error): void {
    this.#dead ??= error;
    clearTimeout(this.#limit);
    for (const done of this.#onUnload.values()) done();
    this.#onUnload.clear();
    for (const loans of [...this.#owed.values(), ...[...this.#pending.values()].map(({ loans }) => loans)]) {
      for (const loan of loans.splice(0)) loan.giveBack(undefined);
    }
    for (const { reject } of this.#pending.values()) {
      reject(new InferenceError('failed', `the inference thread has failed: ${error.message}`));
    }
    this.#owed.clear();
    this.#pending.clear();
  }
}

function notBegun(): InferenceError {
  return new InferenceError('not-begun', 'the inference thread was given up');
}

function unexpected(): InferenceError {
  return new InferenceError('failed', 'unexpected answer from the inference thread');
}

/** The longest time that setTimeout takes. */
const maxTimerMs = 2 ** 31 - 1;

function tooLong(limitMs: number | undefined): InferenceError {
  const why =
    limitMs === undefined
      ? 'the model was deleted while it ran'
      : `the model ran longer than the execution time-out of ${limitMs} ms`;
  return new InferenceError('stopped', why);
}
