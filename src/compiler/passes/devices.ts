import type { Problems } from '../../diagnostics/index.js';
import {
  type ApplicationDeclaration,
  applicationsOf,
  type ExperimentDeclaration,
  type OrchestratorDeclaration,
  type Site,
} from '../../ir/index.js';
import { callOf, type Loaded, loadedByStore } from './check-stores.js';

/** GPUs that a node must have for an ML model or script to be loaded: the highest number it names, and one. */
function gpusOf({ device, devicesPerNode = 1, firstDevice = 0 }: Loaded): number {
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

/** No ML model or script names a GPU that the site's nodes do not have. */
export function checkDevices(experiment: ExperimentDeclaration, site: Site, problems: Problems): void {
  const { gpus } = site.node;
  if (gpus === undefined) return;
  for (const application of applicationsOf(experiment)) {
    for (const one of [...application.mlModels, ...application.scripts]) {
      const needed = gpusOf(one);
      if (needed <= gpus) continue;
      const has = gpus === 0 ? 'no GPU' : `${gpus} a node`;
      const message = `${callOf(one)} needs GPU ${needed - 1}, counted from 0, and site '${site.name}' has ${has}`;
      problems.error('PLAN1001', message, one.at, 'lower devicesPerNode or firstDevice, or load it on the CPU');
    }
  }
}
