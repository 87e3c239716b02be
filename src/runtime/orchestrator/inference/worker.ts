import { performance } from 'node:perf_hooks';
import { parentPort } from 'node:worker_threads';
import { BusyPoll } from '../busy-poll.js';
import { cutOutputs } from './batching.js';
import { InferenceError } from './inference-error.js';
import { parentPortOfProcess, type RequestPort } from './isolated-process.js';
import { IsolatedWorker } from './isolated-worker.js';
import {
  type InferenceAnswer,
  type InferenceRequest,
  type InputMessage,
  type ModelInput,
  type OutputMessage,
  stillLent,
} from './messages.js';
import { OnnxModel } from './onnx-model.js';
import { loadOnnxRuntime, type OnnxRuntime, warmUp } from './onnx-runtime.js';
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
 * {@link inferenceRole}: in a worker thread, or in the process that such a thread starts for models that are kept apart.
 */
export function runInferenceWorker(): void {
  const data = inferenceRole();
  if (data === undefined) throw new Error('runInferenceWorker() belongs in an inference thread');
  if (parentPort !== null && data.isolated !== undefined) {
    const worker = new IsolatedWorker(parentPort, data);
    parentPort.on('message', (request: InferenceRequest) => worker.handle(request));
    return;
  }
  const port = parentPort ?? parentPortOfProcess();
  const poll = new BusyPoll(data.busyPollMicros);
  const worker = new InferenceWorker(port, data.onnxRuntime, poll);
  let last: Promise<void> = worker.warmUp();
  port.on('message', (request: InferenceRequest) => {
    poll.event();
    last = last.then(() => {
      if (request.kind !== 'close') return worker.handle(request);
      port.close();
    });
  });
}

class InferenceWorker {
  readonly #port: RequestPort;
  readonly #path: string;
  readonly #poll: BusyPoll;
  readonly #models = new Map<number, OnnxModel>();
  #runtime: OnnxRuntime | undefined;

  constructor(port: RequestPort, path: string, poll: BusyPoll) {
    this.#port = port;
    this.#path = path;
    this.#poll = poll;
  }

  /** Makes ONNX Runtime ready before the first request needs it; a failure shows there. */
  async warmUp(): Promise<void> {
    try {
      this.#runtime = loadOnnxRuntime(this.#path);
      await warmUp(this.#runtime);
    } catch {
      this.#runtime = undefined;
    }
  }

  #loadRuntime(): OnnxRuntime {
    try {
      return loadOnnxRuntime(this.#path);
    } catch (error) {
      throw new InferenceError(
        `ERR Could not load backend: ONNX Runtime: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  }

  async handle(request: Exclude<InferenceRequest, { kind: 'close' }>): Promise<void> {
    if (request.kind === 'unload') {
      await this.#models.get(request.model)?.release();
      this.#models.delete(request.model);
      return;
    }
    try {
      if (request.kind === 'load') await this.#load(request);
      else await this.#run(request);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      const lent = request.kind === 'load' ? [request.buffer] : stillLent(request.inputs);
      this.#answer({ kind: 'failed', id: request.id, message, buffers: lent }, lent);
    }
  }

  async #load(request: Extract<InferenceRequest, { kind: 'load' }>): Promise<void> {
    this.#runtime ??= this.#loadRuntime();
    const started = performance.now();
    const model = await OnnxModel.load(this.#runtime, new Uint8Array(request.buffer), request.settings);
    const micros = Math.round((performance.now() - started) * 1000);
    await this.#models.get(request.model)?.release();
    this.#models.set(request.model, model);
    const buffers = [request.buffer];
    this.#answer(
      { kind: 'loaded', id: request.id, inputs: [...model.inputs], outputs: [...model.outputs], micros, buffers },
      buffers,
    );
  }

  async #run({ id, model: number, inputs, sizes }: Extract<InferenceRequest, { kind: 'run' }>): Promise<void> {
    const model = this.#models.get(number);
    if (model === undefined) throw new Error('ERR the model is not loaded on this thread');
    const slow = model.lastMicros === undefined || model.lastMicros > slowMicros;
    const own = inputs.map((input) => (slow || input.parts.length > 1 ? copied(input) : asItIs(input)));
    if (slow) this.#returnEarly(id, inputs);
    const { outputs, micros } = await model.run(own);
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
