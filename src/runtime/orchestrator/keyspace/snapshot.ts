import type { StoredValue } from './values.js';

/** A key as it was when a snapshot was begun. */
export interface SnapshotEntry {
  readonly key: string;
  readonly value: StoredValue;
  /** Milliseconds since 1970; 0 for never. */
  readonly expiresAtMs: number;
}

/** A keyspace as it was at one moment, to be read while it changes. */
export interface Snapshot {
  /**
   * The next entry, undefined at the end. Its bytes are held, so that they stay although the key is overwritten:
   * to be let go by {@link letGo}.
   */
  next(): SnapshotEntry | undefined;
  /** Must be called, whether or not all entries were read. */
  end(): void;
}

/** Keeps what the value's key had from being freed. */
export function hold(value: StoredValue): void {
  if ('bytes' in value) value.bytes.hold();
}

export function letGo(value: StoredValue): void {
  if ('bytes' in value) value.bytes.letGo();
}

/** The value as it is now, whatever becomes of it. */
export function frozen(value: StoredValue): StoredValue {
  if (value.kind === 'hash') return { kind: 'hash', fields: new Map(value.fields) };
  if (value.kind === 'list') return { kind: 'list', members: [...value.members] };
  return value;
}
