import type { BackendName } from '../../../ml/backends.js';
import { DevicePool, type RunOnThread } from './device-pool.js';
import { InferenceThread } from './inference-thread.js';
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
}

/** Longest time for a run, unless told. */
export const defaultRunLimitMs = 60_000;

/** The threads of all backends: a pool a device, and another for models that run in a process of their own there. */
export class DevicePools {
  readonly #options: ThreadOptions;
  readonly #workerUrl: URL;
  readonly #run: RunOnThread;
  readonly #pools = new Map<string, DevicePool>();

  constructor(options: ThreadOptions, run: RunOnThread) {
    this.#options = options;
    this.#workerUrl = options.workerUrl ?? defaultWorkerUrl();
    this.#run = run;
  }

  /** Devices that have a queue. */
  get devices(): string[] {
    return [...new Set([...this.#pools.values()].map(({ device }) => device))];
  }

  of(backend: BackendName, device: string, isIsolated: boolean): DevicePool {
    const name = nameOf(backend, device, isIsolated);
    const there = this.#pools.get(name);
    if (there !== undefined) return there;
    const { onnxRuntime, threadsPerQueue = 1, busyPollMicros = 0, runLimitMs = defaultRunLimitMs } = this.#options;
    const apart = isIsolated ? { isolated: this.#workerUrl.href } : {};
    const data = { simwright: 'inference', backend, onnxRuntime, busyPollMicros, ...apart } as const;
    const start = () => new InferenceThread(this.#workerUrl, data, runLimitMs);
    const pool = new DevicePool(device, threadsPerQueue, start, this.#run);
    this.#pools.set(name, pool);
    return pool;
  }

  /** Unloads a model from all threads that may have it. */
  unload(backend: BackendName, device: string, model: number): void {
    for (const isIsolated of [false, true]) {
      this.#pools.get(nameOf(backend, device, isIsolated))?.forEach((thread) => {
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

function nameOf(backend: BackendName, device: string, isIsolated: boolean): string {
  return `${backend} ${device}${isIsolated ? ' isolated' : ''}`;
}
