import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import type { JobEnvironment } from '../job/job-environment.js';
import { storeFolder, storeJobFolder } from '../job/paths.js';
import { writeAtomically } from '../job/write-atomically.js';
import { StoreAddress } from './store-address.js';

/** Why a store with a job of its own is not there any more, for those who wait for it. */
const StoreEnd = z.object({
  job: z.string(),
  jobId: z.string(),
  run: z.string().optional(),
  reason: z.string(),
});
export type StoreEnd = z.infer<typeof StoreEnd>;

/** File from which launches learn a store's addresses. */
function addressFile(job: JobEnvironment, store: string): string {
  return join(storeJobFolder(job, store), 'address.json');
}

/** Says where a store is. */
export function publishAddress(job: JobEnvironment, address: StoreAddress): void {
  writeAtomically(addressFile(job, address.store), `${JSON.stringify(address, undefined, 2)}\n`);
}

/** Says of a store that it is being started again where it is: nothing that was written to it is there until it answers. */
export function suspendAddress(job: JobEnvironment, store: string): void {
  const address = readAddress(job, store);
  if (address === undefined) return;
  const nodes = address.nodes.map((node) => ({ ...node, restored: [] }));
  try {
    publishAddress(job, { ...address, id: '', restarts: address.restarts + 1, nodes });
  } catch {
    // Its next address takes the place of this one.
  }
}

/** Where a store of this job is, or was if its job was killed. */
export function readAddress(job: JobEnvironment, store: string): StoreAddress | undefined {
  return read(addressFile(job, store), StoreAddress);
}

/** The same of a store that has a job of its own. */
export function readSharedAddress(dir: string, store: string): StoreAddress | undefined {
  return read(join(storeFolder(dir, store), 'address.json'), StoreAddress);
}

/** Takes a store's address away if this job has published it. */
export function withdrawAddress(job: JobEnvironment, store: string): void {
  if (readAddress(job, store)?.jobId === job.jobId) rmSync(addressFile(job, store), { force: true });
}

/** Tells those in other jobs who wait for a store that it does not come, or not any more. */
export function announceEnd(job: JobEnvironment, store: string, reason: string): void {
  const { job: name, jobId, run } = job;
  const end: StoreEnd = { job: name, jobId, ...(run === undefined ? {} : { run }), reason };
  try {
    writeAtomically(endFile(job.dir, store), `${JSON.stringify(end)}\n`);
  } catch {
    // They find out by waiting.
  }
}

/** Begins anew: whatever happened to the store before, it is about to come. */
export function forgetEnd(job: JobEnvironment, store: string): void {
  rmSync(endFile(job.dir, store), { force: true });
}

/** End of the store's last job; undefined if it has not ended. */
export function readEnd(dir: string, store: string): StoreEnd | undefined {
  return read(endFile(dir, store), StoreEnd);
}

function endFile(dir: string, store: string): string {
  return join(storeFolder(dir, store), 'ended.json');
}

function read<Value>(path: string, schema: z.ZodType<Value>): Value | undefined {
  try {
    return schema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    return undefined;
  }
}
