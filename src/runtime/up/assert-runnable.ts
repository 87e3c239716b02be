import { WorkflowError } from '../../diagnostics/index.js';
import type { Store } from '../../ir/index.js';

/** Throws RUN1011 for a store that asks for what this version's stores cannot do, so that nothing is left out in silence. */
export function assertRunnable(store: Store): void {
  const what = missing(store);
  if (what === undefined) return;
  throw new WorkflowError({
    code: 'RUN1011',
    message: `store '${store.name}': ${what} is not there yet`,
    hint: 'its scripts can be compiled and looked at; to run, leave it out, or use the embedded engine with ONNX models',
  });
}

function missing(store: Store): string | undefined {
  if (store.engine !== 'embedded') return `engine '${store.engine}'`;
  const model = store.mlModels.find(({ backend }) => backend !== 'ONNX');
  if (model !== undefined) return `backend ${model.backend}, of ML model '${model.name}',`;
  if (store.kind === 'standalone') return store.shards > 1 ? `a cluster of ${store.shards} shards` : undefined;
  const { transport, nodes } = store;
  if (transport.kind !== 'tcp' || transport.interface === undefined || transport.interface === 'lo') return undefined;
  // Applications have one address for all their ranks, which loopback and a socket give and an interface does not.
  return nodes > 1 ? `a colocated store on interface '${transport.interface}' of ${nodes} nodes` : undefined;
}
