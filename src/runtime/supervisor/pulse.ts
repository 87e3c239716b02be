/** Beats without a sign of life after which the other end counts as gone. */
export const mostSilentBeats = 12;

/**
 * Tells that the other end of a connection is silent. It counts its own beats, not the time: where both ends were stopped for hours, as a
 * suspended job is, neither is gone.
 */
export class Pulse {
  readonly #timer: NodeJS.Timeout;
  #silent = 0;

  constructor(everyMs: number, onBeat: () => void, onSilence: () => void) {
    this.#timer = setInterval(() => {
      this.#silent++;
      if (this.#silent <= mostSilentBeats) return onBeat();
      this.stop();
      onSilence();
    }, everyMs);
  }

  /** A sign of life has come. */
  heard(): void {
    this.#silent = 0;
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
