/** Servers of a store that one of its nodes has at most: shards, and the replicas of those of the node before. */
export function serversOnNode(
  { shards, replicas = 0 }: { readonly shards: number; readonly replicas?: number | undefined },
  nodes: number,
): number {
  return Math.ceil(shards / Math.max(1, nodes)) * (1 + replicas);
}
