import { mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Plan, StandaloneStore, Store } from '../../ir/index.js';
import { type JobEnvironment, jobIdForPath } from '../job/job-environment.js';
import { isCode } from '../job/job-folder.js';
import { storeFolder } from '../job/paths.js';
import { hasOwnJob } from '../job/read-plan.js';

/** True for a store that other hosts reach: it serves only addresses on its list. */
export function isReachable(store: Store): store is StandaloneStore {
  return store.kind === 'standalone' && store.scope === 'network';
}

/**
 * Makes the folder of a store's allow list, and returns its path. Nobody else can write it. A store of this job has a list for this job alone, a
 * file for each address, so that nodes of earlier runs, which others have now, are not on it. The list of a store with a job of its own has a
 * folder for each address, with a file for each job that has put it there: an address stays as long as one of these jobs does.
 */
export function makeAllowFolder(job: JobEnvironment, plan: Plan, store: string): string {
  const folder = hasOwnJob(plan, store) ? sharedAllowFolder(job, store) : ownAllowFolder(job, store);
  // The folders around it are as open as all others of the run.
  mkdirSync(dirname(folder), { recursive: true });
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return folder;
}

/** Puts addresses on the allow list of a store, on behalf of a job. */
export function allowAddresses(job: JobEnvironment, plan: Plan, store: string, addresses: Iterable<string>): void {
  const folder = makeAllowFolder(job, plan, store);
  if (hasOwnJob(plan, store)) {
    for (const address of addresses) allowFor(job, join(folder, address));
    return;
  }
  const there = new Set(readdirSync(folder));
  for (const address of addresses) {
    // Its name is all that counts, and a job may have thousands of nodes.
    if (!there.has(address)) writeFileSync(join(folder, address), `${job.jobId}\n`, { mode: 0o600 });
  }
}

/** Says in the folder of an address that a job needs it. Another job that has ended may remove the folder meanwhile. */
function allowFor(job: JobEnvironment, folder: string): void {
  for (;;) {
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      writeFileSync(join(folder, entryOf(job)), `${job.jobId}\n`, { mode: 0o600 });
      return;
    } catch (error) {
      // A file of that name, as earlier versions wrote, is as good.
      if (isCode(error, 'EEXIST')) return;
      if (!isCode(error, 'ENOENT')) throw error;
    }
  }
}

/** Name of the files of a job, or of an element of an array, in the list of a store with a job of its own. */
function entryOf({ jobId, arrayIndex }: JobEnvironment): string {
  return arrayIndex === undefined ? jobIdForPath(jobId) : `${jobIdForPath(jobId)}.${arrayIndex}`;
}

/** Removes the allow list of a store of a job that has ended. */
export function clearAllowList(job: JobEnvironment, store: string): void {
  rmSync(ownAllowFolder(job, store), { recursive: true, force: true });
}

/** Takes what a job that ends has put on the list of a store with a job of its own off it. */
export function leaveAllowList(job: JobEnvironment, store: string): void {
  const own = entryOf(job);
  removeEntries(job, store, (entry) => entry === own);
}

/** Most jobs that a scheduler is asked about at one start of a store. */
const mostAsked = 64;

/** Takes addresses of jobs that were killed and have ended off the list of a store with a job of its own. `runs` is false of a job that has ended. */
export async function pruneAllowList(
  job: JobEnvironment,
  store: string,
  runs: (jobId: string) => Promise<boolean | undefined>,
): Promise<void> {
  const ids = new Map<string, string>();
  for (const address of namesIn(sharedAllowFolder(job, store))) {
    const folder = join(sharedAllowFolder(job, store), address);
    for (const entry of namesIn(folder)) {
      if (ids.size < mostAsked && !ids.has(entry)) ids.set(entry, readId(join(folder, entry)));
    }
  }
  const ended = new Set<string>();
  for (const [entry, id] of ids) {
    if (id !== '' && id !== job.jobId && (await runs(id)) === false) ended.add(entry);
  }
  if (ended.size > 0) removeEntries(job, store, (entry) => ended.has(entry));
}

function removeEntries(job: JobEnvironment, store: string, isGone: (entry: string) => boolean): void {
  for (const address of namesIn(sharedAllowFolder(job, store))) {
    const folder = join(sharedAllowFolder(job, store), address);
    const gone = namesIn(folder).filter(isGone);
    for (const entry of gone) rmSync(join(folder, entry), { force: true });
    try {
      if (gone.length > 0) rmdirSync(folder);
    } catch {
      // Other jobs need the address.
    }
  }
}

/** Names in a folder; none where it is not there, or no folder. */
function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (isCode(error, 'ENOENT') || isCode(error, 'ENOTDIR')) return [];
    throw error;
  }
}

/** Job that an entry is of; empty if it has just gone. */
function readId(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    if (isCode(error, 'ENOENT')) return '';
    throw error;
  }
}

function sharedAllowFolder({ dir }: JobEnvironment, store: string): string {
  return join(storeFolder(dir, store), 'allow');
}

function ownAllowFolder({ dir, jobId }: JobEnvironment, store: string): string {
  return join(storeFolder(dir, store), `allow.${jobIdForPath(jobId)}`);
}
