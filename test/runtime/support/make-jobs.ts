import type { Entity, Job, Plan, Store } from '../../../src/ir/index.js';
import { makePlan } from './make-plan.js';

type JobInput = Partial<Job> & { readonly name: string };

/** A plan of several jobs; entities name theirs, and a store is in the job that names it. */
export function makeJobs(
  jobs: readonly JobInput[],
  entities: readonly (Partial<Entity> & { readonly name: string })[],
  stores: readonly (Partial<Store> & { readonly name: string })[] = [],
): Plan {
  const plan = makePlan(entities, stores);
  const [main] = plan.jobs;
  if (main === undefined) throw new Error('no job');
  return {
    ...plan,
    jobs: jobs.map((job) => ({
      ...main,
      script: `jobs/${job.name}.sh`,
      stores: [],
      entities: plan.entities.filter((entity) => entity.job === job.name).map(({ name }) => name),
      ...job,
    })),
  };
}
