import { performance } from 'node:perf_hooks';

/** Time for which the outcome of a run is remembered whose client has gone. */
const rememberMs = 30_000;
const maxRemembered = 1024;

/** A request that takes long, in a form that another request for the same can be compared with. */
export interface RunningWork {
  /** Its model and its inputs, as numbers that no other values have; and the call, if it is of a script. */
  readonly inputs: readonly (number | string)[];
  /** Keys that it writes. */
  readonly outputs: readonly string[];
  readonly outcome: Promise<void>;
  /** Set when it is done; returns true if what it has stored is still there. */
  isStillTrue?: () => boolean;
}

/**
 * Work whose client has gone without an answer. SmartRedis gives up after 250 ms and sends the same again a second
 * later: that request gets the outcome of the first instead of a run of its own.
 */
export class AbandonedWork {
  readonly #works = new Map<RunningWork, number>();

  /** The client that waited for the work has gone. */
  add(work: RunningWork): void {
    this.#forgetOld();
    this.#works.set(work, performance.now());
  }

  /** The outcome of abandoned work that is the same, or undefined. Each is given once. */
  take(inputs: readonly (number | string)[], outputs: readonly string[]): RunningWork | undefined {
    if (this.#works.size === 0) return undefined;
    this.#forgetOld();
    for (const work of this.#works.keys()) {
      if (!isSame(work.inputs, inputs) || !isSame(work.outputs, outputs)) continue;
      this.#works.delete(work);
      if (work.isStillTrue === undefined || work.isStillTrue()) return work;
    }
    return undefined;
  }

  /** The oldest come first. Work that still runs is remembered as long as it does. */
  #forgetOld(): void {
    const limit = performance.now() - rememberMs;
    for (const [work, since] of this.#works) {
      if (this.#works.size > maxRemembered || (work.isStillTrue !== undefined && since < limit)) {
        this.#works.delete(work);
      }
    }
  }
}

function isSame<Item>(one: readonly Item[], other: readonly Item[]): boolean {
  return one.length === other.length && one.every((item, index) => item === other[index]);
}
