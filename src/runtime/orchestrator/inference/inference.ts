import { performance } from 'node:perf_hooks';
import { type BatchOptions, batchShapeOf } from './batching.js';
import { standIn } from './device.js';
import { DevicePool } from './device-pool.js';
import { isAmong } from './devices.js';
import { InferenceError } from './inference-error.js';
import { InferenceThread, type RunResult } from './inference-thread.js';
import { type LaneRequest, MainLane } from './main-lane.js';
import type { InferenceWorkerData, SessionSettings } from './messages.js';
import { keepTelemetryOff } from './onnx-runtime.js';
import { RunCost } from './run-cost.js';
import type { RunRequest } from './run-queue.js';
import type { ByteSource, TensorSource } from './tensor.js';
import { defaultWorkerUrl } from './worker-url.js';

/** A model up to this size, and no slower to load, may be loaded on the main thread too. */
const laneModelBytes = 4 * 1024 * 1024;
const laneLoadMicros = 10_000;

/** How the AI layer runs. */
export interface InferenceOptions {
  /** Absolute path of the onnxruntime-node package folder or entry; without it no ONNX model can be loaded. */
  readonly onnxRuntime?: string | undefined;
  /** Threads a device. Default 1. */
  readonly threadsPerQueue?: number | undefined;
  /** 0 or absent: ONNX Runtime's choice. */
  readonly interOpThreads?: number | undefined;
  readonly intraOpThreads?: number | undefined;
  /** Devices that others stand in for, as {@link parseDevice} gives both: `GPU:0` by `CPU`. */
  readonly mapDevice?: Readonly<Record<string, string>> | undefined;
  /** Devices that models may ask for, besides those that others stand in for. Default: all. */
  readonly devices?: readonly string[] | undefined;
  readonly workerUrl?: URL | undefined;
  /** Microseconds for which threads look for the next request after one before they sleep. Default 0. */
  readonly busyPollMicros?: number | undefined;
}

/** A model to load. */
export interface ModelDefinition {
  /** `ONNX`, `TORCH`, `TF`, `TFLITE`. */
  readonly backend: string;
  /** As {@link parseDevice} gives it. */
  readonly device: string;
  readonly batch?: BatchOptions;
  readonly bytes: ByteSource;
}

/** A model that can be run, until it is unloaded. */
export interface LoadedModel {
  readonly id: number;
  /** Where it runs. */
  readonly device: string;
  /** Names in the model's order. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

interface Held {
  readonly id: number;
  readonly device: string;
  readonly bytes: ByteSource;
  readonly batch: BatchOptions;
  readonly settings: SessionSettings;
  readonly cost: RunCost;
  /** It may run on the main thread if it proves cheap. */
  readonly mayRunHere: boolean;
  readonly isQuick: boolean;
  pending: number;
  /** Those that would have to unload it. */
  owners: number;
  unwanted: boolean;
}

const noBatches: BatchOptions = { batchSize: 0, minBatchSize: 0, minBatchTimeoutMs: 0 };

/**
 * The AI layer: loads models, runs them on tensors, and gives tensors back. Work happens on threads of its own, a pool
 * a device; models whose runs are cheaper than handing them over run on the calling thread. It knows neither the
 * protocol nor where tensors live.
 */
export class Inference {
  readonly #options: InferenceOptions;
  readonly #workerUrl: URL;
  readonly #pools = new Map<string, DevicePool>();
  readonly #lane: MainLane;
  readonly #models = new Map<number, Held>();
  #nextId = 1;
  #requests = 0;
  #runs = 0;

  constructor(options: InferenceOptions) {
    this.#options = options;
    keepTelemetryOff();
    this.#workerUrl = options.workerUrl ?? defaultWorkerUrl();
    this.#lane = new MainLane(
      options.onnxRuntime ?? '',
      (request) => this.#pool((request.model as Held).device).run(request),
      () => {
        this.#runs += 1;
      },
    );
  }

  /** Requests that have been answered with tensors. */
  get requests(): number {
    return this.#requests;
  }

  /** Runs of models that have succeeded; requests that were joined make one. */
  get runs(): number {
    return this.#runs;
  }

  /** Devices that have a queue. */
  get devices(): string[] {
    return [...this.#pools.keys()];
  }

  /** Starts the first thread and lets it load ONNX Runtime. */
  warmUp(): void {
    if (this.#options.onnxRuntime !== undefined) this.#pool('CPU').warmUp();
  }

  /** @throws InferenceError */
  async load({ backend, device: asked, batch = noBatches, bytes }: ModelDefinition): Promise<LoadedModel> {
    this.#checkBackend(backend);
    const id = this.#nextId++;
    const device = standIn(this.#options.mapDevice ?? {}, asked);
    this.#checkDevice(asked, device);
    const settings = this.#settings(device);
    const facts = await this.#pool(device).use((thread) => thread.load(id, bytes, settings));
    this.#models.set(id, {
      id,
      device,
      bytes,
      batch,
      settings,
      cost: new RunCost(),
      // Requests that wait for company must all wait in one place.
      mayRunHere:
        device.startsWith('CPU') &&
        bytes.byteLength <= laneModelBytes &&
        facts.micros <= laneLoadMicros &&
        batch.minBatchSize <= 1,
      get isQuick() {
        return this.cost.isQuick;
      },
      pending: 0,
      owners: 1,
      unwanted: false,
    });
    return { id, device, inputs: facts.inputs, outputs: facts.outputs };
  }

  /**
   * Inputs in the model's order, as many as it has; `timeoutMs` says how long the request may wait to be begun.
   * @throws InferenceError, QueueTimeoutError
   */
  run(model: LoadedModel, inputs: readonly TensorSource[], timeoutMs?: number): Promise<RunResult> {
    const held = this.#models.get(model.id);
    if (held === undefined) return Promise.reject(new InferenceError('ERR the model has been deleted'));
    held.pending += 1;
    return new Promise<RunResult>((resolve, reject) => {
      let bytes = 0;
      for (const input of inputs) bytes += input.bytes.byteLength;
      const request: RunRequest = {
        model: held,
        inputs,
        bytes,
        shape: held.batch.batchSize > 0 ? batchShapeOf(inputs) : undefined,
        queuedAtMs: performance.now(),
        timeoutMs,
        resolve: (result) => {
          this.#requests += 1;
          this.#end(held);
          resolve(result);
        },
        reject: (error) => {
          this.#end(held);
          reject(error);
        },
      };
      if (this.#belongsHere(held, bytes)) this.#lane.run(request as LaneRequest);
      else this.#pool(held.device).run(request);
    });
  }

  #end(held: Held): void {
    held.pending -= 1;
    if (held.unwanted) this.#drop(held);
  }

  /** The same model for one more, who will {@link unload} it, too. */
  share(model: LoadedModel): LoadedModel {
    const held = this.#models.get(model.id);
    if (held !== undefined) held.owners += 1;
    return model;
  }

  /** Frees a model and its bytes once the runs that wait for it have ended. */
  unload(model: LoadedModel): void {
    const held = this.#models.get(model.id);
    if (held === undefined) return;
    held.owners -= 1;
    if (held.owners > 0) return;
    held.unwanted = true;
    this.#drop(held);
    if (held.batch.minBatchSize > 0) this.#pools.get(held.device)?.wake();
  }

  /** Ends all threads; what they were doing fails. */
  async close(): Promise<void> {
    await Promise.all([...this.#pools.values()].map((pool) => pool.close()));
  }

  /** A model that fills batches must leave the main thread time for a full one. */
  #belongsHere(held: Held, bytes: number): boolean {
    if (!held.mayRunHere || !held.cost.isCheap(bytes, 1 / Math.max(1, held.batch.batchSize))) return false;
    if (this.#lane.has(held.id)) return true;
    this.#lane.prepare(held);
    return false;
  }

  /** Runs the requests as one; what it gives answers them. */
  async #runOnThread(thread: InferenceThread, requests: readonly RunRequest[]): Promise<() => void> {
    const [first] = requests as [RunRequest, ...RunRequest[]];
    const held = first.model as Held;
    try {
      if (!thread.has(held.id)) await thread.load(held.id, held.bytes, held.settings);
      const results = await thread.run(
        held.id,
        requests.map(({ inputs }) => inputs),
        requests.map(({ shape }) => shape?.size ?? 0),
      );
      this.#runs += 1;
      held.cost.measured(results[0]?.micros ?? 0, first.bytes, requests.length);
      return () => {
        for (const [index, request] of requests.entries()) {
          const result = results[index];
          if (result === undefined) request.reject(new InferenceError('ERR the inference thread gave no result'));
          else request.resolve(result);
        }
      };
    } catch (error) {
      const problem = error instanceof Error ? error : new Error(String(error));
      return () => {
        for (const { reject } of requests) reject(problem);
      };
    }
  }

  #drop(held: Held): void {
    if (held.pending > 0) return;
    this.#models.delete(held.id);
    this.#lane.unload(held.id);
    held.bytes.discard();
    this.#pools.get(held.device)?.forEach((thread) => {
      thread.unload(held.id);
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

  #checkDevice(asked: string, device: string): void {
    const { devices } = this.#options;
    if (devices === undefined || device !== asked || isAmong(devices, asked)) return;
    throw new InferenceError(
      `ERR Invalid DEVICE: this orchestrator runs models on ${devices.join(', ')}, not on ${asked}`,
    );
  }

  #pool(device: string): DevicePool {
    let pool = this.#pools.get(device);
    if (pool === undefined) {
      pool = new DevicePool(
        this.#options.threadsPerQueue ?? 1,
        () => new InferenceThread(this.#workerUrl, this.#threadData()),
        (thread, requests) => this.#runOnThread(thread, requests),
      );
      this.#pools.set(device, pool);
    }
    return pool;
  }

  #threadData(): InferenceWorkerData {
    const { onnxRuntime = '', busyPollMicros = 0 } = this.#options;
    return { simwright: 'inference', onnxRuntime, busyPollMicros };
  }

  #settings(device: string): SessionSettings {
    return {
      device,
      intraOpThreads: this.#options.intraOpThreads ?? 0,
      interOpThreads: this.#options.interOpThreads ?? 0,
    };
  }
}
