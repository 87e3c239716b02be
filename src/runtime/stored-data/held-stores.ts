import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { storeFolder } from '../job/paths.js';
import type { SavedStore } from '../orchestrator/checkpoint/record.js';
import { savedIn } from '../store-files/saved-stores.js';
import type { StoreAddress } from '../store-files/store-address.js';

/** Milliseconds by which the clocks of two nodes of a cluster may differ. */
const clocksDifferMs = 1000;

/** Starts of stores whose data are there: in a store that runs, or in what the next one will bring back. */
export class HeldStores {
  readonly #dir: string;
  readonly #runningOf: (store: string) => StoreAddress | undefined;
  readonly #held = new Map<string, { readonly running: string | undefined; readonly saved: readonly SavedStore[] }>();

  /** A look at one moment. `runningOf` tells of a store that runs now. */
  constructor(dir: string, runningOf: (store: string) => StoreAddress | undefined) {
    this.#dir = dir;
    this.#runningOf = runningOf;
  }

  /** True if all that a member had written to that start of a store at a moment, ISO 8601, is there. */
  has(store: string, start: string, moment: string, member: string): boolean {
    const { saved } = this.#of(store);
    if (this.isRunning(store, start)) return true;
    const atMs = Date.parse(moment) + clocksDifferMs;
    const covering = saved.filter(
      (one) => one.store === start && (one.whole || one.upToMs >= atMs) && one.without?.includes(member) !== true,
    );
    return covering.length > 0 && covering.length >= Math.max(...covering.map(({ nodes }) => nodes));
  }

  /** True if that start of a store runs now. */
  isRunning(store: string, start: string): boolean {
    return start !== '' && start === this.#of(store).running;
  }

  #of(store: string) {
    let held = this.#held.get(store);
    if (held === undefined) {
      const address = this.#runningOf(store);
      const saved = address === undefined ? this.#onDisk(store) : address.nodes.flatMap(({ restored }) => restored);
      held = { running: address?.id, saved };
      this.#held.set(store, held);
    }
    return held;
  }

  /** Saved contents of a store, those of elements of a job array included. */
  #onDisk(store: string): SavedStore[] {
    const folder = storeFolder(this.#dir, store);
    const elements = existsSync(folder) ? readdirSync(folder).filter((name) => /^\d+$/.test(name)) : [];
    return [folder, ...elements.map((name) => join(folder, name))].flatMap((place) => savedIn(place)).flat();
  }
}
