import type { Entity, Plan, Store } from '../../ir/index.js';
import { isOfElement } from '../job/element-members.js';
import type { JobEnvironment } from '../job/job-environment.js';
import type { StatusReader } from '../status/index.js';

/**
 * Entities that can read a store of this job and have members that have not completed. A colocated store of an element of a job array is read
 * by that element's members alone.
 */
export function unfinishedUsers(job: JobEnvironment, plan: Plan, store: Store, status: StatusReader): Entity[] {
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
