/** Bulks from this size on are counted while they arrive. */
export const countedFromBytes = 1024 * 1024;

/** Memory for large bulks that are arriving, over all connections of a server. */
export class InboundMemory {
  readonly #room: () => number;
  #bytes = 0;

  /** `room` says how many bytes may be arriving at a time. */
  constructor(room: () => number) {
    this.#room = room;
  }

  /** Sets memory aside for a bulk, until {@link release}. False if there is none: the bulk is to be read past. */
  reserve(bytes: number): boolean {
    if (this.#bytes + bytes > this.#room()) return false;
    this.#bytes += bytes;
    return true;
  }

  release(bytes: number): void {
    this.#bytes -= bytes;
  }
}
