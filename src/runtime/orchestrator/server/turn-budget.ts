/** How much is read of large requests in one turn of the event loop, over all connections … */
const bytesPerTurn = 1024 * 1024;
/** … and how much one connection may read all the same: to stop and start it costs as much as reading a little. */
const bytesPerConnection = 256 * 1024;

/** Shares out what is read in a turn of the event loop, so that large requests leave time for others. */
export class TurnBudget {
  #left = bytesPerTurn;
  #scheduled = false;
  #waiting: (() => void)[] = [];
  /** Numbers the turns. */
  turn = 0;

  /**
   * Whether a connection that has read `own` bytes in this turn, `bytes` of them now, may go on; if not, `next` is called
   * in the next turn.
   */
  spend(bytes: number, own: number, next: () => void): boolean {
    this.#left -= bytes;
    // To hear of the next turn costs a turn: little is read without.
    if (!this.#scheduled && this.#left < bytesPerTurn / 2) {
      this.#scheduled = true;
      setImmediate(() => this.#begin());
    }
    if (this.#left > 0 || own < bytesPerConnection) return true;
    this.#waiting.push(next);
    return false;
  }

  #begin(): void {
    this.#scheduled = false;
    this.turn += 1;
    this.#left = bytesPerTurn;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const next of waiting) next();
  }
}
