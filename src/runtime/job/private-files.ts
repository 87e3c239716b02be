import { statSync } from 'node:fs';
import { join } from 'node:path';
import { everybody, restricted } from '../../ir/index.js';

/** The umask that the job came with, once this process has a tighter one. */
let ofTheJob: number | undefined;

/**
 * From now on nobody can read what this process writes who cannot read the plan: `compile` gives it the rights that all files have in common
 * that it was made from.
 *
 * @param dir the folder that holds plan.json
 */
export function keepAsPrivateAsPlan(dir: string): void {
  const access = statSync(join(dir, 'plan.json'), { throwIfNoEntry: false })?.mode ?? everybody;
  const closed = everybody & ~restricted(everybody, access);
  if (closed === 0) return;
  const before = process.umask(0o077);
  ofTheJob ??= before;
  process.umask(before | closed);
}

/** The job's own umask, where this process has a tighter one. */
export function umaskOfJob(): number | undefined {
  return ofTheJob;
}

/** Starts a process with the job's own umask: what applications write elsewhere is theirs to share. */
export function withUmaskOfJob<Result>(start: () => Result): Result {
  if (ofTheJob === undefined) return start();
  const mine = process.umask(ofTheJob);
  try {
    return start();
  } finally {
    process.umask(mine);
  }
}
