import { backends } from '../ml/backends.js';
import { engines } from './engines.js';
import type { Store } from './plan.js';

/** A feature that this version cannot run: a store's, or that of the ML model with the name `mlModel`. */
export interface NotRunnable {
  readonly what: string;
  readonly mlModel?: string;
}

/** Features of a store that this version cannot run. The compiler warns of them; the runtime refuses the store. */
export function notRunnable(store: Store): NotRunnable[] {
  const found: NotRunnable[] = [];
  if (!engines[store.engine].isAvailable) found.push({ what: `engine '${store.engine}'` });
  for (const { name, backend } of store.mlModels) {
    if (!backends[backend].isAvailable)
      found.push({ what: `backend ${backend}, of ML model '${name}',`, mlModel: name });
  }
  if (store.kind === 'standalone') {
    if (store.shards > 1) found.push({ what: `a cluster of ${store.shards} shards` });
    return found;
  }
  const { transport, nodes } = store;
  // All ranks of an application get one address. On loopback and a socket it is the same on every node; on an interface it is not.
  if (transport.kind === 'tcp' && transport.interface !== undefined && transport.interface !== 'lo' && nodes > 1) {
    found.push({ what: `a colocated store on interface '${transport.interface}' of ${nodes} nodes` });
  }
  return found;
}
