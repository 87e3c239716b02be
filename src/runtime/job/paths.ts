import { join } from 'node:path';
import { type Entity, memberDirectory } from '../../ir/index.js';
import { type JobEnvironment, jobIdForPath, jobKey } from './job-environment.js';

/** Folder of the status files. */
export function statusFolder(dir: string): string {
  return join(dir, 'run/status');
}

/** Status file of one `launch`: nobody else writes it. */
export function statusFile(job: JobEnvironment, entity: string, member: number | undefined): string {
  const element = member === undefined ? entity : `${entity}.${member}`;
  return join(statusFolder(job.dir), `${jobKey(job)}.${element}.${jobIdForPath(job.jobId)}.jsonl`);
}

/** What the supervisor itself has to say. */
export function supervisorLog(job: JobEnvironment): string {
  return join(statusFolder(job.dir), `${jobKey(job)}.supervisor.log`);
}

/** Folder of a store: address.json, logs, statistics, allow-list. */
export function storeFolder(dir: string, store: string): string {
  return join(dir, 'run/stores', store);
}

/** Folder of the store's files in this job: elements of a job array each have a store of their own. */
export function storeJobFolder(job: JobEnvironment, store: string): string {
  const folder = storeFolder(job.dir, store);
  return job.arrayIndex === undefined ? folder : join(folder, String(job.arrayIndex));
}

/** Where a member's directory stands, absolute. */
export function memberPath(dir: string, entity: Pick<Entity, 'kind' | 'name'>, index: number): string {
  return join(dir, memberDirectory(entity, index));
}

/** Folder of the job on this node's /tmp: sockets only. */
export function jobFolderPath(job: JobEnvironment, uid: number): string {
  const index = job.arrayIndex === undefined ? '' : `-${job.arrayIndex}`;
  return `/tmp/simwright-${uid}-${jobIdForPath(job.jobId)}${index}`;
}

/** Socket on which the job's supervisor listens. The leading dot keeps it apart from `STORE.sock`. */
export function controlSocket(folder: string): string {
  return join(folder, '.control.sock');
}
