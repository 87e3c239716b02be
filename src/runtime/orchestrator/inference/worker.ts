import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { InferenceError } from './inference-error.js';
import type { InferenceAnswer, InferenceRequest, InferenceWorkerData, InputMessage } from './messages.js';
import { OnnxModel } from './onnx-model.js';
import { loadOnnxRuntime, type OnnxRuntime } from './onnx-runtime.js';

/** A model that takes longer than this runs on copies of its inputs when somebody waits for them. */
const slowMicros = 50_000;

/**
 * The inference thread: answers {@link InferenceRequest}s on its parent port, one at a time and in order.
 * Call it in a worker thread whose `workerData` is {@link InferenceWorkerData}.
 */
export function runInferenceWorker(): void {
  const port = parentPort;
  if (port === null) throw new Error('runInferenceWorker() belongs in a worker thread');
  const data = workerData as InferenceWorkerData;
  const worker = new InferenceWorker(port, data.onnxRuntime);
  let last: Promise<void> = worker.warmUp();
  port.on('message', (request: InferenceRequest) => {
    last = last.then(() => worker.handle(request));
  });
}

class InferenceWorker {
  readonly #port: MessagePort;
  readonly #path: string;
  readonly #models = new Map<number, OnnxModel>();
  #runtime: OnnxRuntime | undefined;

  constructor(port: MessagePort, path: string) {
    this.#port = port;
    this.#path = path;
  }

  /** Loads ONNX Runtime before the first request needs it; a failure shows there. */
  async warmUp(): Promise<void> {
    try {
      this.#runtime = loadOnnxRuntime(this.#path);
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

  async handle(request: InferenceRequest): Promise<void> {
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
      const lent = request.kind === 'load' ? [request.buffer] : this.#stillLent(request.inputs);
      this.#answer({ kind: 'failed', id: request.id, message, buffers: lent }, lent);
    }
  }

  async #load(request: Extract<InferenceRequest, { kind: 'load' }>): Promise<void> {
    this.#runtime ??= this.#loadRuntime();
    const model = await OnnxModel.load(this.#runtime, new Uint8Array(request.buffer), request.settings);
    await this.#models.get(request.model)?.release();
    this.#models.set(request.model, model);
    const buffers = [request.buffer];
    this.#answer(
      { kind: 'loaded', id: request.id, inputs: [...model.inputs], outputs: [...model.outputs], buffers },
      buffers,
    );
  }

  async #run(request: Extract<InferenceRequest, { kind: 'run' }>): Promise<void> {
    const model = this.#models.get(request.model);
    if (model === undefined) throw new Error('ERR the model is not loaded on this thread');
    const slow = model.lastMicros === undefined || model.lastMicros > slowMicros;
    const inputs = slow ? this.#returnEarly(request.id, request.inputs) : request.inputs;
    const { outputs, micros } = await model.run(inputs);
    const buffers = slow ? [] : this.#stillLent(request.inputs);
    const own = outputs.flatMap((output) => (output === null ? [] : [output.buffer]));
    this.#answer({ kind: 'ran', id: request.id, outputs, micros, buffers }, [...new Set([...own, ...buffers])]);
  }

  /** Sends the inputs that are missed back at once; the model runs on copies, made on this thread. */
  #returnEarly(id: number, inputs: readonly InputMessage[]): readonly InputMessage[] {
    const lent = this.#stillLent(inputs);
    if (lent.length === 0) return inputs;
    const copies = new Map(lent.map((buffer) => [buffer, buffer.slice(0)]));
    this.#answer({ kind: 'returned', id, buffers: lent }, lent);
    return inputs.map((input) => ({ ...input, buffer: copies.get(input.buffer) ?? input.buffer }));
  }

  #stillLent(inputs: readonly InputMessage[]): ArrayBuffer[] {
    return [
      ...new Set(inputs.filter(({ missed, buffer }) => missed && buffer.byteLength > 0).map(({ buffer }) => buffer)),
    ];
  }

  #answer(answer: InferenceAnswer, transfer: ArrayBuffer[]): void {
    this.#port.postMessage(answer, transfer);
  }
}
