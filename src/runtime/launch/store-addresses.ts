import { WorkflowError } from '../../diagnostics/index.js';
import type { Entity, Plan, Store } from '../../ir/index.js';
import type { JobEnvironment } from '../job/job-environment.js';
import { jobOf } from '../job/read-plan.js';
import { readAddress, readSharedAddress } from '../store-files/address-file.js';
import { clientAddresses, type StoreAddress } from '../store-files/store-address.js';

/** A store that an application sees, and where. */
export interface SeenStore {
  readonly store: Store;
  /** As `SSDB` wants it, at the moment. */
  readonly address: string;
  /** Identity of the start of the store that runs now; empty while it is being started again. */
  readonly start: () => string;
  /** How often it has been started again in its job. */
  readonly restarts: () => number;
}

/** A store that an application sees, found at an address; `read` looks at that again. */
export function seenStore(store: Store, found: StoreAddress, read: () => StoreAddress | undefined): SeenStore {
  // Only those that are started again change, and a look costs a read from the shared file system.
  const changes = store.kind === 'standalone' && store.restart;
  const start = changes ? () => read()?.id ?? '' : () => found.id;
  const restarts = changes ? () => read()?.restarts ?? 0 : () => 0;
  // With replicas it may go on without a node, whose shards are then elsewhere.
  const moves = store.kind === 'standalone' && store.replicas !== undefined;
  return {
    store,
    get address() {
      return clientAddresses((moves ? read() : undefined) ?? found).join(',');
    },
    start,
    restarts,
  };
}

/** A store that this launch knows to run: one of its own job, or one that it has met. */
export function runningStore(job: JobEnvironment, plan: Plan, entity: Entity, store: string): StoreAddress | undefined {
  if (jobOf(plan, job.job).stores.includes(store)) {
    const own = readAddress(job, store);
    return own?.jobId === job.jobId ? own : undefined;
  }
  return entity.stores.includes(store) ? readSharedAddress(job.dir, store) : undefined;
}

/** Where a store of this job is. Throws RUN1004 for one that has not been brought up. */
export function ownStore(job: JobEnvironment, entity: Entity, store: Store): SeenStore {
  const found = readAddress(job, store.name);
  if (found?.jobId === job.jobId) return seenStore(store, found, () => readAddress(job, store.name));
  throw new WorkflowError({
    code: 'RUN1004',
    message: `${entity.name} needs store '${store.name}', which does not run in job ${job.jobId}`,
    hint: `the job's script starts it with: runtime up ${store.name}`,
  });
}
