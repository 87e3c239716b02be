import type { Entity, Plan, Store } from '../../ir/index.js';
import { isOfElement } from '../job/element-members.js';
import type { JobEnvironment } from '../job/job-environment.js';
import { StatusReader } from '../status/index.js';

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
  const status = new StatusReader(job.dir);
  status.refresh();
  const users = unfinishedUsers(job, plan, store, status).map(({ name }) => name);
  onUsers(users);
  return users.length > 0;
}

/**
 * Entities that can read a store of this job and have members that have not completed. A colocated store of an element of a job array is read
 * by that element's members alone.
 */
function unfinishedUsers(job: JobEnvironment, plan: Plan, store: Store, status: StatusReader): Entity[] {
  return plan.entities.filter((entity) => {
    if (!entity.stores.includes(store.name)) return false;
    const { members } = status.of(entity.name);
    const isHere = store.kind === 'colocated' ? isOfElement(plan, job, entity) : () => true;
    for (let index = 0; index < entity.members.count; index++) {
      const last = members.get(index);
      if (isHere(index) && !(last?.state === 'completed' && last.digest === entity.digest)) return true;
    }
    return false;
  });
}
