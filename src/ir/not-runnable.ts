import { backends } from '../ml/backends.js';
import { engines } from './engines.js';
import type { Store } from './plan.js';

/** A feature of a store that this version cannot run; of an ML model, if it is one's. */
export interface NotRunnable {
  readonly what: string;
  readonly mlModel?: string;
}

/** Features that a store asks for and this version cannot run: the compiler warns of them, the runtime refuses the store. */
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
  // Applications have one address for all their ranks, which loopback and a socket give and an interface does not.
  if (transport.kind === 'tcp' && transport.interface !== undefined && transport.interface !== 'lo' && nodes > 1) {
    found.push({ what: `a colocated store on interface '${transport.interface}' of ${nodes} nodes` });
  }
  return found;
}
