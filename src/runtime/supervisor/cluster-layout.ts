import { randomBytes } from 'node:crypto';
import * as z from 'zod';
import { slotCount } from '../slots.js';

/** Place of a server of a cluster: the name of its host, what clients connect to, and the port of its bus. */
export const ShardPlace = z.object({ node: z.string(), host: z.string(), port: z.int(), busPort: z.int() });
export type ShardPlace = z.infer<typeof ShardPlace>;

/** A server of a cluster, with its name among the servers and its slots. */
export const ClusterShard = ShardPlace.extend({
  id: z.string().regex(/^[0-9a-f]{40}$/),
  /** The first and the last of its slots. */
  first: z.int(),
  last: z.int(),
});
export type ClusterShard = z.infer<typeof ClusterShard>;

/** A node's part of a cluster: all servers, and the positions of its own among them. */
export const ClusterPart = z.object({ shards: z.array(ClusterShard), own: z.array(z.int().nonnegative()) });
export type ClusterPart = z.infer<typeof ClusterPart>;

/** Deals the slots to the servers in their order, as `redis-cli --cluster create` does. */
export function layOut(places: readonly ShardPlace[]): ClusterShard[] {
  const border = (index: number) => Math.round((index * slotCount) / places.length);
  return places.map((place, index) => ({
    ...place,
    id: randomBytes(20).toString('hex'),
    first: border(index),
    last: border(index + 1) - 1,
  }));
}

/** The file by which a server of a cluster knows itself, the others, and who has which slots: nobody has to be introduced. */
export function nodesFile(shards: readonly ClusterShard[], own: number): string {
  const lines = shards.map(({ id, host, port, busPort, first, last }, index) => {
    const flags = index === own ? 'myself,master' : 'master';
    // Each has an epoch of its own: two that claim the same one would choose another.
    return `${id} ${host}:${port}@${busPort} ${flags} - 0 0 ${index + 1} connected ${first}-${last}`;
  });
  return `${[...lines, `vars currentEpoch ${shards.length} lastVoteEpoch 0`].join('\n')}\n`;
}

/** Number of the shards of each node: as even as can be, the first nodes the larger part. */
export function shardsOfNodes(shards: number, nodes: number): number[] {
  return Array.from({ length: nodes }, (_, node) => Math.floor(shards / nodes) + (node < shards % nodes ? 1 : 0));
}

/** Text of a shard for people: its number, its slots, and where it is. */
export function nameOfShard(shards: readonly ClusterShard[], index: number): string {
  const { first, last, node, host, port } = shards[index] as ClusterShard;
  return `shard ${index + 1} of ${shards.length} (slots ${first}-${last}, ${host}:${port} on ${node})`;
}
