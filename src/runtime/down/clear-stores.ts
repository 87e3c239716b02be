import { existsSync, readdirSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { Plan, Store } from '../../ir/index.js';
import { clearAllowList, leaveAllowList } from '../allow/allow-list.js';
import type { JobEnvironment } from '../job/job-environment.js';
import { storeJobFolder } from '../job/paths.js';
import { hasOwnJob, jobOf, storeOf } from '../job/read-plan.js';
import { isToBeSaved } from '../rerun/saving.js';
import { announceEnd, readAddress, withdrawAddress } from '../store-files/address-file.js';
import { savedIn } from '../store-files/saved-stores.js';
import type { StoreAddress } from '../store-files/store-address.js';
import { notSaved } from '../supervisor/save-time.js';

/**
 * Removes what a job's stores leave when they are killed: their addresses, files half-written, sockets that nobody listens on. Says of those that
 * could not save what is still needed that they have not.
 */
export async function clearStores(job: JobEnvironment, plan: Plan): Promise<void> {
  const used = plan.entities.filter((one) => one.job === job.job).flatMap(({ stores }) => stores);
  for (const name of new Set([...used, ...jobOf(plan, job.job).stores])) {
    if (hasOwnJob(plan, name)) leaveAllowList(job, name);
  }
  for (const name of jobOf(plan, job.job).stores) {
    const store = storeOf(plan, name);
    const folder = storeJobFolder(job, name);
    clearAllowList(job, name);
    // Another job on this folder may have the store now.
    const holder = readAddress(job, name);
    if (holder !== undefined && holder.jobId !== job.jobId) continue;
    if (holder !== undefined) {
      if (isLost(job, plan, store, holder))
        process.stderr.write(`simwright: ${notSaved(name, 'it was killed before')}\n`);
      withdrawAddress(job, name);
      if (hasOwnJob(plan, name)) announceEnd(job, name, 'its job has ended, and it was killed before');
    }
    for (const file of existsSync(folder) ? readdirSync(folder) : []) {
      if (file.endsWith('.tmp')) rmSync(join(folder, file), { force: true });
    }
    await removeDeadSocket(store);
  }
}

/** True if what a store held was to be saved and has not been. */
function isLost(job: JobEnvironment, plan: Plan, store: Store, { id, nodes }: StoreAddress): boolean {
  if (!isToBeSaved(job, plan, store)) return false;
  const saved = savedIn(storeJobFolder(job, store.name)).flat();
  return saved.filter(({ store: start, whole }) => start === id && whole).length < nodes.length;
}

/** A socket at a path of the user's own; the job's own go with its folder. */
async function removeDeadSocket(store: Store): Promise<void> {
  if (store.kind !== 'colocated' || store.transport.kind !== 'uds' || store.transport.socket === undefined) return;
  const { socket: path } = store.transport;
  if (existsSync(path) && (await isRefused(path))) rmSync(path, { force: true });
}

function isRefused(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(false);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED'));
  });
}
