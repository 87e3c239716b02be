import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { type WarmUp, warmUp } from '../ai/warm-up.js';
import { BusyPoll } from '../busy-poll.js';
import { Inference, SharingInference } from '../inference/index.js';
import { EngineWorker, type EngineWorkerOptions } from './engine-worker.js';

/** A client, its server, this thread and one that runs models: with fewer CPUs a thread that looks for its next run keeps one of them waiting. */
const cpusToPollOnThreads = 4;
/** Milliseconds between two attempts to reach a server that has gone. */
const againMs = 100;

/** Options of the AI layer beside several servers. */
export interface EngineWorkersOptions extends Omit<EngineWorkerOptions, 'socketPath' | 'inference' | 'poll'> {
  readonly sockets: readonly string[];
  /** True if servers may die, and come back under their sockets, while it runs. Default: it ends with the first that has gone. */
  readonly outlivesServers?: boolean | undefined;
}

/** The AI layer beside one server, or beside several that are servers of one cluster and have the same models: these are loaded once for all. */
export class EngineWorkers {
  readonly inference: Inference;
  readonly #workers: EngineWorker[];
  readonly #outlives: boolean;
  #isClosed = false;
  /** Resolves when one of the connections has ended that it needs, with the reason unless {@link close} was called. */
  readonly ended: Promise<Error | undefined>;

  constructor({ sockets, outlivesServers = false, ...given }: EngineWorkersOptions) {
    const poll = new BusyPoll(given.busyPollMicros ?? 0);
    const options = availableParallelism() < cpusToPollOnThreads ? { ...given, busyPollMicros: 0 } : given;
    this.#outlives = outlivesServers;
    this.inference = sockets.length > 1 ? new SharingInference(options) : new Inference(options);
    const open = (socketPath: string, index: number) => {
      // One of them prepares what all use.
      const preloadBackends = index === 0 ? options.preloadBackends : undefined;
      return new EngineWorker({ ...options, socketPath, inference: this.inference, poll, preloadBackends });
    };
    this.#workers = sockets.map(open);
    const ends = sockets.map((socketPath, index) =>
      outlivesServers ? this.#keep(index, () => open(socketPath, index)) : this.#workers[index]?.ended,
    );
    this.ended = Promise.race(ends);
  }

  /** Resolves when all servers have taken it that are there. Rejects if one does not, and it needs all. */
  async ready(): Promise<void> {
    const all = this.#workers.map((worker) => worker.ready());
    await (this.#outlives ? Promise.allSettled(all) : Promise.all(all));
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
    this.#isClosed = true;
    await Promise.all(this.#workers.map((worker) => worker.close()));
    await this.inference.close();
  }

  /** Connects to a server again whenever it has gone, as soon as it is back. */
  async #keep(index: number, open: () => EngineWorker): Promise<undefined> {
    while (!this.#isClosed) {
      await this.#workers[index]?.ended;
      await this.#workers[index]?.close();
      await sleep(againMs);
      if (!this.#isClosed) this.#workers[index] = open();
    }
    return undefined;
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
