import { type MemberEvent, unknownStart } from '../status/index.js';
import type { SeenStore } from './store-addresses.js';

/** Starts of the stores that a member sees while it runs. */
export class StoreUses {
  readonly #stores: readonly { readonly seen: SeenStore; readonly starts: Set<string>; readonly restarts: number }[];

  /** To be made just before the member starts. */
  constructor(stores: readonly SeenStore[]) {
    this.#stores = stores.map((seen) => {
      const restarts = seen.restarts();
      const start = seen.start();
      // A store that is being started again accepts nothing until it answers.
      return { seen, starts: new Set(start === '' ? [] : [start]), restarts };
    });
  }

  /** The starts seen until now, for an event of the member. */
  now(): Pick<MemberEvent, 'stores'> {
    if (this.#stores.length === 0) return {};
    for (const { seen, starts, restarts } of this.#stores) {
      const start = seen.start();
      if (seen.restarts() > restarts + (starts.size === 0 ? 0 : 1)) starts.add(unknownStart);
      if (start !== '') starts.add(start);
    }
    return { stores: Object.fromEntries(this.#stores.map(({ seen, starts }) => [seen.store.name, [...starts]])) };
  }
}
