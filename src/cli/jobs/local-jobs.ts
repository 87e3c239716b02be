import { existsSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { basename, isAbsolute, join } from 'node:path';
import { userId } from '../../runtime/job/job-folder.js';
import { identify, type ProcessIdentity } from '../../runtime/job/process-identity.js';
import type { JobFolder } from './folder.js';

/** Processes of a folder that was compiled for this machine. */
export interface LocalProcesses {
  /** submit.sh, which starts one job after the other. */
  readonly submit: readonly ProcessIdentity[];
  /** By the script's path relative to the folder: `jobs/NAME.sh`. */
  readonly scripts: ReadonlyMap<string, readonly ProcessIdentity[]>;
}

/**
 * This user's processes that work in the folder and run its scripts. A process id alone tells nothing, since another process may have it
 * by now.
 */
export function localProcesses({ dir }: Pick<JobFolder, 'dir'>): LocalProcesses {
  const submit: ProcessIdentity[] = [];
  const scripts = new Map<string, ProcessIdentity[]>();
  // Elsewhere than on Linux no job has been started.
  for (const name of existsSync('/proc') ? readdirSync('/proc') : []) {
    const script = /^\d+$/.test(name) ? scriptOf(name, dir) : undefined;
    const identity = script === undefined ? undefined : identify(Number(name));
    if (script === undefined || identity === undefined) continue;
    if (script === 'submit.sh') submit.push(identity);
    else scripts.set(script, [...(scripts.get(script) ?? []), identity]);
  }
  return { submit, scripts };
}

/** The folder's script that a process runs with bash; `undefined` for any other process. */
function scriptOf(pid: string, dir: string): string | undefined {
  try {
    if (statSync(`/proc/${pid}`).uid !== userId() || readlinkSync(`/proc/${pid}/cwd`) !== dir) return undefined;
    const [program = '', script = ''] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    if (basename(program) !== 'bash') return undefined;
    if (/^jobs\/[^/]+\.sh$/.test(script)) return script;
    // Started from anywhere, it has entered its folder since.
    const isSubmit =
      basename(script) === 'submit.sh' && (!isAbsolute(script) || samePlace(script, join(dir, 'submit.sh')));
    return isSubmit ? 'submit.sh' : undefined;
  } catch {
    // It has ended, or is somebody else's.
    return undefined;
  }
}

function samePlace(one: string, other: string): boolean {
  const [a, b] = [statSync(one), statSync(other)];
  return a.ino === b.ino && a.dev === b.dev;
}

/** Clock ticks a second, as /proc counts them on Linux. */
const ticksPerSecond = 100;

/** Seconds since a process started. */
export function ageSeconds({ startTicks }: ProcessIdentity): number {
  const uptime = Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]);
  return Math.max(0, Math.round(uptime - Number(startTicks) / ticksPerSecond));
}
