const pauseMs = 1000;

/** Tells of refused connections, once a second at most, and how many there were. */
export class RefusalLog {
  readonly #tell: (message: string) => void;
  #refused = 0;
  #untold = 0;
  #last = '';
  #timer: NodeJS.Timeout | undefined;

  constructor(tell: (message: string) => void) {
    this.#tell = tell;
  }

  /** Connections that have been refused. */
  get refused(): number {
    return this.#refused;
  }

  add(from: string, reason: string): void {
    this.#refused += 1;
    this.#last = `from ${from}: ${reason}`;
    if (this.#timer !== undefined) {
      this.#untold += 1;
      return;
    }
    this.#tell(`refused a connection ${this.#last}`);
    this.#timer = setInterval(() => this.#tellMore(), pauseMs).unref();
  }

  /** Tells of those that have not been told of. */
  end(): void {
    if (this.#untold > 0) this.#tell(`refused ${this.#untold} more connections, the last ${this.#last}`);
    this.#untold = 0;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #tellMore(): void {
    if (this.#untold === 0) {
      this.end();
      return;
    }
    this.#tell(`refused ${this.#untold} more connections, the last ${this.#last}`);
    this.#untold = 0;
  }
}
