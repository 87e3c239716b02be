import { type BigIntStats, lstatSync, mkdirSync, rmdirSync, rmSync } from 'node:fs';
import { userInfo } from 'node:os';
import { WorkflowError } from '../../diagnostics/index.js';
import type { JobEnvironment } from './job-environment.js';
import { jobFolderPath } from './paths.js';

/** The caller's user id. */
export function userId(): number {
  return process.getuid?.() ?? userInfo().uid;
}

/** Path of the job's folder under /tmp; whether it is there and whose it is, is not looked at. */
export function jobFolder(job: JobEnvironment): string {
  return jobFolderPath(job, userId());
}

/** Makes the job's folder, mode 0700, or joins one that is ours alone. Throws RUN1004 when it is somebody else's. */
export function makeJobFolder(job: JobEnvironment): string {
  const folder = jobFolder(job);
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    if (!isCode(error, 'EEXIST')) throw refused(folder, error instanceof Error ? error.message : String(error));
    const problem = whyNotOurs(lstatSync(folder, { bigint: true }));
    if (problem !== undefined) throw refused(folder, problem);
  }
  return folder;
}

function whyNotOurs(found: BigIntStats): string | undefined {
  if (!found.isDirectory()) return 'it is no directory';
  if (Number(found.uid) !== userId()) return `it belongs to user ${found.uid}`;
  if ((found.mode & 0o77n) !== 0n) return 'others can enter it';
  return undefined;
}

function refused(folder: string, why: string): WorkflowError {
  return new WorkflowError({
    code: 'RUN1004',
    message: `${folder}: ${why}; sockets need a folder of this user alone`,
    hint: `look at it with: ls -ld ${folder}`,
  });
}

/** Removes the job's folder with everything in it, if it is ours. */
export function removeJobFolder(job: JobEnvironment): void {
  const folder = jobFolder(job);
  try {
    if (whyNotOurs(lstatSync(folder, { bigint: true })) === undefined) rmSync(folder, { recursive: true, force: true });
  } catch (error) {
    if (!isCode(error, 'ENOENT')) throw error;
  }
}

/** Removes the job's folder if nothing is left in it. */
export function removeJobFolderIfEmpty(job: JobEnvironment): void {
  try {
    rmdirSync(jobFolder(job));
  } catch {
    // Others still use it, or it is gone.
  }
}

/** Whether a thrown value is a system error of that code. */
export function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
