import { performance } from 'node:perf_hooks';
import type { BackendName } from '../../../ml/backends.js';
import { isAmong, standIn } from '../../../ml/devices.js';
import type { Backend, Backends, ModelTraits } from './backend.js';
import { builtInBackends } from './backends.js';
import { type BatchOptions, batchShapeOf } from './batching.js';
import type { DevicePool } from './device-pool.js';
import { DevicePools, type ThreadOptions } from './device-pools.js';
import { InferenceError } from './inference-error.js';
import type { InferenceThread, LoadedFacts, RunResult } from './inference-thread.js';
import type { InputTypes } from './input-type.js';
import { type LaneModel, type LaneRequest, MainLane } from './main-lane.js';
import type { SessionSettings } from './messages.js';
import { RunCost } from './run-cost.js';
import type { RunRequest } from './run-queue.js';
import type { ByteSource, TensorSource } from './tensor.js';

/** A model up to this size, and no slower to load, may be loaded on the main thread too. */
const laneModelBytes = 4 * 1024 * 1024;
const laneLoadMicros = 10_000;

/** Options of the AI layer. */
export interface InferenceOptions extends ThreadOptions {
  /** Backends beside the built-in ones, which the module at `workerUrl` must know, too. Default: none. */
  readonly backends?: Partial<Backends> | undefined;
  /** 0 or absent: ONNX Runtime's choice. */
  readonly interOpThreads?: number | undefined;
  readonly intraOpThreads?: number | undefined;
  /** Devices that others stand in for, as {@link parseDevice} gives both: `GPU:0` by `CPU`. */
  readonly mapDevice?: Readonly<Record<string, string>> | undefined;
  /** Devices that models may ask for, besides those that others stand in for. Default: all. */
  readonly devices?: readonly string[] | undefined;
  /** Account that the memory of sessions is counted in. Default: none. */
  readonly memory?: SessionMemory | undefined;
}

/** Counts the memory that sessions take. */
export interface SessionMemory {
  /** Reserves memory for a while. False if there is not enough. */
  reserve(bytes: number): boolean;
  add(bytes: number): void;
  release(bytes: number): void;
}

/** Memory that a session takes besides its weights, in bytes. */
const sessionOverheadBytes = 256 * 1024;
/** Memory taken while a session is made, as a multiple of the model's bytes. */
const loadingFactor = 3;

/** A model to load. */
export interface ModelDefinition {
  readonly backend: BackendName;
  /** As {@link parseDevice} gives it. */
  readonly device: string;
  readonly batch?: BatchOptions;
  readonly bytes: ByteSource;
}

/** A model that can be run, until it is unloaded. */
export interface LoadedModel {
  readonly id: number;
  /** Device that it runs on. */
  readonly device: string;
  /** Names in the model's order. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly inputTypes?: InputTypes;
}

/** A model and what is known of its runs. */
interface HostedModel extends LaneModel {
  readonly backendName: BackendName;
  readonly device: string;
  readonly batch: BatchOptions;
  /** It may run on the main thread if it proves cheap. */
  readonly mayRunHere: boolean;
  readonly isQuick: boolean;
  /** It runs in a process of its own, which can be ended: its runs may not end by themselves. */
  isIsolated: boolean;
  pending: number;
  /** Number of values that have it, each of which unloads it once. */
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
  readonly #pools: DevicePools;
  readonly #lane: MainLane;
  /** The main thread's. */
  readonly #backends: ReadonlyMap<BackendName, Backend>;
  readonly #models = new Map<number, HostedModel>();
  #nextId = 1;
  #requests = 0;
  #runs = 0;

  constructor(options: InferenceOptions) {
    this.#options = options;
    const factories = Object.entries({ ...builtInBackends, ...options.backends });
    this.#backends = new Map(
      factories.map(([name, make]) => [name as BackendName, make({ onnxRuntime: options.onnxRuntime })]),
    );
    this.#pools = new DevicePools(options, (thread, requests) => this.#runOnThread(thread, requests));
    this.#lane = new MainLane(
      (request) => this.#poolOf(request.model as unknown as HostedModel).run(request),
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
    return this.#pools.devices;
  }

  /** Starts the first thread of each backend and lets it make itself ready. */
  warmUp(): void {
    for (const [name, { missing }] of this.#backends) {
      if (missing === undefined) this.#pools.of(name, 'CPU', false).warmUp();
    }
  }

  /** Runs a script, which no backend of this version does. @throws InferenceError */
  runScript(): never {
    throw new InferenceError('failed', notHere('scripts need a Torch worker to run'));
  }

  /** @throws InferenceError */
  async load({ backend: backendName, device: asked, batch = noBatches, bytes }: ModelDefinition): Promise<LoadedModel> {
    const backend = this.#backend(backendName);
    const id = this.#nextId++;
    const device = standIn(this.#options.mapDevice ?? {}, asked);
    this.#checkDevice(asked, device);
    const settings = this.#settings(device);
    const { isUnbounded, dependsOnValues } = await factsOf(backend, bytes);
    const isIsolated = isUnbounded && !backend.isApart;
    const facts = await this.#pools
      .of(backendName, device, isIsolated)
      .use((thread) => this.#loadOn(thread, id, bytes, settings));
    bytes.hold();
    this.#models.set(id, {
      id,
      backend,
      backendName,
      device,
      bytes,
      batch,
      settings,
      cost: new RunCost(),
      // Requests that wait for others to share a batch must all wait in one place.
      mayRunHere:
        // A run that is cheap with one value may be expensive with the next.
        !dependsOnValues &&
        !backend.isApart &&
        device.startsWith('CPU') &&
        bytes.byteLength <= laneModelBytes &&
        facts.micros <= laneLoadMicros &&
        batch.minBatchSize <= 1,
      get isQuick() {
        return this.cost.isQuick;
      },
      isIsolated,
      pending: 0,
      owners: 1,
      unwanted: false,
    });
    return { id, device, inputs: facts.inputs, outputs: facts.outputs, inputTypes: facts.inputTypes };
  }

  /**
   * Inputs in the model's order, as many as it has; `timeoutMs` says how long the request may wait to be begun.
   * @throws InferenceError
   */
  run(model: LoadedModel, inputs: readonly TensorSource[], timeoutMs?: number): Promise<RunResult> {
    const held = this.#models.get(model.id);
    if (held === undefined) return Promise.reject(new InferenceError('failed', 'the model has been deleted'));
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
      else this.#poolOf(held).run(request);
    });
  }

  /**
   * Runs a model on each of the threads that it may run on, so that no client waits for what a first run makes ready. It counts nowhere.
   * @throws InferenceError
   */
  async tryOut(model: LoadedModel, inputs: readonly TensorSource[]): Promise<void> {
    const held = this.#models.get(model.id);
    if (held === undefined) return;
    held.pending += 1;
    try {
      await this.#poolOf(held).useEach(async (thread) => {
        if (!thread.has(held.id)) await this.#loadOn(thread, held.id, held.bytes, held.settings);
        await thread.run(held.id, [inputs], [0]);
      });
    } finally {
      this.#end(held);
    }
  }

  #end(held: HostedModel): void {
    held.pending -= 1;
    if (held.unwanted) this.#drop(held);
  }

  /** The same model for one more, who will {@link unload} it, too. */
  share(model: LoadedModel): LoadedModel {
    const held = this.#models.get(model.id);
    if (held !== undefined) held.owners += 1;
    return model;
  }

  /**
   * Frees a model and its bytes once the runs that wait for it have ended. Those of one that was deleted, not replaced, may take five
   * seconds each.
   */
  unload(model: LoadedModel, deleted = true): void {
    const held = this.#models.get(model.id);
    if (held === undefined) return;
    held.owners -= 1;
    if (held.owners > 0) return;
    held.unwanted = true;
    // Held on, they count as memory until the last run has ended.
    held.bytes.discard();
    this.#drop(held);
    const pool = this.#poolOf(held);
    if (held.pending > 0 && deleted) {
      pool.forEach((thread) => {
        thread.endSoon(held.id);
      });
    }
    if (held.batch.minBatchSize > 0) pool.wake();
  }

  /** Ends all threads; what they were doing fails if it takes longer than two seconds. */
  async close(): Promise<void> {
    await Promise.all([this.#pools, ...this.#backends.values()].map((part) => part.close()));
  }

  /** True if a thread works that nothing can end: only the end of the process can. */
  get isStuck(): boolean {
    return this.#pools.isStuck;
  }

  /** A model that fills batches must leave the main thread time for a full one. */
  #belongsHere(held: HostedModel, bytes: number): boolean {
    if (!held.mayRunHere || !held.cost.isCheap(bytes, 1 / Math.max(1, held.batch.batchSize))) return false;
    if (this.#lane.has(held.id)) return true;
    this.#lane.prepare(held);
    return false;
  }

  /** Runs the requests as one; what it gives answers them. */
  async #runOnThread(thread: InferenceThread, requests: readonly RunRequest[]): Promise<() => void> {
    const [first] = requests as [RunRequest, ...RunRequest[]];
    const held = first.model as HostedModel;
    try {
      if (!thread.has(held.id)) await this.#loadOn(thread, held.id, held.bytes, held.settings);
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
          if (result === undefined) request.reject(new InferenceError('failed', 'the inference thread gave no result'));
          else request.resolve(result);
        }
      };
    } catch (error) {
      const problem = error instanceof Error ? error : new Error(String(error));
      if (problem instanceof InferenceError && problem.problem === 'not-begun') {
        return () => {
          for (const request of requests) this.#poolOf(held).run(request);
        };
      }
      // Next time it runs in a process, which can be ended.
      if (thread.isStuck) held.isIsolated = true;
      return () => {
        for (const { reject } of requests) reject(problem);
      };
    }
  }

  /** Makes a session, whose memory is counted as long as it is there. @throws InferenceError */
  async #loadOn(
    thread: InferenceThread,
    id: number,
    bytes: ByteSource,
    settings: SessionSettings,
  ): Promise<LoadedFacts> {
    const { memory } = this.#options;
    const transient = loadingFactor * bytes.byteLength;
    if (memory?.reserve(transient) === false) {
      throw new InferenceError('memory', 'there is no memory left for a session of the model');
    }
    try {
      const facts = await thread.load(id, bytes, settings);
      // Small ones may get another one on the main thread.
      const sessions = bytes.byteLength <= laneModelBytes ? 2 : 1;
      const taken = sessions * (bytes.byteLength + sessionOverheadBytes);
      memory?.add(taken);
      thread.onUnload(id, () => memory?.release(taken));
      return facts;
    } finally {
      memory?.release(transient);
    }
  }

  #drop(held: HostedModel): void {
    if (held.pending > 0) return;
    this.#models.delete(held.id);
    this.#lane.unload(held);
    held.bytes.letGo();
    this.#pools.unload(held.backendName, held.device, held.id);
  }

  /** @throws InferenceError if there is no such backend, or none that can run anything here */
  #backend(name: BackendName): Backend {
    const backend = this.#backends.get(name);
    if (backend === undefined) {
      throw new InferenceError('backend', notHere(`${name} models need a ${name} worker`));
    }
    if (backend.missing !== undefined) throw new InferenceError('backend', backend.missing);
    return backend;
  }

  #checkDevice(asked: string, device: string): void {
    const { devices } = this.#options;
    if (devices === undefined || device !== asked || isAmong(devices, asked)) return;
    throw new InferenceError('device', `this orchestrator runs models on ${devices.join(', ')}, not on ${asked}`);
  }

  #poolOf({ backendName, device, isIsolated }: HostedModel): DevicePool {
    return this.#pools.of(backendName, device, isIsolated);
  }

  #settings(device: string): SessionSettings {
    return {
      device,
      intraOpThreads: this.#options.intraOpThreads ?? 0,
      interOpThreads: this.#options.interOpThreads ?? 0,
    };
  }
}

function notHere(need: string): string {
  return `${need}, which this orchestrator does not have`;
}

/** @throws InferenceError */
async function factsOf(backend: Backend, bytes: ByteSource): Promise<ModelTraits> {
  const here = bytes.peek();
  if (here === undefined) throw new InferenceError('failed', 'the model is in use elsewhere');
  try {
    return await backend.facts(here.bytes);
  } finally {
    here.release();
  }
}
