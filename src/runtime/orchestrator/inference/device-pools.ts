import { performance } from 'node:perf_hooks';
import { DevicePool, type RunOnThread } from './device-pool.js';
import { type HostName, type ThreadHost, workerFrameworks } from './hosts.js';
import { InferenceThread } from './inference-thread.js';
import { type WorkerFacts, WorkerProcess } from './python/worker-process.js';
import type { Runner } from './runner.js';
import { defaultWorkerUrl } from './worker-url.js';

/** Options of the threads that run models. */
export interface ThreadOptions {
  /** Absolute path of the onnxruntime-node package folder or entry; without it no ONNX model can be loaded. */
  readonly onnxRuntime?: string | undefined;
  /** Threads a device. Default 1. */
  readonly threadsPerQueue?: number | undefined;
  readonly workerUrl?: URL | undefined;
  /** Microseconds for which threads look for the next request after one before they sleep. Default 0. */
  readonly busyPollMicros?: number | undefined;
  /** A run that takes longer fails, and whatever runs it is given up. Default 60,000. */
  readonly runLimitMs?: number | undefined;
  /** 0 or absent: the framework's choice. */
  readonly interOpThreads?: number | undefined;
  readonly intraOpThreads?: number | undefined;
  readonly log?: ((level: 'info' | 'warn', message: string) => void) | undefined;
}

/** Facts of the hosts that a pool of threads or processes depends on. */
export interface PoolHosts {
  runsOnThread(host: ThreadHost): boolean;
  /** Path of the Python for workers. */
  python(): string;
}

/**
 * Milliseconds for which a worker that never got ready answers for the next one. Clients of SmartRedis ask again each second, and a start takes
 * seconds of a CPU, which others need.
 */
const refusalMs = 30_000;

/** Longest time for a run, unless told. */
export const defaultRunLimitMs = 60_000;

/** The threads of all backends: a pool a device, and another for models that run in a process of their own there. */
export class DevicePools {
  readonly #options: ThreadOptions;
  readonly #workerUrl: URL;
  readonly #hosts: PoolHosts;
  readonly #run: RunOnThread;
  readonly #pools = new Map<string, DevicePool>();
  readonly #workers = new Set<WorkerProcess>();
  /** Workers that have ended before they were ready, by the names of their pools. */
  readonly #refusals = new Map<string, { readonly worker: WorkerProcess; readonly untilMs: number }>();

  constructor(options: ThreadOptions, hosts: PoolHosts, run: RunOnThread) {
    this.#options = options;
    this.#hosts = hosts;
    this.#workerUrl = options.workerUrl ?? defaultWorkerUrl();
    this.#run = run;
  }

  /** Devices that have a queue. */
  get devices(): string[] {
    return [...new Set([...this.#pools.values()].map(({ device }) => device))];
  }

  /** Facts of the worker processes that run. */
  get workers(): WorkerFacts[] {
    for (const worker of this.#workers) if (worker.dead) this.#workers.delete(worker);
    return [...this.#workers].map((worker) => worker.facts());
  }

  of(host: HostName, device: string, isIsolated: boolean): DevicePool {
    const name = nameOf(host, device, isIsolated);
    const there = this.#pools.get(name);
    if (there !== undefined) return there;
    const { threadsPerQueue = 1 } = this.#options;
    const isThread = host !== 'ONNX-WORKER' && this.#hosts.runsOnThread(host);
    const start = (): Runner =>
      isThread ? this.#startThread(host, isIsolated) : this.#startWorker(host, device, () => pool);
    const pool: DevicePool = new DevicePool(device, threadsPerQueue, start, this.#run);
    this.#pools.set(name, pool);
    return pool;
  }

  /** Starts the processes of a host before they are needed. Rejects with InferenceError if they cannot run anything. */
  async startWorkers(host: HostName, device: string): Promise<void> {
    const pool = this.of(host, device, false);
    pool.warmUp(this.#options.threadsPerQueue);
    const started: Promise<void>[] = [];
    pool.forEach((runner) => {
      if (runner instanceof WorkerProcess) started.push(runner.ready());
    });
    await Promise.all(started);
  }

  #startThread(host: ThreadHost, isIsolated: boolean): InferenceThread {
    const { onnxRuntime, busyPollMicros = 0, runLimitMs = defaultRunLimitMs } = this.#options;
    const apart = isIsolated ? { isolated: this.#workerUrl.href } : {};
    const data = { simwright: 'inference', host, onnxRuntime, busyPollMicros, ...apart } as const;
    return new InferenceThread(this.#workerUrl, data, runLimitMs);
  }

  /** A new worker, or one that has just ended before it was ready and tells why. */
  #startWorker(host: HostName, device: string, pool: () => DevicePool): WorkerProcess {
    const name = nameOf(host, device, false);
    const refusal = this.#refusals.get(name);
    if (refusal !== undefined && performance.now() < refusal.untilMs) return refusal.worker;
    this.#refusals.delete(name);
    const { interOpThreads = 0, intraOpThreads = 0, busyPollMicros = 0 } = this.#options;
    const { runLimitMs = defaultRunLimitMs, log = () => {} } = this.#options;
    const framework = workerFrameworks[host];
    if (framework === undefined) throw new Error(`nothing runs programs of ${host}`);
    const worker = new WorkerProcess({
      ...{
        python: this.#hosts.python(),
        framework,
        device,
        intraOpThreads,
        interOpThreads,
        busyPollMicros,
        runLimitMs,
        log,
      },
      onDeath: (dead) => {
        this.#workers.delete(dead);
        // A worker that never got ready would fail the next time too: the next request for it is told the reason.
        if (dead.facts().version !== undefined) pool().replace(dead);
        else this.#refusals.set(name, { worker: dead, untilMs: performance.now() + refusalMs });
      },
    });
    this.#workers.add(worker);
    return worker;
  }

  /** Unloads a model from all threads that may have it. */
  unload(host: HostName, device: string, model: number): void {
    for (const isIsolated of [false, true]) {
      this.#pools.get(nameOf(host, device, isIsolated))?.forEach((thread) => {
        thread.unload(model);
      });
    }
  }

  /** Ends all threads; what they were doing fails if it takes longer than two seconds. */
  async close(): Promise<void> {
    await Promise.all([...this.#pools.values()].map((pool) => pool.close()));
  }

  /** True if a thread works that nothing can end: only the end of the process can. */
  get isStuck(): boolean {
    return [...this.#pools.values()].some((pool) => pool.isStuck);
  }
}

function nameOf(host: HostName, device: string, isIsolated: boolean): string {
  return `${host} ${device}${isIsolated ? ' isolated' : ''}`;
}
