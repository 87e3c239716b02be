import type { Keyspace } from '../store/keyspace.js';

/** Keys that a client watches: EXEC runs nothing if one of them has changed. */
export class WatchedKeys {
  readonly #store: Keyspace;
  readonly #keys = new Map<string, () => void>();
  #changed = false;

  constructor(store: Keyspace) {
    this.#store = store;
  }

  add(key: string): void {
    if (this.#keys.has(key)) return;
    // An expired key is removed now, so that its removal does not count as a later change.
    this.#store.peek(key);
    this.#keys.set(
      key,
      this.#store.observe(key, () => {
        this.#changed = true;
      }),
    );
  }

  /** True if a key has been changed, deleted or made, or has expired. */
  get changed(): boolean {
    for (const key of this.#keys.keys()) this.#store.peek(key);
    return this.#changed;
  }

  end(): void {
    for (const stop of this.#keys.values()) stop();
    this.#keys.clear();
  }
}
