import { type ChildProcess, fork } from 'node:child_process';
import type { Backend, BackendRun, ModelTraits } from './backend.js';
import { InferenceError } from './inference-error.js';
import type {
  InferenceAnswer,
  InferenceRequest,
  InferenceWorkerData,
  ModelInput,
  ModelNames,
  OutputMessage,
  ScriptCall,
  SessionSettings,
} from './messages.js';
import { processArguments } from './worker-url.js';

type Finished = Extract<InferenceAnswer, { kind: 'loaded' | 'ran' }>;

interface Pending {
  readonly resolve: (answer: Finished) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Another backend in a process of its own, for models whose runs may have no end: within one process nothing can stop them. Everything
 * that copies bytes between the processes happens on the thread that has made it.
 */
export class ProcessBackend implements Backend {
  readonly missing = undefined;
  readonly isApart = true;
  readonly #child: ChildProcess;
  readonly #pending = new Map<number, Pending>();
  readonly #exited: Promise<void>;
  #nextId = 1;
  #ended: string | undefined;

  /** Runs the module at `url` in a process; `onEnd` is called when the process has ended by itself. */
  constructor(url: string, data: InferenceWorkerData, onEnd: () => void) {
    const { path, words, execArgv } = processArguments(url, data);
    this.#child = fork(path, words, {
      execArgv,
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    this.#child.on('message', (answer) => this.#onAnswer(answer as InferenceAnswer));
    this.#exited = new Promise((resolve) => {
      const ended = (why: string): void => {
        this.#end(why);
        resolve();
        onEnd();
      };
      this.#child.on('error', (error) => ended(error.message));
      this.#child.on('exit', (code, signal) => ended(`its process ended with ${signal ?? `code ${code}`}`));
    });
  }

  async warmUp(): Promise<void> {}

  facts(): Promise<ModelTraits> {
    throw new Error('the main thread asks a model for its facts');
  }

  async load(id: number, model: Uint8Array, settings: SessionSettings): Promise<ModelNames> {
    const buffer = model.buffer as ArrayBuffer;
    const answer = await this.#ask((request) => ({ kind: 'load', id: request, model: id, buffer, settings }));
    if (answer.kind !== 'loaded') throw unexpected();
    return answer.facts;
  }

  async run(id: number, inputs: readonly ModelInput[], call?: ScriptCall): Promise<BackendRun> {
    const copies = inputs.map(({ dtype, shape, buffer }) => ({ dtype, shape, parts: [{ buffer, missed: false }] }));
    const asRun = { kind: 'run', model: id, inputs: copies, sizes: [], call } as const;
    const answer = await this.#ask((request) => ({ ...asRun, id: request }));
    if (answer.kind !== 'ran') throw unexpected();
    const [outputs = []] = answer.outputs as (readonly (OutputMessage | null)[])[];
    return { outputs, micros: answer.micros };
  }

  async unload(id: number): Promise<void> {
    if (this.#ended === undefined) this.#child.send({ kind: 'unload', model: id } satisfies InferenceRequest);
  }

  async close(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
  }

  #ask(request: (id: number) => InferenceRequest): Promise<Finished> {
    return new Promise((resolve, reject) => {
      if (this.#ended !== undefined) {
        reject(failed(this.#ended));
        return;
      }
      const id = this.#nextId++;
      this.#pending.set(id, { resolve, reject });
      // It has written the message into memory of its own when it returns.
      this.#child.send(request(id));
    });
  }

  #onAnswer(answer: InferenceAnswer): void {
    const pending = this.#pending.get(answer.id);
    this.#pending.delete(answer.id);
    if (answer.kind === 'failed') pending?.reject(new InferenceError(answer.problem, answer.message));
    else if (answer.kind !== 'returned') pending?.resolve(answer);
  }

  #end(why: string): void {
    this.#ended ??= why;
    for (const { reject } of this.#pending.values()) reject(failed(why));
    this.#pending.clear();
  }
}

function failed(why: string): InferenceError {
  return new InferenceError('failed', `the inference process has failed: ${why}`);
}

function unexpected(): InferenceError {
  return new InferenceError('failed', 'unexpected answer from the inference process');
}
