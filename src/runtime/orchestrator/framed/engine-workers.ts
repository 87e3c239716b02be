import { type WarmUp, warmUp } from '../ai/warm-up.js';
import { Inference, SharingInference } from '../inference/index.js';
import { EngineWorker, type EngineWorkerOptions } from './engine-worker.js';

/** The AI layer beside one server, or beside several that are servers of one cluster and have the same models: these are loaded once for all. */
export class EngineWorkers {
  readonly inference: Inference;
  readonly #workers: readonly EngineWorker[];
  /** Resolves when one of the connections has ended, with the reason unless {@link close} was called. */
  readonly ended: Promise<Error | undefined>;

  constructor({
    sockets,
    ...options
  }: Omit<EngineWorkerOptions, 'socketPath'> & { readonly sockets: readonly string[] }) {
    this.inference = sockets.length > 1 ? new SharingInference(options) : new Inference(options);
    this.#workers = sockets.map((socketPath, index) => {
      // One of them prepares what all use.
      const preloadBackends = index === 0 ? options.preloadBackends : undefined;
      return new EngineWorker({ ...options, socketPath, inference: this.inference, preloadBackends });
    });
    this.ended = Promise.race(this.#workers.map(({ ended }) => ended));
  }

  /** Resolves when all servers have taken it. Rejects if one does not. */
  async ready(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.ready()));
  }

  /** Runs each model that is loaded once on zeros, where it tells the types of its inputs; one result for each key. Never rejects. */
  async warmUp(): Promise<readonly WarmUp[]> {
    const ran = new Map<number, Promise<WarmUp>>();
    const done: WarmUp[] = [];
    for (const { key, program } of this.#workers.flatMap((worker) => worker.loaded)) {
      const id = idOf(program.loaded);
      const running = ran.get(id) ?? warmUp(this.inference, key, program);
      ran.set(id, running);
      done.push({ ...(await running), key });
    }
    return done;
  }

  /** Ends the connections and the threads. */
  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.close()));
    await this.inference.close();
  }
}

let lastOwnId = 0;

/** Number of a program; of one that could not be loaded, which says so when it is asked, one that no other has. */
function idOf(loaded: { readonly id: number }): number {
  try {
    return loaded.id;
  } catch {
    lastOwnId -= 1;
    return lastOwnId;
  }
}
