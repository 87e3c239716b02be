import { WorkflowError } from '../../diagnostics/index.js';
import type { Plan, Store } from '../../ir/index.js';

/** Throws RUN1011 for a store that asks for what this version's stores cannot do, so that nothing is left out in silence. */
export function assertRunnable(plan: Plan, store: Store): void {
  const what = missing(plan, store);
  if (what !== undefined) throw notThereYet(store, what);
}

/** The refusal of a store, with what it asks for. */
export function notThereYet(store: Store, what: string): WorkflowError {
  return new WorkflowError({
    code: 'RUN1011',
    message: `store '${store.name}': ${what} is not there yet`,
    hint: 'its scripts can be compiled and looked at; to run, leave it out, or use the embedded engine in the job of its users',
  });
}

function missing(plan: Plan, store: Store): string | undefined {
  if (store.engine !== 'embedded') return `engine '${store.engine}'`;
  if (store.scripts.length > 0) return `a script ('${store.scripts[0]?.name}')`;
  if (store.kind === 'colocated') {
    const { transport } = store;
    const isOuter = transport.kind === 'tcp' && transport.interface !== undefined && transport.interface !== 'lo';
    return isOuter ? `a colocated store on interface '${transport.interface}'` : undefined;
  }
  if (store.shards > 1) return `a cluster of ${store.shards} shards`;
  if (plan.jobs.some(({ stores, entities }) => stores.includes(store.name) && entities.length === 0)) {
    return 'a job of its own';
  }
  const { evictionPolicy = 'noeviction' } = store;
  if (evictionPolicy !== 'noeviction') return `evictionPolicy '${evictionPolicy}'`;
  if (store.checkpointSeconds !== undefined) return 'checkpointSeconds';
  if (store.restart) return 'restart';
  return store.saveAtEnd.length > 0 ? 'saveAtEnd' : undefined;
}
