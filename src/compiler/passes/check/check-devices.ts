import type { Problems } from '../../../diagnostics/index.js';
import { applicationsOf, gpuMakerNames } from '../../../ir/index.js';
import type { Reads } from '../compilation.js';
import { gpusOf } from '../lookup/gpus.js';
import { callOf } from '../lookup/loaded-models.js';
import { siteOf } from '../lookup/queue-of.js';

/** No ML model or script needs more GPUs than the site's nodes have, or GPUs that what runs it there cannot use. */
export function checkDevices({ experiment, site }: Reads<'experiment' | 'site'>, problems: Problems): void {
  for (const application of applicationsOf(experiment)) {
    const { gpus, gpuMaker = 'nvidia' } = siteOf(experiment, application, site).node;
    for (const model of application.mlModels) {
      // ONNX Runtime for Node.js has CUDA and nothing else.
      if (gpuMaker === 'nvidia' || site.python !== undefined || model.backend !== 'ONNX' || gpusOf(model) === 0)
        continue;
      const message = `${callOf(model)} is for a GPU, and on those of site '${site.name}', which ${gpuMakerNames[gpuMaker]} makes, ONNX models run in a Python with onnxruntime only`;
      const hint = "name that Python in the site: python: '/sw/ml/bin/python3', or load the model on the CPU";
      problems.warning('ML1014', message, model.at, hint);
    }
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
