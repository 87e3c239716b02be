import { availableParallelism } from 'node:os';

/** Microseconds of looking that find the next request of a client that asks again at once. */
const defaultMicros = 500;
/** Number of times that it may look in vain before it stops looking. */
const mostCredit = 16;

/**
 * Microseconds to look for the next event after one, unless told. With a single CPU nobody could cause one meanwhile.
 */
export function busyPollMicros(asked: number | undefined): number {
  return asked ?? (availableParallelism() > 1 ? defaultMicros : 0);
}

/**
 * Keeps the event loop of a thread awake for a moment after something has happened: to wake a CPU that sleeps costs several times what a
 * small request does, above all on a virtual machine, and both sides of a connection pay for it.
 *
 * It may waste as much as it has saved: each event that it was awake for pays for one time in vain, and one that would have come in time
 * counts like that. A client that computes for a while between its requests soon finds a thread that sleeps.
 */
export class BusyPoll {
  readonly #windowMs: number;
  #credit = mostCredit;
  #polling = false;
  #next: NodeJS.Immediate | undefined;
  /** Requests that somebody else works on. */
  #open = 0;
  /** Since the last look an event has come … */
  #came = false;
  /** … or something was done that may bring one. */
  #done = false;
  #lastMs = Number.NEGATIVE_INFINITY;

  constructor(micros: number) {
    this.#windowMs = micros / 1000;
  }

  /** True if the event loop is kept awake. */
  get polling(): boolean {
    return this.#polling;
  }

  /** An event has come, which more may follow. */
  event(): void {
    this.#came = true;
    if (!this.#polling) this.#begin();
  }

  /** An answer was given, which an event may follow. */
  answered(): void {
    this.#done = true;
    if (!this.#polling) this.#begin();
  }

  /** A request has come that somebody else may work on: there is nothing to look for until it is {@link settled}, and the CPU is wanted. */
  asked(): void {
    if (this.#windowMs === 0) return;
    this.#open += 1;
    if (performance.now() - this.#lastMs < this.#windowMs) this.#earn();
    if (!this.#polling) return;
    this.#polling = false;
    clearImmediate(this.#next);
  }

  /** The answer to such a request was given, which an event may follow. */
  settled(): void {
    if (this.#windowMs === 0) return;
    this.#open -= 1;
    if (this.#open === 0) this.answered();
  }

  #begin(): void {
    if (this.#windowMs === 0) return;
    const now = performance.now();
    if (this.#came && now - this.#lastMs < this.#windowMs) this.#earn();
    this.#note(now);
    if (this.#credit === 0) return;
    this.#polling = true;
    this.#next = setImmediate(this.#look);
  }

  /** Runs once a turn of the event loop, which does not sleep as long as there is an immediate. */
  readonly #look = (): void => {
    const now = performance.now();
    if (this.#came) this.#earn();
    if (this.#came || this.#done) this.#note(now);
    else if (now - this.#lastMs >= this.#windowMs) {
      this.#polling = false;
      this.#credit -= 1;
      return;
    }
    this.#next = setImmediate(this.#look);
  };

  #note(now: number): void {
    this.#lastMs = now;
    this.#came = false;
    this.#done = false;
  }

  #earn(): void {
    if (this.#credit < mostCredit) this.#credit += 1;
  }
}
