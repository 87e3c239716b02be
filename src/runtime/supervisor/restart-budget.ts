/** Limit of a store's restarts: beyond it something is wrong that another start does not mend. */
const most = { restarts: 5, withinMs: 60_000 };

/** Counts the restarts of one store. */
export class RestartBudget {
  #times: number[] = [];

  /** True if one more restart is allowed now. Each call counts as one. */
  take(nowMs = performance.now()): boolean {
    this.#times = this.#times.filter((time) => nowMs - time < most.withinMs);
    if (this.#times.length >= most.restarts) return false;
    this.#times.push(nowMs);
    return true;
  }
}
