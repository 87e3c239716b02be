import type { KeyNames } from './key-names.js';
import type { Shards } from './shards.js';

/** The servers of a connected client, and how it names its keys. */
export interface Session {
  readonly shards: Shards;
  readonly names: KeyNames;
  /** Longest time that a run of a model may wait to be begun, in milliseconds. */
  readonly modelTimeoutMs: number;
}
