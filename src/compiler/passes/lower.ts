import { applicationsOf, defined, planVersion } from '../../ir/index.js';
import type { Adds, Compilation } from './compilation.js';
import { lowerEntity } from './lower-entities.js';
import { lowerJob } from './lower-jobs.js';
import { lowerStores } from './lower-stores.js';

/** The plan: all that scripts and the runtime need. It does not depend on the machine where it was compiled. */
export function lower(input: Omit<Compilation, 'plan'>): Adds<'plan'> {
  const { experiment, site, jobs } = input;
  const stores = lowerStores(input);
  return {
    plan: {
      version: planVersion,
      simwright: input.version,
      experiment: experiment.name,
      workflow: input.workflow,
      site: site.name,
      target: site.target,
      nodeCommand: site.nodeCommand,
      blocks: site.blocks,
      ...defined({
        runtimePath: site.runtimePath,
        python: site.python,
        redisai: stores.some(({ engine }) => engine === 'redisai') ? site.redisai : undefined,
        networkInterface: site.networkInterface,
        gpuMaker: site.node.gpuMaker,
      }),
      jobs: jobs.map((job) => lowerJob(job, stores, input)),
      stores,
      entities: applicationsOf(experiment).map((application) => lowerEntity(application, input)),
    },
  };
}
