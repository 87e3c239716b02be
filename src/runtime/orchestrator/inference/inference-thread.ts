import { Worker } from 'node:worker_threads';
import { putBack } from '../memory/spare-buffers.js';
import { cutOutputs } from './batching.js';
import { gatherInputs } from './gather-inputs.js';
import { InferenceError } from './inference-error.js';
import type { InferenceAnswer, InferenceRequest, InferenceWorkerData, SessionSettings } from './messages.js';
import type { ByteSource, Loan, ResultTensor, TensorSource } from './tensor.js';
import { startable } from './worker-url.js';

/** What a model says of itself, and how long loading it took. */
export interface ModelFacts {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly micros: number;
}

/** What a run gives: outputs in the model's order, undefined where an output is no tensor. */
export interface RunResult {
  readonly outputs: readonly (ResultTensor | undefined)[];
  readonly micros: number;
}

type Finished = Extract<InferenceAnswer, { kind: 'loaded' | 'ran' }>;

interface Pending {
  readonly loans: Loan[];
  readonly resolve: (answer: Finished) => void;
  readonly reject: (error: Error) => void;
}

/** One inference thread as seen from outside. It does one thing after the other. */
export class InferenceThread {
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending>();
  readonly #models = new Set<number>();
  /** How many things it is asked for; kept by whoever asks. */
  occupied = 0;
  #nextId = 1;
  #dead: Error | undefined;

  constructor(workerUrl: URL, workerData: InferenceWorkerData) {
    this.#worker = new Worker(startable(workerUrl), { workerData, execArgv: [] });
    this.#worker.on('message', (answer: InferenceAnswer) => this.#onAnswer(answer));
    this.#worker.on('error', (error) => this.#die(error));
    this.#worker.on('exit', () => this.#die(new Error('the thread has ended')));
    this.#worker.unref();
  }

  get dead(): boolean {
    return this.#dead !== undefined;
  }

  has(model: number): boolean {
    return this.#models.has(model);
  }

  async load(model: number, bytes: ByteSource, settings: SessionSettings): Promise<ModelFacts> {
    const loan = await bytes.borrow();
    const answer = await this.#ask([loan], (id) => ({ kind: 'load', id, model, buffer: loan.buffer, settings }));
    if (answer.kind !== 'loaded') throw new InferenceError('ERR unexpected answer from the inference thread');
    this.#models.add(model);
    return { inputs: answer.inputs, outputs: answer.outputs, micros: answer.micros };
  }

  /** Runs the inputs of one or more requests, whose sizes are given, as one; a result for each. */
  async run(
    model: number,
    requests: readonly (readonly TensorSource[])[],
    sizes: readonly number[],
  ): Promise<RunResult[]> {
    const { inputs, loans } = await gatherInputs(requests);
    const answer = await this.#ask(loans, (id) => ({ kind: 'run', id, model, inputs, sizes }));
    if (answer.kind !== 'ran') throw new InferenceError('ERR unexpected answer from the inference thread');
    const { micros } = answer;
    const [whole, ...more] = answer.outputs;
    const outputs =
      whole !== undefined && more.length === 0 && sizes.length > 1 ? cutOutputs(whole, sizes) : answer.outputs;
    return outputs.map((own) => ({ outputs: own.map((output) => output ?? undefined), micros }));
  }

  unload(model: number): void {
    if (!this.#models.delete(model) || this.dead) return;
    this.#worker.postMessage({ kind: 'unload', model } satisfies InferenceRequest);
  }

  async close(): Promise<void> {
    if (this.dead) return;
    // ONNX Runtime aborts the process when its thread is torn down in the middle of its work.
    this.#worker.ref();
    const ended = new Promise<void>((resolve) => this.#worker.once('exit', () => resolve()));
    this.#worker.postMessage({ kind: 'close' } satisfies InferenceRequest);
    await ended;
  }

  #ask(loans: readonly Loan[], request: (id: number) => InferenceRequest): Promise<Finished> {
    return new Promise((resolve, reject) => {
      if (this.#dead !== undefined) {
        for (const loan of loans) loan.giveBack(loan.buffer);
        reject(new InferenceError(`ERR the inference thread has failed: ${this.#dead.message}`));
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
        reject(new InferenceError(`ERR the inference thread cannot be reached: ${String(error)}`));
        return;
      }
      this.#pending.set(id, { loans: [...loans], resolve, reject });
    });
  }

  #onAnswer(answer: InferenceAnswer): void {
    const pending = this.#pending.get(answer.id);
    if (pending === undefined) return;
    this.#giveBack(pending, answer.buffers);
    if (answer.kind === 'returned') return;
    this.#pending.delete(answer.id);
    if (answer.kind === 'ran') for (const buffer of answer.spare) putBack(buffer);
    if (answer.kind === 'failed') pending.reject(new InferenceError(answer.message));
    else pending.resolve(answer);
  }

  /** Buffers come back in the order in which the loans that are missed were given. */
  #giveBack(pending: Pending, buffers: readonly ArrayBuffer[]): void {
    if (buffers.length === 0) return;
    for (const [index, loan] of pending.loans
      .splice(0)
      .filter(({ missed }) => missed)
      .entries()) {
      loan.giveBack(buffers[index]);
    }
  }

  #die(error: Error): void {
    this.#dead ??= error;
    for (const pending of this.#pending.values()) {
      for (const loan of pending.loans.splice(0)) loan.giveBack(undefined);
      pending.reject(new InferenceError(`ERR the inference thread has failed: ${error.message}`));
    }
    this.#pending.clear();
  }
}
