import { performance } from 'node:perf_hooks';
import { parentPort } from 'node:worker_threads';
import { BusyPoll } from '../busy-poll.js';
import type { Backend, Backends } from './backend.js';
import { builtInBackends } from './backends.js';
import { cutOutputs } from './batching.js';
import { InferenceError } from './inference-error.js';
import { parentPortOfProcess, type RequestPort } from './isolated-process.js';
import {
  type InferenceAnswer,
  type InferenceRequest,
  type InferenceWorkerData,
  type InputMessage,
  type ModelInput,
  type OutputMessage,
  stillLent,
} from './messages.js';
import { ProcessBackend } from './process-backend.js';
import { inferenceRole } from './role.js';

/** A model that takes longer than this runs on copies of its inputs when somebody waits for them. */
const slowMicros = 50_000;
/** Outputs of joined requests beyond this are cut here; less is sooner sent as one. */
const cutFromBytes = 1024 * 1024;
/** Buffers below this are cheaper copied with a message than transferred. */
const transferFromBytes = 16 * 1024;
/** Copies of inputs below this are not worth their way back. */
const returnFromBytes = 32 * 1024;

/**
 * The inference thread: answers {@link InferenceRequest}s on its parent port, one at a time and in order. Call it where there is an
 * {@link inferenceRole}: in a worker thread, or in the process that such a thread starts for models that are kept apart. `more` are
 * backends beside the built-in ones.
 */
export function runInferenceWorker(more: Backends = {}): void {
  const data = inferenceRole();
  if (data === undefined) throw new Error('runInferenceWorker() belongs in an inference thread');
  const port = parentPort ?? parentPortOfProcess();
  let last: Promise<void> = Promise.resolve();
  const backend = backendOf(data, more, () => {
    // Whoever needs a thread starts another, once everything that was asked of this one has failed.
    last = last.then(() => port.close());
  });
  // A process that does the work looks for requests itself.
  const poll = new BusyPoll(data.isolated === undefined ? data.busyPollMicros : 0);
  const worker = new InferenceWorker(port, backend, poll);
  // A failure shows with the first request.
  last = backend.warmUp().catch(() => undefined);
  port.on('message', (request: InferenceRequest) => {
    poll.event();
    if (request.kind !== 'close') last = last.then(() => worker.handle(request));
    else if (backend.isApart) void backend.close().then(() => port.close());
    else last = last.then(() => backend.close()).then(() => port.close());
  });
}

function backendOf({ isolated, ...data }: InferenceWorkerData, more: Backends, onEnd: () => void): Backend {
  if (isolated !== undefined) return new ProcessBackend(isolated, data, onEnd);
  const make = { ...builtInBackends, ...more }[data.host];
  if (make === undefined) throw new Error(`this thread has no backend ${data.host}`);
  return make({ onnxRuntime: data.onnxRuntime });
}

class InferenceWorker {
  readonly #port: RequestPort;
  readonly #backend: Backend;
  readonly #poll: BusyPoll;
  /** Durations of the models' last runs; undefined before the first. */
  readonly #lastMicros = new Map<number, number>();

  constructor(port: RequestPort, backend: Backend, poll: BusyPoll) {
    this.#port = port;
    this.#backend = backend;
    this.#poll = poll;
  }

  async handle(request: Exclude<InferenceRequest, { kind: 'close' }>): Promise<void> {
    if (request.kind === 'unload') {
      this.#lastMicros.delete(request.model);
      await this.#backend.unload(request.model);
      return;
    }
    try {
      if (request.kind === 'load') await this.#load(request);
      else await this.#run(request);
    } catch (error) {
      const problem = error instanceof InferenceError ? error.problem : 'failed';
      const message = error instanceof Error ? error.message : String(error);
      const lent = request.kind === 'load' ? [request.buffer] : stillLent(request.inputs);
      this.#answer({ kind: 'failed', id: request.id, problem, message, buffers: lent }, lent);
    }
  }

  async #load({ id, model, buffer, settings }: Extract<InferenceRequest, { kind: 'load' }>): Promise<void> {
    const started = performance.now();
    const facts = await this.#backend.load(model, new Uint8Array(buffer), settings);
    const micros = Math.round((performance.now() - started) * 1000);
    this.#answer({ kind: 'loaded', id, facts, micros, buffers: [buffer] }, [buffer]);
  }

  async #run({ id, model, inputs, sizes, call }: Extract<InferenceRequest, { kind: 'run' }>): Promise<void> {
    const { isApart } = this.#backend;
    const lastMicros = this.#lastMicros.get(model);
    const slow = !isApart && (lastMicros === undefined || lastMicros > slowMicros);
    const own = inputs.map((input) => (slow || input.parts.length > 1 ? copied(input) : asItIs(input)));
    if (slow) this.#returnEarly(id, inputs);
    const running = this.#backend.run(model, own, call);
    if (isApart) this.#returnEarly(id, inputs);
    const { outputs, micros } = await running;
    this.#lastMicros.set(model, micros);
    const cut = sizes.length > 1 && bytesOf(outputs) > cutFromBytes ? cutOutputs(outputs, sizes) : [outputs];
    const buffers = stillLent(inputs);
    const spare = copies(inputs);
    const moved = new Set([...buffers, ...spare]);
    for (const outputs of cut) {
      for (const output of outputs) {
        if (output !== null && output.buffer.byteLength >= transferFromBytes) moved.add(output.buffer);
      }
    }
    this.#answer({ kind: 'ran', id, outputs: cut, micros, buffers, spare }, [...moved]);
  }

  /** Sends the inputs that are missed back at once. */
  #returnEarly(id: number, inputs: readonly InputMessage[]): void {
    const buffers = stillLent(inputs);
    if (buffers.length > 0) this.#answer({ kind: 'returned', id, buffers }, buffers);
  }

  #answer(answer: InferenceAnswer, transfer: ArrayBuffer[]): void {
    this.#poll.answered();
    this.#port.postMessage(answer, transfer);
  }
}

function asItIs({ dtype, shape, parts }: InputMessage): ModelInput {
  return { dtype, shape, buffer: parts[0]?.buffer ?? new ArrayBuffer(0) };
}

/** The input in a buffer of its own; one that nobody misses is that already. */
function copied(input: InputMessage): ModelInput {
  const [first] = input.parts;
  if (input.parts.length === 1 && first?.missed === false) return asItIs(input);
  const whole = Buffer.allocUnsafeSlow(input.parts.reduce((length, { buffer }) => length + buffer.byteLength, 0));
  let at = 0;
  for (const { buffer } of input.parts) {
    whole.set(new Uint8Array(buffer), at);
    at += buffer.byteLength;
  }
  return { dtype: input.dtype, shape: input.shape, buffer: whole.buffer as ArrayBuffer };
}

function bytesOf(outputs: readonly (OutputMessage | null)[]): number {
  return outputs.reduce((bytes, output) => bytes + (output?.buffer.byteLength ?? 0), 0);
}

/** Copies that were made for the run, where they are large enough to be of use again. */
function copies(inputs: readonly InputMessage[]): ArrayBuffer[] {
  const found: ArrayBuffer[] = [];
  for (const { parts } of inputs) {
    for (const { buffer, missed } of parts) if (!missed && buffer.byteLength >= returnFromBytes) found.push(buffer);
  }
  return found;
}
