import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { StandaloneStore, Store } from '../../ir/index.js';
import type { JobEnvironment } from '../job/job-environment.js';
import { storeFolder } from '../job/paths.js';
import { writeAtomically } from '../job/write-atomically.js';

/** True for a store that other hosts reach: it serves only addresses on its list. */
export function isReachable(store: Store): store is StandaloneStore {
  return store.kind === 'standalone' && store.scope === 'network';
}

/** Makes the folder of a store's allow list, a file for each address, and returns its path. Nobody else can write it. */
export function makeAllowFolder(dir: string, store: string): string {
  const folder = join(storeFolder(dir, store), 'allow');
  // The folders around it are as open as all others of the run.
  mkdirSync(dirname(folder), { recursive: true });
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return folder;
}

/** Puts addresses on the allow list of a store, on behalf of a job. */
export function allowAddresses({ dir, jobId }: JobEnvironment, store: string, addresses: Iterable<string>): void {
  const folder = makeAllowFolder(dir, store);
  for (const address of addresses) writeAtomically(join(folder, address), `${jobId}\n`, 0o600);
}
