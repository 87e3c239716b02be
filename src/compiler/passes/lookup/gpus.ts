import type { ApplicationDeclaration, ExperimentDeclaration, OrchestratorDeclaration } from '../../../ir/index.js';
import { type Loaded, loadedByStore } from './loaded-models.js';

/** Number of GPUs that a node must have to load an ML model or script. */
export function gpusOf({ device, devicesPerNode = 1, firstDevice = 0 }: Loaded): number {
  if (!device.startsWith('GPU')) return 0;
  const named = device.split(':')[1];
  return named === undefined ? firstDevice + devicesPerNode : Number(named) + 1;
}

/** GPUs that the store colocated with an application needs on each node. */
export function colocatedGpus(experiment: ExperimentDeclaration, { colocated }: ApplicationDeclaration): number {
  return colocated === undefined ? 0 : storeGpus(experiment, colocated);
}

/** GPUs that a standalone store needs on each of its nodes. */
export function standaloneGpus(experiment: ExperimentDeclaration, store: OrchestratorDeclaration): number {
  return storeGpus(experiment, store);
}

function storeGpus(experiment: ExperimentDeclaration, store: object): number {
  const loaded = loadedByStore(experiment).get(store) ?? [];
  return loaded.reduce((most, one) => Math.max(most, gpusOf(one)), 0);
}
