import { mkdirSync, mkdtempSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Problem } from '../../diagnostics/index.js';

/** Bytes that there has to be room for: what a store or a launch writes before it does anything. */
const probeBytes = 4096;

/** `run/` can be made and written, and has room: found out by writing, since quotas and full disks show in no mode bits. */
export function checkRunFolder(dir: string): Problem[] {
  const run = join(dir, 'run');
  const probe = join(run, `.probe-${process.pid}`);
  try {
    mkdirSync(run, { recursive: true });
    try {
      writeFileSync(probe, Buffer.alloc(probeBytes, 1));
    } finally {
      rmSync(probe, { force: true });
    }
    return [];
  } catch (error) {
    const hint = 'jobs write their results there: it needs room, on a file system that compute nodes can write';
    return [cannotBeWritten(run, error, hint)];
  }
}

/** `/tmp` can be written: the job's sockets go there. */
export function checkTmp(): Problem[] {
  try {
    rmdirSync(mkdtempSync('/tmp/simwright-probe-'));
    return [];
  } catch (error) {
    return [cannotBeWritten('/tmp', error, 'sockets of the job and its stores go there')];
  }
}

function cannotBeWritten(path: string, error: unknown, hint: string): Problem {
  const reason = error instanceof Error ? error.message : String(error);
  return { code: 'OUT1002', severity: 'error', message: `${path} cannot be written: ${reason}`, hint };
}
