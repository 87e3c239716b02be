import * as z from 'zod';
import { SavedStoreSchema } from './saved-stores.js';

/**
 * One process of a store. `runId` tells it from any other that may have its address later; `restored` are the starts whose keys it has read
 * from its checkpoint; `shards` are the positions of its servers in the cluster, in the order of their addresses.
 */
export const StoreNode = z.object({
  host: z.string(),
  addresses: z.array(z.string()),
  pid: z.number(),
  runId: z.string(),
  restored: z.array(SavedStoreSchema).default([]),
  shards: z.array(z.int().nonnegative()).default([]),
});

/** A store as `launch` finds it in run/stores/NAME/address.json. */
export const StoreAddress = z.object({
  store: z.string(),
  /** Identity of this start of the store. */
  id: z.string(),
  /** How often it has been started again in this job. */
  restarts: z.int().nonnegative().default(0),
  job: z.string(),
  jobId: z.string(),
  nodes: z.array(StoreNode),
});
export type StoreAddress = z.infer<typeof StoreAddress>;

/** Addresses that clients of a store get: those of a cluster's servers by their slots; the same one on every node of a colocated store. */
export function clientAddresses({ nodes }: StoreAddress): string[] {
  const servers = nodes.flatMap(({ addresses, shards }) =>
    shards.map((shard, index) => ({ shard, address: addresses[index] ?? '' })),
  );
  if (servers.length > 0) return servers.sort((a, b) => a.shard - b.shard).map(({ address }) => address);
  return nodes[0]?.addresses.slice(0, 1) ?? [];
}
