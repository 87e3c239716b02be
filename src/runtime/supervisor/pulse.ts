/** Beats without a sign of life after which the other end counts as gone. */
export const mostSilentBeats = 12;

/** The same for a store whose replicas take over when it is gone: it must have ended by then, also by its own beats, which are not those of the other end. */
export const mostSilentBeatsWithReplicas = 9;

/**
 * Tells that the other end of a connection is silent. It counts its own beats, not the time: where both ends were stopped for hours, as a
 * suspended job is, neither is gone.
 */
export class Pulse {
  readonly #timer: NodeJS.Timeout;
  #silent = 0;
  #most = mostSilentBeats;

  constructor(everyMs: number, onBeat: () => void, onSilence: () => void) {
    this.#timer = setInterval(() => {
      this.#silent++;
      if (this.#silent <= this.#most) return onBeat();
      this.stop();
      onSilence();
    }, everyMs);
  }

  /** Waits for so many beats from now on. */
  waitFor(beats: number): void {
    this.#most = beats;
  }

  /** A sign of life has come. */
  heard(): void {
    this.#silent = 0;
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
