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

/** A shard whose node has gone, with the server that has it now. */
export interface MovedShard {
  readonly shard: number;
  readonly node: NodeLink;
  readonly address: string;
}

/** A node that has gone: its servers, as text, and their shards that others had taken over before. */
export interface LostServers {
  readonly servers: readonly string[];
  readonly moved: readonly MovedShard[];
}

/**
 * The servers of a cluster with replicas, as their nodes tell of them: news of one go to all others, and the end of a node is the end of
 * its servers.
 */
export class ClusterNews {
  readonly #parts: Map<NodeLink, readonly number[]>;
  readonly #dead = new Set<number>();
  /** Nodes whose addresses users know for each shard: while it lives it leads them on. */
  readonly #homes: (NodeLink | undefined)[] = [];
  #shards: readonly ClusterShard[];

  constructor(parts: ReadonlyMap<NodeLink, ClusterPart>) {
    this.#parts = new Map([...parts].map(([node, { own }]) => [node, own]));
    this.#shards = [...parts.values()][0]?.shards ?? [];
    for (const [index, { follows }] of this.#shards.entries()) {
      if (follows === undefined) this.#homes[shardOf(this.#shards, index)] = this.#nodeOf(index);
    }
  }

  /** Hands news of a node to the others. Returns shards that users have to look for elsewhere now. */
  heard(node: NodeLink, change: ClusterChange): readonly MovedShard[] {
    for (const other of this.#parts.keys()) if (other !== node) other.tell({ change });
    this.#shards = changed(this.#shards, change);
    if ('lost' in change) this.#dead.add(change.lost);
    if ('follows' in change) this.#dead.delete(change.follows);
    return this.#moved();
  }

  /** A node has gone. Undefined if the store cannot go on: a shard has no server left. */
  lose(node: NodeLink): LostServers | undefined {
    const own = this.#parts.get(node) ?? [];
    this.#parts.delete(node);
    for (const index of own) this.#dead.add(index);
    const lives = (index: number | undefined): boolean => index !== undefined && !this.#dead.has(index);
    if (!own.every((index) => lives(siblingOf(this.#shards, index)))) return undefined;
    for (const other of this.#parts.keys()) for (const lost of own) other.tell({ change: { lost } });
    return { servers: own.map((index) => nameOfShard(this.#shards, index)), moved: this.#moved() };
  }

  #nodeOf(index: number): NodeLink | undefined {
    return [...this.#parts].find(([, own]) => own.includes(index))?.[0];
  }

  /** Shards whose node has gone and that have a server again; each is told once. */
  #moved(): MovedShard[] {
    return [...this.#shards.entries()].flatMap(([index, { follows, host, port }]) => {
      const shard = shardOf(this.#shards, index);
      const home = this.#homes[shard];
      const node = this.#nodeOf(index);
      if (follows !== undefined || this.#dead.has(index) || node === undefined) return [];
      if (home !== undefined && this.#parts.has(home)) return [];
      this.#homes[shard] = node;
      return [{ shard, node, address: `${host}:${port}` }];
    });
  }
}
