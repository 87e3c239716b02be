import { performance } from 'node:perf_hooks';
import type { BackendName } from '../../../ml/backends.js';
import { isAmong, standIn } from '../../../ml/devices.js';
import type { Backend, Backends, ModelTraits } from './backend.js';
import { builtInBackends } from './backends.js';
import { type BatchOptions, batchShapeOf } from './batching.js';
import type { DevicePool } from './device-pool.js';
import { DevicePools, type ThreadOptions } from './device-pools.js';
import {
  type HostName,
  type HostsHere,
  hostFor,
  type ProgramKind,
  type ThreadHost,
  workerFrameworks,
} from './hosts.js';
import { InferenceError } from './inference-error.js';
import { type LaneModel, type LaneRequest, laneModelBytes, MainLane } from './main-lane.js';
import type { ScriptCall, SessionSettings } from './messages.js';
import { devicesHere } from './onnx/devices-here.js';
import type {
  HostedProgram,
  LoadedModel,
  LoadedProgram,
  LoadedScript,
  ModelDefinition,
  ScriptDefinition,
} from './programs.js';
import type { WorkerFacts } from './python/worker-process.js';
import { WorkerPython } from './python/worker-python.js';
import { RunCost } from './run-cost.js';
import type { RunRequest } from './run-queue.js';
import type { LoadedFacts, Runner, RunResult } from './runner.js';
import { loadCounted, type SessionMemory } from './session-memory.js';
import type { ByteSource, TensorSource } from './tensor.js';

/** Longest time to load a model that may be loaded on the main thread too. */
const laneLoadMicros = 10_000;

const noBatches: BatchOptions = { batchSize: 0, minBatchSize: 0, minBatchTimeoutMs: 0 };

/** Options of the AI layer. */
export interface InferenceOptions extends ThreadOptions {
  /** Backends beside the built-in ones, which the module at `workerUrl` must know, too. Default: none. */
  readonly backends?: Backends | undefined;
  /** Name or path of the Python for workers. Default: `$SIMWRIGHT_PYTHON`, else `python3`. */
  readonly python?: string | undefined;
  /** Devices that others stand in for, as {@link parseDevice} gives both: `GPU:0` by `CPU`. */
  readonly mapDevice?: Readonly<Record<string, string>> | undefined;
  /** Devices that models may ask for, besides those that others stand in for. Default: all. */
  readonly devices?: readonly string[] | undefined;
  /** Account that the memory of sessions is counted in. Default: none. */
  readonly memory?: SessionMemory | undefined;
}

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
  readonly #backends: ReadonlyMap<ThreadHost, Backend>;
  readonly #python: WorkerPython;
  readonly #here: HostsHere;
  readonly #models = new Map<number, HostedProgram>();
  #nextId = 1;
  #requests = 0;
  #runs = 0;

  constructor(options: InferenceOptions) {
    this.#options = options;
    const factories = Object.entries({ ...builtInBackends, ...options.backends });
    this.#backends = new Map(
      factories.map(([name, make]) => [name as ThreadHost, make({ onnxRuntime: options.onnxRuntime })]),
    );
    this.#python = new WorkerPython(options.python, (message) => options.log?.('info', message));
    const runsOnThread = (host: ThreadHost) => {
      const backend = this.#backends.get(host);
      return backend !== undefined && backend.missing === undefined;
    };
    this.#here = {
      runsOnThread,
      hasOnnxGpu: devicesHere(options.onnxRuntime).some((device) => device.startsWith('GPU')),
      hasFramework: (backend) => this.#python.has(backend),
    };
    const hosts = { runsOnThread, python: () => this.#python.path };
    this.#pools = new DevicePools(options, hosts, (thread, requests) => this.#runOnThread(thread, requests));
    this.#lane = new MainLane(
      (request) => this.#poolOf(request.model as unknown as HostedProgram).run(request),
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

  /** Facts of the worker processes that run. */
  get workers(): readonly WorkerFacts[] {
    return this.#pools.workers;
  }

  /** Facts of the worker processes that run programs like this one. */
  workersOf({ id }: LoadedProgram): readonly WorkerFacts[] {
    const held = this.#models.get(id);
    const framework = held?.backend === undefined && held !== undefined ? workerFrameworks[held.host] : undefined;
    return this.workers.filter((one) => one.framework === framework && one.device === held?.device);
  }

  /** Starts the first thread of each backend that has threads and lets it make itself ready. */
  warmUp(): void {
    for (const [host, { missing }] of this.#backends) {
      if (missing === undefined) this.#pools.of(host, 'CPU', false).warmUp();
    }
  }

  /** Makes what runs models of a backend on a device ready. @throws InferenceError if it cannot be had */
  async preload(backend: BackendName, device = 'CPU'): Promise<void> {
    const given = this.#deviceFor(device);
    const host = await this.#hostOf('model', backend, given);
    await this.#pools.startWorkers(host, given);
  }

  /** @throws InferenceError */
  async load({ backend, device, batch = noBatches, inputs, outputs, bytes }: ModelDefinition): Promise<LoadedModel> {
    const names = { ...(inputs && { inputs }), ...(outputs && { outputs }) };
    const { id, device: given, facts } = await this.#load('model', backend, device, bytes, batch, names);
    const { inputs: ins, outputs: outs, anyOutputs = false, inputTypes } = facts;
    return { id, device: given, inputs: ins, outputs: outs, anyOutputs, inputTypes };
  }

  /** @throws InferenceError */
  async loadScript({ device, bytes }: ScriptDefinition): Promise<LoadedScript> {
    const { id, device: given, facts } = await this.#load('script', 'TORCH', device, bytes, noBatches, {});
    return { id, device: given, functions: new Map(Object.entries(facts.functions ?? {})) };
  }

  async #load(
    kind: ProgramKind,
    backendName: BackendName,
    asked: string,
    bytes: ByteSource,
    batch: BatchOptions,
    names: Pick<SessionSettings, 'inputs' | 'outputs'>,
  ): Promise<{ readonly id: number; readonly device: string; readonly facts: LoadedFacts }> {
    const id = this.#nextId++;
    const device = this.#deviceFor(asked);
    const host = await this.#hostOf(kind, backendName, device);
    const backend = host === 'ONNX-WORKER' ? undefined : this.#backends.get(host);
    // It refuses some models, wherever they run.
    if (host === 'ONNX-WORKER') await factsOf(this.#backends.get('ONNX') as Backend, bytes);
    const settings = { ...this.#settings(kind, device), ...names };
    const { isUnbounded, dependsOnValues } = backend === undefined ? ofWorkers : await factsOf(backend, bytes);
    const isIsolated = isUnbounded && backend?.isApart === false;
    const facts = await this.#pools
      .of(host, device, isIsolated)
      .use((thread) => loadCounted(this.#options.memory, thread, id, bytes, settings));
    bytes.hold();
    this.#models.set(id, {
      id,
      backend,
      host,
      device,
      bytes,
      batch,
      settings,
      cost: new RunCost(),
      // Requests that wait for others to share a batch must all wait in one place.
      mayRunHere:
        // A run that is cheap with one value may be expensive with the next.
        !dependsOnValues &&
        backend?.isApart === false &&
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
    return { id, device, facts };
  }

  /**
   * Inputs in the model's order, as many as it has; `timeoutMs` says how long the request may wait to be begun.
   * @throws InferenceError
   */
  run(model: LoadedModel, inputs: readonly TensorSource[], timeoutMs?: number): Promise<RunResult> {
    return this.#run(model.id, inputs, undefined, timeoutMs);
  }

  /**
   * Runs a function of a script on any number of inputs; `timeoutMs` says how long the request may wait to be begun.
   * @throws InferenceError
   */
  runScript(
    script: LoadedScript,
    call: ScriptCall,
    inputs: readonly TensorSource[],
    timeoutMs?: number,
  ): Promise<RunResult> {
    return this.#run(script.id, inputs, call, timeoutMs);
  }

  #run(
    id: number,
    inputs: readonly TensorSource[],
    call: ScriptCall | undefined,
    timeoutMs: number | undefined,
  ): Promise<RunResult> {
    const held = this.#models.get(id);
    if (held === undefined) {
      const noun = call === undefined ? 'model' : 'script';
      return Promise.reject(new InferenceError('failed', `the ${noun} has been deleted`));
    }
    held.pending += 1;
    return new Promise<RunResult>((resolve, reject) => {
      let bytes = 0;
      for (const input of inputs) bytes += input.bytes.byteLength;
      const request: RunRequest = {
        model: held,
        inputs,
        call,
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
   * Loads a model or script on every thread or worker that may run it and, where inputs are given, runs it there, so that no client waits for
   * what a first run makes ready. It counts nowhere.
   * @throws InferenceError
   */
  async tryOut(program: LoadedProgram, inputs: readonly TensorSource[] | undefined): Promise<void> {
    const held = this.#models.get(program.id);
    if (held === undefined) return;
    held.pending += 1;
    try {
      await this.#poolOf(held).useEach(async (thread) => {
        if (!thread.has(held.id)) await loadCounted(this.#options.memory, thread, held.id, held.bytes, held.settings);
        if (inputs !== undefined) await thread.run(held.id, [inputs], [0]);
      });
    } finally {
      this.#end(held);
    }
  }

  #end(held: HostedProgram): void {
    held.pending -= 1;
    if (held.unwanted) this.#drop(held);
  }

  /** True unless it has been unloaded. */
  isLoaded({ id }: LoadedProgram): boolean {
    return this.#models.get(id)?.unwanted === false;
  }

  /** The same model or script for one more, who will {@link unload} it, too. */
  share<Program extends LoadedProgram>(model: Program): Program {
    const held = this.#models.get(model.id);
    if (held !== undefined) held.owners += 1;
    return model;
  }

  /**
   * Frees a model and its bytes once the runs that wait for it have ended. Those of one that was deleted, not replaced, may take five
   * seconds each.
   */
  unload(model: LoadedProgram, deleted = true): void {
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
  #belongsHere(held: HostedProgram, bytes: number): boolean {
    if (!held.mayRunHere || !held.cost.isCheap(bytes, 1 / Math.max(1, held.batch.batchSize))) return false;
    if (this.#lane.has(held.id)) return true;
    this.#lane.prepare(held as LaneModel);
    return false;
  }

  /** Runs the requests as one; what it gives answers them. */
  async #runOnThread(thread: Runner, requests: readonly RunRequest[]): Promise<() => void> {
    const [first] = requests as [RunRequest, ...RunRequest[]];
    const held = first.model as HostedProgram;
    try {
      if (!thread.has(held.id)) await loadCounted(this.#options.memory, thread, held.id, held.bytes, held.settings);
      const results = await thread.run(
        held.id,
        requests.map(({ inputs }) => inputs),
        requests.map(({ shape }) => shape?.size ?? 0),
        first.call,
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

  #drop(held: HostedProgram): void {
    if (held.pending > 0) return;
    this.#models.delete(held.id);
    if (held.backend !== undefined) this.#lane.unload(held as LaneModel);
    held.bytes.letGo();
    this.#pools.unload(held.host, held.device, held.id);
  }

  /** The host of a program, which can run it here. @throws InferenceError */
  async #hostOf(kind: ProgramKind, backendName: BackendName, device: string): Promise<HostName> {
    const host = await hostFor(kind, backendName, device, this.#here);
    const framework = workerFrameworks[host];
    if (host !== 'ONNX-WORKER') {
      const backend = this.#backends.get(host);
      if (backend?.missing !== undefined) throw new InferenceError('backend', backend.missing);
      if (backend !== undefined) return host;
    }
    if (framework === undefined) throw new InferenceError('backend', `nothing runs programs of ${host} here`);
    await this.#python.need(framework);
    return host;
  }

  /** The device that runs what is asked for on another. @throws InferenceError if it is none of this store's */
  #deviceFor(asked: string): string {
    const device = standIn(this.#options.mapDevice ?? {}, asked);
    const { devices } = this.#options;
    if (devices === undefined || device !== asked || isAmong(devices, asked)) return device;
    throw new InferenceError('device', `this orchestrator runs models on ${devices.join(', ')}, not on ${asked}`);
  }

  #poolOf({ host, device, isIsolated }: HostedProgram): DevicePool {
    return this.#pools.of(host, device, isIsolated);
  }

  #settings(kind: ProgramKind, device: string): SessionSettings {
    return {
      kind,
      device,
      intraOpThreads: this.#options.intraOpThreads ?? 0,
      interOpThreads: this.#options.interOpThreads ?? 0,
    };
  }
}

/** Traits of programs that a process of their own runs: it can be ended, and no run of theirs comes to this thread. */
const ofWorkers: ModelTraits = { isUnbounded: false, dependsOnValues: true };

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
