/** Bytes of large requests that are read in one turn of the event loop, over all connections … */
const bytesPerTurn = 1024 * 1024;
/** … for how long: fresh memory may take ten times what reading into it takes, on a virtual machine above all … */
const msPerTurn = 5;
/** … and how much one connection may read all the same: to stop and start it costs as much as reading a little. */
const bytesPerConnection = 256 * 1024;

/** Bytes that one connection has spent. The {@link TurnBudget} keeps it. */
export interface TurnAccount {
  turn: number;
  bytes: number;
}

/** Shares out what is read in a turn of the event loop, so that large requests leave time for others. */
export class TurnBudget {
  #left = bytesPerTurn;
  #scheduled = false;
  #waiting: (() => void)[] = [];
  #turn = 0;
  #lastMs = 0;

  /**
   * True if a connection that has just read so many bytes may go on in this turn; if not, `next` is called in the next one. Bytes
   * count for more if the time since those before them is a larger part of what a turn has.
   */
  spend(account: TurnAccount, bytes: number, next: () => void): boolean {
    const now = performance.now();
    const share = Math.min(1, (now - this.#lastMs) / msPerTurn);
    const price = Math.max(bytes, share * bytesPerTurn);
    this.#lastMs = now;
    this.#left -= price;
    account.bytes = price + (account.turn === this.#turn ? account.bytes : 0);
    account.turn = this.#turn;
    // To hear of the next turn costs a turn: little is read without.
    if (!this.#scheduled && this.#left < bytesPerTurn / 2) {
      this.#scheduled = true;
      setImmediate(() => this.#begin());
    }
    if (this.#left > 0 || account.bytes < bytesPerConnection) return true;
    this.#waiting.push(next);
    return false;
  }

  #begin(): void {
    this.#scheduled = false;
    this.#turn += 1;
    this.#left = bytesPerTurn;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const next of waiting) next();
  }
}
