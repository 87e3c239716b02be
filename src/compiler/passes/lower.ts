import { applicationsOf, defined, planVersion } from '../../ir/index.js';
import type { Adds, Known } from './known.js';
import { lowerEntity } from './lower-entities.js';
import { lowerJob } from './lower-jobs.js';
import { lowerStores } from './lower-stores.js';

/** The plan: everything that scripts and the runtime need, and nothing of the machine it was compiled on. */
export function lower(known: Omit<Known, 'plan'>): Adds<'plan'> {
  const { experiment, site, jobs } = known;
  return {
    plan: {
      version: planVersion,
      simwright: known.version,
      experiment: experiment.name,
      workflow: known.workflow,
      site: site.name,
      target: site.target,
      nodeCommand: site.nodeCommand,
      blocks: site.blocks,
      ...defined({ runtimePath: site.runtimePath, networkInterface: site.networkInterface }),
      jobs: jobs.map((job) => lowerJob(job, known)),
      stores: lowerStores(known),
      entities: applicationsOf(experiment).map((application) => lowerEntity(application, known)),
    },
  };
}
