/** A run on the main thread may take this long. */
const cheapMicros = 1000;
/** A model that was too dear for the main thread comes back when its runs take no longer than this. */
const returnMicros = 500;
/** One run of this length on the main thread, and the model leaves it at once. */
const evictAboveMicros = 20_000;
/** Runs that a model must be measured for before it goes to the main thread. */
const firstProofs = 3;
/** Cheap runs that it takes to come back there; twice as many each time, up to … */
const returnProofs = 32;
const mostProofs = 4096;
const quickMicros = 20_000;
/** Runs whose median is the cost: one that another process kept waiting says nothing of the model. */
const window = 5;
/** Inputs are trusted to be as cheap as others up to this multiple of their size. */
const growth = 2;
const leastTrustedBytes = 1024;

/**
 * Cost of a model's runs, by its recent ones: tells if the next is cheap enough for the main thread.
 *
 * Runs with larger inputs than those seen cheap are judged apart: they go elsewhere until one of that size was cheap.
 */
export class RunCost {
  #recent: number[] = [];
  #medianMicros = Number.POSITIVE_INFINITY;
  /** Inputs of this size have been run cheaply. */
  #seenBytes = 0;
  #proofs = 0;
  #proofsNeeded = firstProofs;
  #nextReturn = returnProofs;
  #cheap = false;

  /** True if a run on so many bytes of inputs belongs on the main thread; `share` of the time it has is its own. */
  isCheap(bytes: number, share = 1): boolean {
    return (
      this.#cheap &&
      bytes <= Math.max(this.#seenBytes * growth, leastTrustedBytes) &&
      this.#medianMicros <= cheapMicros * share
    );
  }

  /** True if runs end so soon that others may wait behind them rather than for a thread. */
  get isQuick(): boolean {
    return this.#medianMicros <= quickMicros;
  }

  /** True if the model may run on the main thread now, whatever the size of its inputs. */
  get isWelcome(): boolean {
    return this.#cheap;
  }

  /** Counts a run elsewhere, with its duration and the bytes that each of its requests had. */
  measured(micros: number, bytes: number, requests = 1): void {
    const each = micros / requests;
    if (each > returnMicros && this.#cheap && bytes > this.#seenBytes * growth) return;
    this.#add(each);
    if (this.#medianMicros > returnMicros) this.#proofs = 0;
    if (each > returnMicros) return;
    this.#seenBytes = Math.max(this.#seenBytes, bytes);
    this.#proofs += 1;
    if (this.#cheap || this.#proofs < this.#proofsNeeded) return;
    this.#cheap = true;
    this.#recent = [];
    this.#add(each);
  }

  /** Counts a run on the main thread. */
  measuredHere(micros: number, bytes: number, requests = 1): void {
    this.#add(micros / requests);
    if (micros > evictAboveMicros || this.#medianMicros > cheapMicros) {
      this.#cheap = false;
      this.#proofs = 0;
      this.#proofsNeeded = this.#nextReturn;
      this.#nextReturn = Math.min(2 * this.#nextReturn, mostProofs);
    } else if (micros <= cheapMicros) {
      this.#seenBytes = Math.max(this.#seenBytes, bytes);
    }
  }

  #add(micros: number): void {
    this.#recent.push(micros);
    if (this.#recent.length > window) this.#recent.shift();
    const sorted = [...this.#recent].sort((a, b) => a - b);
    this.#medianMicros = sorted[(sorted.length - 1) >> 1] as number;
  }
}
