import { Worker } from 'node:worker_threads';
import { putBack } from '../memory/spare-buffers.js';
import { cutOutputs } from './batching.js';
import { gatherInputs } from './gather-inputs.js';
import { InferenceError } from './inference-error.js';
import type {
  InferenceAnswer,
  InferenceRequest,
  InferenceWorkerData,
  ScriptCall,
  SessionSettings,
} from './messages.js';
import { type LoadedFacts, LoadedPrograms, type Runner, type RunResult, RunWatch } from './runner.js';
import type { ByteSource, Loan, TensorSource } from './tensor.js';
import { startable } from './worker-url.js';

type Finished = Extract<InferenceAnswer, { kind: 'loaded' | 'ran' }>;

interface Pending {
  readonly loans: Loan[];
  readonly resolve: (answer: Finished) => void;
  readonly reject: (error: Error) => void;
}

/** Milliseconds in which a thread that is closed may end what it does. */
const closeMs = 2000;

/** One inference thread as seen from outside. It does one thing after the other. */
export class InferenceThread implements Runner {
  readonly #worker: Worker;
  readonly #watch: RunWatch;
  readonly #pending = new Map<number, Pending>();
  readonly #models = new LoadedPrograms();
  /** Loans that runs which were given up still hold. */
  readonly #owed = new Map<number, Loan[]>();
  occupied = 0;
  #nextId = 1;
  #dead: Error | undefined;
  #ended = false;

  /** A run that takes longer than `runLimitMs` fails, and the thread is dead then. */
  constructor(workerUrl: URL, workerData: InferenceWorkerData, runLimitMs: number) {
    this.#watch = new RunWatch(runLimitMs, () => this.#giveUp());
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
    return { ...answer.facts, micros: answer.micros };
  }

  async run(
    model: number,
    requests: readonly (readonly TensorSource[])[],
    sizes: readonly number[],
    call?: ScriptCall,
  ): Promise<RunResult[]> {
    const { inputs, loans } = await gatherInputs(requests);
    const answer = await this.#ask(model, loans, (id) => ({ kind: 'run', id, model, inputs, sizes, call }));
    if (answer.kind !== 'ran') throw unexpected();
    const { micros } = answer;
    const [whole, ...more] = answer.outputs;
    const outputs =
      whole !== undefined && more.length === 0 && sizes.length > 1 ? cutOutputs(whole, sizes) : answer.outputs;
    return outputs.map((own) => ({ outputs: own.map((output) => output ?? undefined), micros }));
  }

  endSoon(model: number): void {
    this.#watch.endSoon(model);
  }

  onUnload(model: number, done: () => void): void {
    if (this.dead) done();
    else this.#models.onUnload(model, done);
  }

  unload(model: number): void {
    this.#watch.forget(model);
    if (!this.#models.delete(model) || this.dead) return;
    this.#worker.postMessage({ kind: 'unload', model } satisfies InferenceRequest);
  }

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
      this.#pending.set(id, { loans: [...loans], resolve, reject });
      this.#watch.begin(id, model);
    });
  }

  #onAnswer(answer: InferenceAnswer): void {
    const pending = this.#pending.get(answer.id);
    this.#giveBack(pending?.loans ?? this.#owed.get(answer.id) ?? [], answer.buffers);
    if (pending === undefined) return;
    if (answer.kind === 'returned') return;
    this.#pending.delete(answer.id);
    this.#watch.end(answer.id);
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

  /** The run that it does has taken too long: it fails, and what waits behind it is to go elsewhere. */
  #giveUp(): void {
    this.#dead ??= new Error('one of its models took too long');
    this.#watch.stop();
    for (const [id, error] of this.#watch.errorsWhenLate()) {
      const pending = this.#pending.get(id);
      if (pending === undefined) continue;
      this.#owed.set(id, pending.loans);
      pending.reject(error);
    }
    this.#pending.clear();
    // This ends a process of its own; a thread ends when its run does.
    this.#post({ kind: 'close' });
  }

  #die(error: Error): void {
    this.#dead ??= error;
    this.#watch.stop();
    this.#models.clear();
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

function unexpected(): InferenceError {
  return new InferenceError('failed', 'unexpected answer from the inference thread');
}
