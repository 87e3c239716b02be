import type { Problems } from '../../../diagnostics/index.js';
import { applicationsOf } from '../../../ir/index.js';
import type { Reads } from '../compilation.js';
import { gpusOf } from '../lookup/gpus.js';
import { callOf } from '../lookup/loaded-models.js';
import { siteOf } from '../lookup/queue-of.js';

/** No ML model or script needs more GPUs than the site's nodes have. */
export function checkDevices({ experiment, site }: Reads<'experiment' | 'site'>, problems: Problems): void {
  for (const application of applicationsOf(experiment)) {
    const { gpus } = siteOf(experiment, application, site).node;
    if (gpus === undefined) continue;
    for (const one of [...application.mlModels, ...application.scripts]) {
      const needed = gpusOf(one);
      if (needed <= gpus) continue;
      const has = gpus === 0 ? 'no GPU' : `${gpus} a node`;
      const message = `${callOf(one)} needs GPU ${needed - 1}, counted from 0, and site '${site.name}' has ${has}`;
      problems.error('PLAN1001', message, one.at, 'lower devicesPerNode or firstDevice, or load it on the CPU');
    }
  }
}
