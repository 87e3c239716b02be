import { randomBytes } from 'node:crypto';
import {
  type BigIntStats,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { userInfo } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { WorkflowError } from '../../diagnostics/index.js';
import type { JobEnvironment } from './job-environment.js';
import { jobFolderPath } from './paths.js';

/** The caller's user id. */
export function userId(): number {
  return process.getuid?.() ?? userInfo().uid;
}

/**
 * Path of the job's folder under /tmp. Where a stranger has made one of its name, it has another, which only this user can know: the same
 * for all processes of the job.
 */
export function jobFolder(job: JobEnvironment): string {
  const plain = jobFolderPath(job, userId());
  const found = lookAt(plain);
  if (found !== undefined && isStrangers(found)) return `${plain}-${secretName(job)}`;
  // A stranger can remove what he has made, but not what was made instead.
  const other = knownSecretName(job);
  return other !== undefined && lookAt(`${plain}-${other}`) !== undefined ? `${plain}-${other}` : plain;
}

/** Makes the job's folder, mode 0700, or joins one that is ours alone. Throws RUN1004 when there can be none. */
export function makeJobFolder(job: JobEnvironment): string {
  let folder = jobFolder(job);
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    if (!isCode(error, 'EEXIST')) throw refused(folder, error instanceof Error ? error.message : String(error));
    // Made since we looked, perhaps by a stranger.
    folder = jobFolder(job);
    mkdirSync(folder, { mode: 0o700, recursive: true });
    const problem = whyNotOurs(lstatSync(folder, { bigint: true }));
    if (problem !== undefined) throw refused(folder, problem);
  }
  return folder;
}

/** File with the end of the folder's name that strangers cannot foresee, once it has been needed. */
function secretFile({ dir }: JobEnvironment): string {
  return join(dir, 'run', '.socket-folder');
}

function knownSecretName(job: JobEnvironment): string | undefined {
  try {
    const name = readFileSync(secretFile(job), 'latin1');
    return /^[0-9a-f]{12}$/.test(name) ? name : undefined;
  } catch (error) {
    if (isCode(error, 'ENOENT') || isCode(error, 'ENOTDIR')) return undefined;
    throw error;
  }
}

function secretName(job: JobEnvironment): string {
  const known = knownSecretName(job);
  if (known !== undefined) return known;
  const path = secretFile(job);
  const name = randomBytes(6).toString('hex');
  const own = `${path}.${name}.tmp`;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(own, name, { mode: 0o600, flag: 'wx' });
  try {
    // A link appears with its content; the first one counts.
    linkSync(own, path);
    return name;
  } catch (error) {
    if (isCode(error, 'EEXIST')) return knownSecretName(job) ?? name;
    throw error;
  } finally {
    rmSync(own, { force: true });
  }
}

function lookAt(path: string): BigIntStats | undefined {
  return lstatSync(path, { bigint: true, throwIfNoEntry: false });
}

function isStrangers({ uid }: BigIntStats): boolean {
  return Number(uid) !== userId();
}

function whyNotOurs(found: BigIntStats): string | undefined {
  if (!found.isDirectory()) return 'it is no directory';
  if (isStrangers(found)) return `it belongs to user ${found.uid}`;
  if ((found.mode & 0o77n) !== 0n) return 'others can enter it';
  return undefined;
}

function refused(folder: string, why: string): WorkflowError {
  return new WorkflowError({
    code: 'RUN1004',
    message: `${folder}: ${why}; sockets need a folder that only this user can open`,
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

/** Folder in the job's own with the books of its hosts, which launches keep. */
export function booksFolder(folder: string): string {
  return join(folder, '.hosts');
}

/** File in the job's own folder with the addresses that its nodes have told. */
export function toldFile(folder: string): string {
  return join(folder, '.told');
}

/** Removes the job's folder if nothing is left in it but what its launches read of its hosts: `down` has not come, and whoever goes last takes it along. */
export function removeUnusedJobFolder(job: JobEnvironment): void {
  const folder = jobFolder(job);
  const ofHosts = [booksFolder(folder), toldFile(folder)];
  try {
    if (whyNotOurs(lstatSync(folder, { bigint: true })) !== undefined) return;
    if (readdirSync(folder).every((name) => ofHosts.some((path) => name === basename(path)))) {
      for (const path of ofHosts) rmSync(path, { recursive: true, force: true });
    }
    rmdirSync(folder);
  } catch {
    // Others still use it, or it is gone.
  }
}

/** True if a thrown value is a system error with that code. */
export function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
