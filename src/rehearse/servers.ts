import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { type LiveProcess, processesBelow, storeProcesses } from './processes.js';

/** Nodes of a store as its address file has them: the positions of its servers in the cluster, in the order of their addresses. */
const Address = z.object({
  nodes: z.array(z.object({ addresses: z.array(z.string()), shards: z.array(z.number()).default([]) })),
});

/**
 * The process that serves a store's shard, counted from 1, at the moment: with replicas that may be one that has taken over. A store that is
 * no cluster has one server. Empty while there is none.
 */
export function serverProcesses(
  { dir, state }: { readonly dir: string; readonly state: string },
  store: string,
  shard: number,
): LiveProcess[] {
  const address = addressOf(join(dir, 'run', 'stores', store, 'address.json'), shard);
  if (address === undefined) return [];
  const stores = storeProcesses(state, store);
  const servers = processesBelow(stores).filter(
    ({ command }) => command[0] !== process.execPath && command.join(' ').includes(address),
  );
  // The embedded store serves in its own process.
  return servers.length === 0 && stores.length === 1 ? stores : servers;
}

function addressOf(path: string, shard: number): string | undefined {
  let nodes: z.infer<typeof Address>['nodes'];
  try {
    ({ nodes } = Address.parse(JSON.parse(readFileSync(path, 'utf8'))));
  } catch {
    // It is not there yet, or not any more.
    return undefined;
  }
  const all = nodes.flatMap(({ addresses, shards }) => shards.map((one, at) => [one + 1, addresses[at]] as const));
  return all.length === 0 ? nodes[0]?.addresses[0] : all.find(([one]) => one === shard)?.[1];
}
