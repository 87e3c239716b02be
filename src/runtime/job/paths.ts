import { join } from 'node:path';
import { type Entity, memberDirectory, type Store } from '../../ir/index.js';
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

/** Launches of one start of a job, written by its script when all have begun. */
export function launchedFile(job: JobEnvironment): string {
  return join(statusFolder(job.dir), `${job.job}.${job.jobId.replace(/[^A-Za-z0-9_.-]/g, '_')}.launched`);
}

/** The supervisor's own log. */
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

/** Checkpoint file of a store: `SAVE` and checkpoints write it, a start reads it. A colocated store has one per node, a cluster one per shard, by position. */
export function checkpointFile(job: JobEnvironment, store: Store, position: string): string {
  const folder = storeJobFolder(job, store.name);
  return join(folder, store.kind === 'standalone' && store.shards === 1 ? 'checkpoint' : `${position}.checkpoint`);
}

/** True for the name of a checkpoint in a store's folder, of whichever node. */
export function isCheckpoint(name: string): boolean {
  return name === 'checkpoint' || name.endsWith('.checkpoint');
}

/** Folder of the tensors that a store leaves as files. */
export function savedFolder(job: JobEnvironment, store: string): string {
  return join(storeJobFolder(job, store), 'saved');
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
