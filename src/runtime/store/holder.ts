import type { ClusterChange, ClusterPart, ShardPlace } from '../supervisor/cluster-layout.js';
import type { StoreWord } from '../supervisor/messages.js';

/** Whoever a store's process lives for: its supervisor. */
export interface Holder {
  /** Resolves when the store is to end: the supervisor says so or has gone, or a signal says it. */
  readonly ended: Promise<void>;
  readonly say: (word: StoreWord) => void;
  /** Tells how questions for keys are answered. */
  answer(exists: (key: string) => Promise<boolean>): void;
  /** Offers places for the servers of a cluster of so many shards on this node; resolves with its part of the cluster when all nodes have offered theirs. */
  arrange(places: readonly ShardPlace[], shards: number): Promise<ClusterPart>;
  /** Tells how news of other nodes' servers are taken. */
  hear(how: (change: ClusterChange) => void): void;
  /** Lets go, once all that was said is on its way. */
  close(): Promise<void>;
}
