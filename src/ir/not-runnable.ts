import { engines } from './engines.js';
import type { Store } from './plan.js';

/** Features of a store that this version cannot run. The compiler warns of them; the runtime refuses the store. */
export function notRunnable(store: Store): string[] {
  const found: string[] = [];
  if (store.kind === 'standalone') {
    if (store.shards > 1 && !engines[store.engine].hasShards)
      found.push(`a cluster of ${store.shards} shards of the ${store.engine} engine`);
    return found;
  }
  const { transport, nodes } = store;
  // All ranks of an application get one address. On loopback and a socket it is the same on every node; on an interface it is not.
  if (transport.kind === 'tcp' && transport.interface !== undefined && transport.interface !== 'lo' && nodes > 1) {
    found.push(`a colocated store on interface '${transport.interface}' of ${nodes} nodes`);
  }
  return found;
}
