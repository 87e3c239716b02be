import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/** Keys of one start of a store that a checkpoint holds. */
export interface SavedStore {
  /** Identity of that start. */
  readonly store: string;
  /** Nodes that it ran on: each has saved its own keys. */
  readonly nodes: number;
  /** Time at which the checkpoint was begun, in milliseconds since 1970 by the store's clock: what was written until then is in it. */
  readonly upToMs: number;
  /** True if it holds all that was ever written to that start. */
  readonly whole: boolean;
  /** Owners of keys that were in it and have been left out since: see {@link StaleKeys}. */
  readonly without?: readonly string[] | undefined;
}

/** Keys of a checkpoint that are not brought back. */
export interface StaleKeys {
  /** The owner of such a key, by whom the record tells that its keys have gone; `undefined` for a key that is brought back. */
  ownerOf(key: string): string | undefined;
}

/** Properties that distinguish a checkpoint file from any other. */
export interface Fingerprint {
  readonly bytes: number;
  /** The CRC-32 with which it ends. */
  readonly crc: number;
}

/** A checkpoint file and what it holds. */
export interface RecordedCheckpoint extends Fingerprint {
  readonly stores: readonly SavedStore[];
}

/** A record beside a checkpoint: which starts of stores it holds the keys of. */
export interface CheckpointRecord {
  /** Starts of stores that the present checkpoint holds, as far as they are known. */
  read(): readonly SavedStore[];
  /** Writes what the file holds: one entry, or two while a new file takes the place of the last. */
  write(checkpoints: readonly RecordedCheckpoint[]): void;
}

/** The fingerprint of a checkpoint file; undefined where there is none. */
export function fingerprintOf(path: string): Fingerprint | undefined {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const bytes = fstatSync(file).size;
    const end = Buffer.alloc(crcBytes);
    readSync(file, end, 0, crcBytes, Math.max(0, bytes - crcBytes));
    return { bytes, crc: end.readUInt32LE() };
  } finally {
    closeSync(file);
  }
}

const crcBytes = 4;
