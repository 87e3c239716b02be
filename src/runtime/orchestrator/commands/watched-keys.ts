import type { Keyspace } from '../keyspace/keyspace.js';

/** Keys that a client watches: EXEC runs nothing if one of them has changed. */
export class WatchedKeys {
  readonly #keyspace: Keyspace;
  readonly #keys = new Map<string, () => void>();
  #changed = false;

  constructor(keyspace: Keyspace) {
    this.#keyspace = keyspace;
  }

  add(key: string): void {
    if (this.#keys.has(key)) return;
    // An expired key is removed now, so that its removal does not count as a later change.
    this.#keyspace.peek(key);
    this.#keys.set(
      key,
      this.#keyspace.observe(key, () => {
        this.#changed = true;
      }),
    );
  }

  /** True if a key has been changed, deleted or made, or has expired. */
  get changed(): boolean {
    for (const key of this.#keys.keys()) this.#keyspace.peek(key);
    return this.#changed;
  }

  end(): void {
    for (const stop of this.#keys.values()) stop();
    this.#keys.clear();
  }
}
