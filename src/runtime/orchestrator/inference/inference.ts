import { performance } from 'node:perf_hooks';
import { DevicePool } from './device-pool.js';
import { InferenceError } from './inference-error.js';
import { InferenceThread, type RunResult } from './inference-thread.js';
import type { SessionSettings } from './messages.js';
import type { ByteSource, TensorSource } from './tensor.js';
import { defaultWorkerUrl } from './worker-url.js';

/** How the AI layer runs. */
export interface InferenceOptions {
  /** Absolute path of the onnxruntime-node package folder or entry; without it no ONNX model can be loaded. */
  readonly onnxRuntime?: string | undefined;
  /** Threads a device. Default 1. */
  readonly threadsPerQueue?: number | undefined;
  /** 0 or absent: ONNX Runtime's choice. */
  readonly interOpThreads?: number | undefined;
  readonly intraOpThreads?: number | undefined;
  readonly workerUrl?: URL | undefined;
}

/** A model to load. */
export interface ModelDefinition {
  /** `ONNX`, `TORCH`, `TF`, `TFLITE`. */
  readonly backend: string;
  /** As {@link parseDevice} gives it. */
  readonly device: string;
  readonly bytes: ByteSource;
}

/** A model that can be run, until it is unloaded. */
export interface LoadedModel {
  readonly id: number;
  readonly device: string;
  /** Names in the model's order. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

/** Options of one run. */
export interface RunOptions {
  /** How long the request may wait for a thread, in milliseconds. */
  readonly timeoutMs?: number | undefined;
}

/** A run waited longer than it wanted to, and was not begun. */
export class QueueTimeoutError extends Error {
  override readonly name = 'QueueTimeoutError';
}

interface Held {
  readonly definition: ModelDefinition;
  pending: number;
  unwanted: boolean;
}

/**
 * The AI layer: loads models, runs them on tensors, and gives tensors back. Work happens on threads of its own, a pool
 * a device. It knows neither the protocol nor where tensors live.
 */
export class Inference {
  readonly #options: InferenceOptions;
  readonly #workerUrl: URL;
  readonly #pools = new Map<string, DevicePool>();
  readonly #models = new Map<number, Held>();
  #nextId = 1;
  #runs = 0;

  constructor(options: InferenceOptions) {
    this.#options = options;
    this.#workerUrl = options.workerUrl ?? defaultWorkerUrl();
  }

  /** Runs that have succeeded. */
  get runs(): number {
    return this.#runs;
  }

  /** Starts the first thread and lets it load ONNX Runtime. */
  warmUp(): void {
    if (this.#options.onnxRuntime !== undefined) this.#pool('CPU').warmUp();
  }

  /** @throws InferenceError */
  async load(definition: ModelDefinition): Promise<LoadedModel> {
    this.#checkBackend(definition.backend);
    const id = this.#nextId++;
    const names = await this.#pool(definition.device).use((thread) =>
      thread.load(id, definition.bytes, this.#settings(definition.device)),
    );
    this.#models.set(id, { definition, pending: 0, unwanted: false });
    return { id, device: definition.device, inputs: names.inputs, outputs: names.outputs };
  }

  /** Inputs in the model's order, as many as it has. @throws InferenceError, QueueTimeoutError */
  async run(model: LoadedModel, inputs: readonly TensorSource[], options: RunOptions = {}): Promise<RunResult> {
    const held = this.#models.get(model.id);
    if (held === undefined) throw new InferenceError('ERR the model has been deleted');
    const queued = performance.now();
    held.pending += 1;
    try {
      const result = await this.#pool(model.device).use(async (thread) => {
        const waited = performance.now() - queued;
        if (options.timeoutMs !== undefined && waited > options.timeoutMs) throw new QueueTimeoutError();
        if (!thread.has(model.id)) {
          await thread.load(model.id, held.definition.bytes, this.#settings(model.device));
        }
        return thread.run(model.id, inputs);
      });
      this.#runs += 1;
      return result;
    } finally {
      held.pending -= 1;
      if (held.unwanted) this.#drop(model, held);
    }
  }

  /** Frees a model once the runs that wait for it have ended. */
  unload(model: LoadedModel): void {
    const held = this.#models.get(model.id);
    if (held === undefined) return;
    held.unwanted = true;
    this.#drop(model, held);
  }

  /** Ends all threads; what they were doing fails. */
  async close(): Promise<void> {
    await Promise.all([...this.#pools.values()].map((pool) => pool.close()));
  }

  #drop(model: LoadedModel, held: Held): void {
    if (held.pending > 0) return;
    this.#models.delete(model.id);
    this.#pools.get(model.device)?.forEach((thread) => {
      thread.unload(model.id);
    });
  }

  #checkBackend(backend: string): void {
    if (backend !== 'ONNX') {
      throw new InferenceError(
        `ERR Could not load backend: ${backend} models need a ${backend} worker, which this orchestrator does not have`,
      );
    }
    if (this.#options.onnxRuntime === undefined) {
      throw new InferenceError(
        'ERR Could not load backend: ONNX Runtime (onnxruntime-node) was not found when the orchestrator started',
      );
    }
  }

  #pool(device: string): DevicePool {
    let pool = this.#pools.get(device);
    if (pool === undefined) {
      pool = new DevicePool(this.#options.threadsPerQueue ?? 1, () => this.#newThread());
      this.#pools.set(device, pool);
    }
    return pool;
  }

  #newThread(): InferenceThread {
    return new InferenceThread(this.#workerUrl, this.#options.onnxRuntime ?? '');
  }

  #settings(device: string): SessionSettings {
    return {
      device,
      intraOpThreads: this.#options.intraOpThreads ?? 0,
      interOpThreads: this.#options.interOpThreads ?? 0,
    };
  }
}
