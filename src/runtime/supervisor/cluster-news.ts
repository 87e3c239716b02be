import {
  type ClusterChange,
  type ClusterPart,
  type ClusterShard,
  changed,
  nameOfShard,
  shardOf,
  siblingOf,
} from './cluster-layout.js';
import type { NodeLink } from './node-link.js';

/** A shard that has got another server, on another node than before. */
export interface MovedShard {
  readonly shard: number;
  readonly host: string;
  readonly address: string;
}

/**
 * The servers of a cluster with replicas, as their nodes tell of them: news of one go to all others, and the end of a node is the end of
 * its servers.
 */
export class ClusterNews {
  readonly #parts: Map<NodeLink, readonly number[]>;
  readonly #dead = new Set<number>();
  #shards: readonly ClusterShard[];

  constructor(parts: ReadonlyMap<NodeLink, ClusterPart>) {
    this.#parts = new Map([...parts].map(([node, { own }]) => [node, own]));
    this.#shards = [...parts.values()][0]?.shards ?? [];
  }

  /** Hands news of a node to the others. Returns the shard that has moved to it for good, if one has. */
  heard(node: NodeLink, change: ClusterChange): MovedShard | undefined {
    for (const other of this.#parts.keys()) if (other !== node) other.tell({ change });
    this.#shards = changed(this.#shards, change);
    if ('lost' in change) this.#dead.add(change.lost);
    if ('follows' in change) this.#dead.delete(change.follows);
    if (!('leads' in change)) return undefined;
    const before = siblingOf(this.#shards, change.leads) ?? change.leads;
    const leader = this.#shards[change.leads];
    // Where its node lives, the old address leads to the new one.
    if (leader === undefined || [...this.#parts.values()].some((own) => own.includes(before))) return undefined;
    const shard = shardOf(this.#shards, change.leads);
    return { shard, host: node.host, address: `${leader.host}:${leader.port}` };
  }

  /** A node has gone. Returns the texts of its servers, whose shards all have another one; undefined if the store cannot go on. */
  lose(node: NodeLink): readonly string[] | undefined {
    const own = this.#parts.get(node) ?? [];
    this.#parts.delete(node);
    for (const index of own) this.#dead.add(index);
    const lives = (index: number | undefined): boolean => index !== undefined && !this.#dead.has(index);
    if (!own.every((index) => lives(siblingOf(this.#shards, index)))) return undefined;
    for (const other of this.#parts.keys()) for (const lost of own) other.tell({ change: { lost } });
    return own.map((index) => nameOfShard(this.#shards, index));
  }
}
