import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Plan, StandaloneStore, Store } from '../../ir/index.js';
import { type JobEnvironment, jobIdForPath } from '../job/job-environment.js';
import { storeFolder } from '../job/paths.js';
import { hasOwnJob } from '../job/read-plan.js';

/** True for a store that other hosts reach: it serves only addresses on its list. */
export function isReachable(store: Store): store is StandaloneStore {
  return store.kind === 'standalone' && store.scope === 'network';
}

/**
 * Makes the folder of a store's allow list, a file for each address, and returns its path. Nobody else can write it. A store of this job has a list
 * for this job alone, so that nodes of earlier runs, which others have now, are not on it.
 */
export function makeAllowFolder(job: JobEnvironment, plan: Plan, store: string): string {
  const folder = hasOwnJob(plan, store) ? join(storeFolder(job.dir, store), 'allow') : ownAllowFolder(job, store);
  // The folders around it are as open as all others of the run.
  mkdirSync(dirname(folder), { recursive: true });
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return folder;
}

/** Puts addresses on the allow list of a store, on behalf of a job. */
export function allowAddresses(job: JobEnvironment, plan: Plan, store: string, addresses: Iterable<string>): void {
  const folder = makeAllowFolder(job, plan, store);
  const there = new Set(readdirSync(folder));
  for (const address of addresses) {
    // Its name is all that counts, and a job may have thousands of nodes.
    if (!there.has(address)) writeFileSync(join(folder, address), `${job.jobId}\n`, { mode: 0o600 });
  }
}

/** Removes the allow list of a store of a job that has ended. */
export function clearAllowList(job: JobEnvironment, store: string): void {
  rmSync(ownAllowFolder(job, store), { recursive: true, force: true });
}

function ownAllowFolder({ dir, jobId }: JobEnvironment, store: string): string {
  return join(storeFolder(dir, store), `allow.${jobIdForPath(jobId)}`);
}
