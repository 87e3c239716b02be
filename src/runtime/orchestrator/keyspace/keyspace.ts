import { performance } from 'node:perf_hooks';
import type { EvictionPolicy } from '../../../ir/eviction-policies.js';
import { WrongTypeError } from '../ai/errors.js';
import { plainName, singleShardPrefix } from '../ai/plain-name.js';
import type { TensorStore } from '../ai/tensor-store.js';
import { countLingering } from '../memory/lingering.js';
import { countUse, fadedUses, goesFirst, type KeyUse, newUse } from './eviction.js';
import { sizeOf } from './size.js';
import { frozen, hold, letGo, type Snapshot, type SnapshotEntry } from './snapshot.js';
import type { StoredValue, ValueOf } from './values.js';

const keyOverheadBytes = 384;
/** Keys that are looked at for each that is evicted. */
const evictionSample = 16;
const expirySample = 200;
/** Keys that are looked at for one that has not expired. */
const mostTries = 10_000;
/** Longest time for which one call evicts or expires. */
const sweepMs = 5;

/** Value of an entry that has been removed. */
const nothing: StoredValue = { kind: 'list', members: [] };

interface Entry extends KeyUse {
  value: StoredValue;
  bytes: number;
  /** Milliseconds since 1970; 0 for never. */
  expiresAtMs: number;
  /** Time of its last use, in seconds since 1970. */
  usedAtSeconds: number;
  /** The last snapshot that has this entry, or began after it was made. */
  mark: number;
}

/**
 * Keys and their values. A key is its bytes read as Latin-1.
 *
 * Models and scripts are kept without the prefix that cluster clients put before their names, and found with and
 * without it, so that all clients share them.
 */
export class Keyspace implements TensorStore {
  #entries = new Map<string, Entry>();
  /** Entries that expire. */
  readonly #volatile = new Map<string, Entry>();
  readonly #onRemove: (value: StoredValue, isReplaced: boolean) => void;
  readonly #hands: Record<'all' | 'volatile', Iterator<[string, Entry]> | undefined> = {
    all: undefined,
    volatile: undefined,
  };
  #usedBytes = 0;
  #peakBytes = 0;
  /** Seconds since 1970: to ask the system with every use would cost more than the use. */
  #nowSeconds = Math.floor(Date.now() / 1000);
  #accesses = 0;
  #changes = 0;
  #epoch = 0;
  #kept: SnapshotEntry[] | undefined;
  readonly #afterSnapshot: (() => void)[] = [];
  readonly #observers = new Map<string, Set<() => void>>();
  #expired = 0;
  #evicted = 0;
  /** True if uses of keys are counted. */
  countsUses = false;

  /** `onRemove` is called with every value that is deleted or overwritten, and hears which of both. */
  constructor(onRemove: (value: StoredValue, isReplaced: boolean) => void = () => undefined) {
    this.#onRemove = onRemove;
  }

  get size(): number {
    return this.#entries.size;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** The most bytes that were used, as seen by {@link look} and now. */
  get peakBytes(): number {
    return Math.max(this.#peakBytes, this.#usedBytes);
  }

  /** To be called every so often: keeps the time, and what is counted by looking. */
  look(): void {
    this.#nowSeconds = Math.floor(Date.now() / 1000);
    this.#peakBytes = this.peakBytes;
  }

  /** Grows with every change. */
  get changes(): number {
    return this.#changes;
  }

  /** Keys that expire. */
  get volatileSize(): number {
    return this.#volatile.size;
  }

  /** Keys that have expired and that were evicted. */
  get removals(): { readonly expired: number; readonly evicted: number } {
    return { expired: this.#expired, evicted: this.#evicted };
  }

  /** Stands for the keys since all of them were removed. */
  get generation(): object {
    return this.#entries;
  }

  keys(): IterableIterator<string> {
    return this.#entries.keys();
  }

  get(key: string): StoredValue | undefined {
    return this.#find(key)?.value;
  }

  /** Like {@link get}, but does not count as a use. */
  peek(key: string): { readonly value: StoredValue; readonly bytes: number; readonly expiresAtMs: number } | undefined {
    return this.#live(this.#place(key));
  }

  /** Uses of a key, as a logarithm, and seconds since the last. This itself is no use. */
  usage(key: string): { readonly uses: number; readonly idleSeconds: number } | undefined {
    const entry = this.#live(this.#place(key));
    if (entry === undefined) return undefined;
    return { uses: fadedUses(entry), idleSeconds: Math.max(0, this.#nowSeconds - entry.usedAtSeconds) };
  }

  /** The value at the key if it is of that kind, undefined if there is none. @throws WrongTypeError */
  read<Kind extends StoredValue['kind']>(key: string, kind: Kind): ValueOf<Kind> | undefined {
    const value = this.#find(key)?.value;
    if (value === undefined) return undefined;
    if (value.kind !== kind) throw new WrongTypeError();
    return value as ValueOf<Kind>;
  }

  /** Like {@link read}, for a hash or list that is to be changed in place. @throws WrongTypeError */
  change<Kind extends 'hash' | 'list'>(key: string, kind: Kind): ValueOf<Kind> | undefined {
    const entry = this.#find(key);
    if (entry === undefined) return undefined;
    if (entry.value.kind !== kind) throw new WrongTypeError();
    this.#beforeChange(key, entry);
    return entry.value as ValueOf<Kind>;
  }

  /** Sets the value, of `bytes` if that is known; it never expires unless the time it did before is to be kept. */
  set(key: string, value: StoredValue, options?: { readonly keepExpiry?: boolean; readonly bytes?: number }): void {
    const place = storedUnder(key, value);
    const before = this.#live(place);
    const bytes = (options?.bytes ?? sizeOf(value)) + place.length + keyOverheadBytes;
    if (before === undefined) {
      const entry = {
        value,
        bytes,
        expiresAtMs: 0,
        mark: this.#epoch,
        lastUse: ++this.#accesses,
        usedAtSeconds: this.#nowSeconds,
        ...(this.countsUses ? newUse() : { uses: 0, usesMinute: 0 }),
      };
      this.#entries.set(place, entry);
      this.#usedBytes += bytes;
      this.#changes += 1;
      if (this.#observers.size > 0) this.#tellObservers(place);
      return;
    }
    this.#beforeChange(place, before);
    const old = before.value;
    this.#usedBytes += bytes - before.bytes;
    before.value = value;
    before.bytes = bytes;
    this.#use(before);
    if (before.expiresAtMs !== 0 && options?.keepExpiry !== true) {
      before.expiresAtMs = 0;
      this.#volatile.delete(place);
    }
    if (old !== value) this.#onRemove(old, true);
  }

  /** Counts bytes by which the value at the key has grown in place. */
  grew(key: string, bytes: number): void {
    const entry = this.#find(key);
    if (entry === undefined) return;
    entry.bytes += bytes;
    this.#usedBytes += bytes;
  }

  /** Time at which the key expires, in milliseconds since 1970; 0 for never, undefined if there is no such key. */
  expiry(key: string): number | undefined {
    return this.#live(this.#place(key))?.expiresAtMs;
  }

  /** Lets the key expire then, or never for 0. False if there is no such key. */
  expire(key: string, atMs: number): boolean {
    const place = this.#place(key);
    const entry = this.#live(place);
    if (entry === undefined) return false;
    this.#beforeChange(place, entry);
    entry.expiresAtMs = atMs;
    if (atMs === 0) this.#volatile.delete(place);
    else this.#volatile.set(place, entry);
    return true;
  }

  delete(key: string): boolean {
    const place = this.#place(key);
    const entry = this.#live(place);
    if (entry === undefined) return false;
    this.#onRemove(this.#remove(place, entry), false);
    return true;
  }

  /** Moves a value with its expiry, overwriting what is at the new key. False if there is nothing to move. */
  rename(from: string, to: string): boolean {
    const place = this.#place(from);
    const entry = this.#live(place);
    if (entry === undefined) return false;
    const target = storedUnder(to, entry.value);
    if (target === place) return true;
    this.set(target, this.#remove(place, entry, true), { bytes: entry.bytes - place.length - keyOverheadBytes });
    if (entry.expiresAtMs !== 0) this.expire(target, entry.expiresAtMs);
    return true;
  }

  clear(): void {
    this.#changes += 1;
    for (const place of this.#observers.keys()) if (this.#entries.has(place)) this.#tellObservers(place);
    const entries = this.#entries;
    // A snapshot under way goes on through the map that it has begun with.
    this.#entries = new Map();
    this.#volatile.clear();
    // Values that cannot be removed at once still take memory.
    countLingering(this.#usedBytes);
    this.#usedBytes = 0;
    this.#hands.all = undefined;
    this.#hands.volatile = undefined;
    const dispose = () => disposeOf(entries.values(), this.#onRemove);
    if (this.#kept === undefined) dispose();
    else this.#afterSnapshot.push(dispose);
  }

  /** Deletes keys whose time has come; of many only some at a call. */
  deleteExpired(): void {
    const until = performance.now() + sweepMs;
    let expired: number;
    do {
      expired = 0;
      const now = Date.now();
      for (let looked = 0; looked < expirySample && looked < this.#volatile.size; looked += 1) {
        const [place, entry] = this.#nextOf('volatile') ?? [];
        if (place === undefined || entry === undefined || entry.expiresAtMs > now) continue;
        this.#expire(place, entry);
        expired += 1;
      }
    } while (expired > expirySample / 4 && performance.now() < until);
  }

  /**
   * Throws keys out until at most so many bytes are used. False if there is nothing left to throw out; true also if
   * there is more to do than one call may.
   */
  makeRoom(bytes: number, policy: EvictionPolicy): boolean {
    const until = performance.now() + sweepMs;
    while (this.#usedBytes > bytes) {
      if (policy === 'noeviction' || !this.#evictOne(policy)) return false;
      if (performance.now() > until) return true;
    }
    return true;
  }

  /** Any key, by chance; undefined if there is none. */
  anyKey(): string | undefined {
    for (let skip = Math.floor(Math.random() * evictionSample); skip > 0; skip -= 1) this.#nextOf('all');
    for (let tries = Math.min(this.#entries.size, mostTries); tries > 0; tries -= 1) {
      const [place] = this.#nextOf('all') ?? [];
      if (place !== undefined && this.#live(place) !== undefined) return place;
    }
    return undefined;
  }

  /** The keys as they are now, to be read while they change. Only one at a time. */
  snapshot(): Snapshot {
    if (this.#kept !== undefined) throw new Error('there is a snapshot already');
    const kept: SnapshotEntry[] = [];
    this.#kept = kept;
    const epoch = ++this.#epoch;
    const entries = this.#entries.entries();
    return {
      next: () => {
        const early = kept.pop();
        if (early !== undefined) return early;
        for (let next = entries.next(); next.done !== true; next = entries.next()) {
          const [key, entry] = next.value;
          if (entry.mark === epoch) continue;
          entry.mark = epoch;
          hold(entry.value);
          return { key, value: frozen(entry.value), expiresAtMs: entry.expiresAtMs };
        }
        return undefined;
      },
      end: () => {
        this.#kept = undefined;
        for (const { value } of kept) letGo(value);
        for (const done of this.#afterSnapshot.splice(0)) done();
      },
    };
  }

  /** Calls back with every change of what is or will be at the key, before or after it. Returns how to stop that. */
  observe(key: string, onChange: () => void): () => void {
    const places = new Set([key, plainName(key)]);
    for (const place of places) {
      const there = this.#observers.get(place);
      if (there === undefined) this.#observers.set(place, new Set([onChange]));
      else there.add(onChange);
    }
    return () => {
      for (const place of places) {
        const there = this.#observers.get(place);
        there?.delete(onChange);
        if (there?.size === 0) this.#observers.delete(place);
      }
    };
  }

  #tellObservers(place: string): void {
    for (const tell of this.#observers.get(place) ?? []) tell();
  }

  /** A value that is to be changed in place is copied for a snapshot; one that is only taken away is not. */
  #beforeChange(place: string, entry: Entry, taken = false): void {
    this.#changes += 1;
    if (this.#observers.size > 0) this.#tellObservers(place);
    if (this.#kept === undefined || entry.mark === this.#epoch) return;
    entry.mark = this.#epoch;
    hold(entry.value);
    const value = taken ? entry.value : frozen(entry.value);
    this.#kept.push({ key: place, value, expiresAtMs: entry.expiresAtMs });
  }

  #evictOne(policy: EvictionPolicy): boolean {
    const pool = policy.startsWith('volatile-') ? 'volatile' : 'all';
    if (policy.endsWith('-random')) {
      for (let skip = Math.floor(Math.random() * evictionSample); skip > 0; skip -= 1) this.#nextOf(pool);
    }
    let victim = this.#nextOf(pool);
    if (victim === undefined) return false;
    for (let looked = 1; looked < evictionSample; looked += 1) {
      const next = this.#nextOf(pool);
      if (next !== undefined && goesFirst(policy, next[1], victim[1])) victim = next;
    }
    const [place, entry] = victim;
    this.#onRemove(this.#remove(place, entry), false);
    this.#evicted += 1;
    return true;
  }

  /** Goes around all keys, or all that expire. */
  #nextOf(pool: 'all' | 'volatile'): [string, Entry] | undefined {
    const keys = pool === 'all' ? this.#entries : this.#volatile;
    const next = this.#hands[pool]?.next();
    if (next !== undefined && next.done !== true) return next.value;
    const hand = keys.entries();
    this.#hands[pool] = hand;
    const first = hand.next();
    return first.done === true ? undefined : first.value;
  }

  /** Removes an entry and empties it: a scan that nobody goes on with may keep it for long. Returns its value. */
  #remove(place: string, entry: Entry, isMoved = false): StoredValue {
    this.#beforeChange(place, entry, !isMoved);
    this.#entries.delete(place);
    if (entry.expiresAtMs !== 0) this.#volatile.delete(place);
    this.#usedBytes -= entry.bytes;
    const { value } = entry;
    entry.value = nothing;
    return value;
  }

  #expire(place: string, entry: Entry): void {
    this.#onRemove(this.#remove(place, entry), false);
    this.#expired += 1;
  }

  #use(entry: Entry): void {
    entry.lastUse = ++this.#accesses;
    entry.usedAtSeconds = this.#nowSeconds;
    if (this.countsUses) countUse(entry);
  }

  #find(key: string): Entry | undefined {
    const entry = this.#live(key) ?? (key.startsWith(singleShardPrefix) ? this.#live(this.#place(key)) : undefined);
    if (entry !== undefined) this.#use(entry);
    return entry;
  }

  /** The entry there, unless its time has come. */
  #live(place: string): Entry | undefined {
    const entry = this.#entries.get(place);
    if (entry === undefined || entry.expiresAtMs === 0 || entry.expiresAtMs > Date.now()) return entry;
    this.#expire(place, entry);
    return undefined;
  }

  /** Key under which the value that `key` means is stored. */
  #place(key: string): string {
    if (!key.startsWith(singleShardPrefix) || this.#entries.has(key)) return key;
    const plain = plainName(key);
    const value = this.#entries.get(plain)?.value;
    return value === undefined ? key : storedUnder(key, value);
  }
}

/** Removes values, of many only some a turn of the event loop. */
function disposeOf(entries: Iterator<Entry>, onRemove: (value: StoredValue, isReplaced: boolean) => void): void {
  const until = performance.now() + sweepMs;
  for (let next = entries.next(); next.done !== true; next = entries.next()) {
    onRemove(next.value.value, false);
    countLingering(-next.value.bytes);
    if (performance.now() < until) continue;
    setImmediate(() => disposeOf(entries, onRemove));
    return;
  }
}

function storedUnder(key: string, value: StoredValue): string {
  return value.kind === 'model' || value.kind === 'script' ? plainName(key) : key;
}
