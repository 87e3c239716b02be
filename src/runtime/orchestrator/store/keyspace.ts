import { sizeOf } from './size.js';
import type { StoredValue, ValueOf } from './values.js';
import { WrongTypeError } from './wrong-type-error.js';

/** A client that believes in a cluster puts this before the names of models and scripts (shard prefix of slot 0). */
const singleShardPrefix = '{\0\0}.';
const keyOverheadBytes = 96;

interface Entry {
  value: StoredValue;
  bytes: number;
}

/**
 * Keys and their values. A key is its bytes read as Latin-1.
 *
 * Models and scripts are kept without the prefix that cluster clients put before their names, and found with and
 * without it, so that all clients share them.
 */
export class Keyspace {
  readonly #entries = new Map<string, Entry>();
  readonly #onRemove: (value: StoredValue) => void;
  #usedBytes = 0;

  /** `onRemove` is called with every value that is deleted or overwritten. */
  constructor(onRemove: (value: StoredValue) => void = () => undefined) {
    this.#onRemove = onRemove;
  }

  get size(): number {
    return this.#entries.size;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  keys(): IterableIterator<string> {
    return this.#entries.keys();
  }

  get(key: string): StoredValue | undefined {
    return this.#find(key)?.value;
  }

  /** The value at the key if it is of that kind, undefined if there is none. @throws WrongTypeError */
  read<Kind extends StoredValue['kind']>(key: string, kind: Kind): ValueOf<Kind> | undefined {
    const value = this.#find(key)?.value;
    if (value === undefined) return undefined;
    if (value.kind !== kind) throw new WrongTypeError();
    return value as ValueOf<Kind>;
  }

  set(key: string, value: StoredValue): void {
    const place = storedUnder(key, value);
    const before = this.#entries.get(place);
    const bytes = sizeOf(value) + place.length + keyOverheadBytes;
    if (before === undefined) {
      this.#entries.set(place, { value, bytes });
      this.#usedBytes += bytes;
      return;
    }
    const old = before.value;
    this.#usedBytes += bytes - before.bytes;
    before.value = value;
    before.bytes = bytes;
    if (old !== value) this.#onRemove(old);
  }

  /** Counts bytes by which the value at the key has grown in place. */
  grew(key: string, bytes: number): void {
    const entry = this.#find(key);
    if (entry === undefined) return;
    entry.bytes += bytes;
    this.#usedBytes += bytes;
  }

  delete(key: string): boolean {
    const place = this.#place(key);
    const entry = this.#entries.get(place);
    if (entry === undefined) return false;
    this.#entries.delete(place);
    this.#usedBytes -= entry.bytes;
    this.#onRemove(entry.value);
    return true;
  }

  /** Moves a value, overwriting what is at the new key. False if there is nothing to move. */
  rename(from: string, to: string): boolean {
    const place = this.#place(from);
    const entry = this.#entries.get(place);
    if (entry === undefined) return false;
    const target = storedUnder(to, entry.value);
    if (target === place) return true;
    this.#entries.delete(place);
    this.#usedBytes -= entry.bytes;
    this.set(target, entry.value);
    return true;
  }

  clear(): void {
    const entries = [...this.#entries.values()];
    this.#entries.clear();
    this.#usedBytes = 0;
    for (const entry of entries) this.#onRemove(entry.value);
  }

  #find(key: string): Entry | undefined {
    return (
      this.#entries.get(key) ?? (key.startsWith(singleShardPrefix) ? this.#entries.get(this.#place(key)) : undefined)
    );
  }

  /** Where the value that `key` means lies. */
  #place(key: string): string {
    if (!key.startsWith(singleShardPrefix) || this.#entries.has(key)) return key;
    const plain = plainName(key);
    const value = this.#entries.get(plain)?.value;
    return value === undefined ? key : storedUnder(key, value);
  }
}

/** A model's or script's name without what a cluster client puts before it. */
export function plainName(key: string): string {
  return key.startsWith(singleShardPrefix) ? key.slice(singleShardPrefix.length) : key;
}

function storedUnder(key: string, value: StoredValue): string {
  return value.kind === 'model' || value.kind === 'script' ? plainName(key) : key;
}
