import { randomBytes } from 'node:crypto';
import * as z from 'zod';
import { slotCount } from '../slots.js';

/** Place of a server of a cluster: the name of its host, what clients connect to, and the port of its bus. */
export const ShardPlace = z.object({ node: z.string(), host: z.string(), port: z.int(), busPort: z.int() });
export type ShardPlace = z.infer<typeof ShardPlace>;

/** A server of a cluster, with its name among the servers and the slots of its shard. */
export const ClusterShard = ShardPlace.extend({
  id: z.string().regex(/^[0-9a-f]{40}$/),
  /** The first and the last of its slots. */
  first: z.int(),
  last: z.int(),
  /** Position of the server that has the slots, if this one is its replica. */
  follows: z.int().nonnegative().optional(),
});
export type ClusterShard = z.infer<typeof ClusterShard>;

/** A server that does not run any more; that has the slots now, at its port; or that runs again as a replica. By its position among all. */
export const ClusterChange = z.union([
  z.object({ lost: z.int().nonnegative() }),
  z.object({ leads: z.int().nonnegative(), port: z.int() }),
  z.object({ follows: z.int().nonnegative(), port: z.int() }),
]);
export type ClusterChange = z.infer<typeof ClusterChange>;

/** A node's part of a cluster: all servers, shards first and then their replicas, and the positions of its own among them. */
export const ClusterPart = z.object({ shards: z.array(ClusterShard), own: z.array(z.int().nonnegative()) });
export type ClusterPart = z.infer<typeof ClusterPart>;

/** Deals the slots to the servers in their order, as `redis-cli --cluster create` does, and gives each the replica of its position. */
export function layOut(places: readonly ShardPlace[], replicas: readonly ShardPlace[] = []): ClusterShard[] {
  const border = (index: number) => Math.round((index * slotCount) / places.length);
  const server = (place: ShardPlace, index: number): ClusterShard => ({
    ...place,
    id: randomBytes(20).toString('hex'),
    first: border(index),
    last: border(index + 1) - 1,
  });
  return [...places.map(server), ...replicas.map((place, index) => ({ ...server(place, index), follows: index }))];
}

/** The file by which a server of a cluster knows itself, the others, and who has which slots: nobody has to be introduced. */
export function nodesFile(shards: readonly ClusterShard[], own: number): string {
  const lines = shards.map(({ id, host, port, busPort, first, last, follows }, index) => {
    const place = `${id} ${host}:${port}@${busPort} ${index === own ? 'myself,' : ''}`;
    // Each shard has an epoch of its own: two that claim the same one would choose another.
    if (follows === undefined) return `${place}master - 0 0 ${index + 1} connected ${first}-${last}`;
    return `${place}slave ${shards[follows]?.id} 0 0 ${follows + 1} connected`;
  });
  return `${[...lines, `vars currentEpoch ${shards.length} lastVoteEpoch 0`].join('\n')}\n`;
}

/** Number of the shards of each node: as even as can be, the first nodes the larger part. */
export function shardsOfNodes(shards: number, nodes: number): number[] {
  return Array.from({ length: nodes }, (_, node) => Math.floor(shards / nodes) + (node < shards % nodes ? 1 : 0));
}

/** Number of the replicas of each node: those of the shards of the node before it, so that no node has a shard and its replica. */
export function replicasOfNodes(shards: number, nodes: number): number[] {
  const counts = shardsOfNodes(shards, nodes);
  return counts.map((_, node) => counts[(node + nodes - 1) % nodes] ?? 0);
}

/** Position of a server's shard. */
export function shardOf(shards: readonly ClusterShard[], index: number): number {
  const firsts = [...new Set(shards.map(({ first }) => first))].sort((a, b) => a - b);
  return firsts.indexOf(shards[index]?.first ?? -1);
}

/** Position of the other server of the same shard; undefined where shards have no replicas. */
export function siblingOf(shards: readonly ClusterShard[], index: number): number | undefined {
  const at = shards.findIndex(({ first }, other) => other !== index && first === shards[index]?.first);
  return at === -1 ? undefined : at;
}

/** The servers after a change: who leads has the slots, and the other one of its shard follows. */
export function changed(shards: readonly ClusterShard[], change: ClusterChange): ClusterShard[] {
  if ('lost' in change) return [...shards];
  const index = 'leads' in change ? change.leads : change.follows;
  const other = siblingOf(shards, index);
  return shards.map(({ follows: _follows, ...server }, at) => {
    const isLeader = 'leads' in change ? at === index : at === other;
    if (at !== index && at !== other) return shards[at] ?? server;
    const port = at === index ? change.port : server.port;
    return isLeader ? { ...server, port } : { ...server, port, follows: at === index ? (other ?? index) : index };
  });
}

/** Text of a server for people: the number of its shard, the slots, and where it is. */
export function nameOfShard(shards: readonly ClusterShard[], index: number): string {
  const { first, last, node, host, port, follows } = shards[index] as ClusterShard;
  const count = new Set(shards.map((one) => one.first)).size;
  const what = follows === undefined ? '' : 'the replica of ';
  return `${what}shard ${shardOf(shards, index) + 1} of ${count} (slots ${first}-${last}, ${host}:${port} on ${node})`;
}
