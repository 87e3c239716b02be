import type { Entity, Plan, Store } from '../../ir/index.js';
import { isOfElement } from '../job/element-members.js';
import type { JobEnvironment } from '../job/job-environment.js';
import { MemberSelection } from '../job/member-selection.js';
import { StatusReader } from '../status/index.js';
import { Rerun, type RerunContext } from './index.js';

/**
 * True if a store of this job is to be saved when it ends: it is told to, or an entity that can read it has not completed. `onUsers` is called
 * with the names of these.
 */
export function isToBeSaved(
  job: JobEnvironment,
  plan: Plan,
  store: Store,
  onUsers: (names: readonly string[]) => void = () => {},
): boolean {
  if (store.checkpointSeconds !== undefined) return store.checkpointSeconds > 0;
  const users = unfinishedUsers(job, plan, store).map(({ name }) => name);
  onUsers(users);
  return users.length > 0;
}

/**
 * Entities that can read a store of this job and have members that are to run yet. A colocated store of an element of a job array is read by
 * that element's members alone.
 */
function unfinishedUsers(job: JobEnvironment, plan: Plan, store: Store): Entity[] {
  const rerun = rerunOf(job, plan);
  return plan.entities.filter((entity) => {
    if (!entity.stores.includes(store.name)) return false;
    const isHere = store.kind === 'colocated' ? isOfElement(plan, job, entity) : () => true;
    return rerun.of(entity).members.some(({ index, reason }) => reason !== undefined && isHere(index));
  });
}

/** Members of a plan that run again as a store of this job sees it: with `runningStore` who lacks his data does, too. */
export function rerunOf(job: JobEnvironment, plan: Plan, runningStore?: RerunContext['runningStore']): Rerun {
  const status = new StatusReader(job.dir);
  status.refresh();
  const start = new Date(job.startedSeconds * 1000).toISOString();
  return new Rerun(
    {
      dir: job.dir,
      plan,
      statusOf: (entity) => status.of(entity),
      chosen: MemberSelection.all,
      fresh: job.fresh,
      keep: job.keep,
      hasOutcomes: true,
      isOurs: ({ run, time }) => (job.run !== undefined && run === job.run) || time >= start,
      ...(runningStore === undefined ? {} : { runningStore }),
    },
    runningStore !== undefined,
  );
}
