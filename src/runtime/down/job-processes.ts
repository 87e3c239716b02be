import { readdirSync, readFileSync, statSync } from 'node:fs';
import type { JobEnvironment } from '../job/job-environment.js';
import { userId } from '../job/job-folder.js';
import { identify, type ProcessIdentity, parentOf } from '../job/process-identity.js';

/** A process of the job on this host. */
export interface JobProcess extends ProcessIdentity {
  /** `launch` if it waits for applications, of this job or of others, or starts a store on other nodes. */
  readonly role: 'launch' | 'supervisor' | 'store' | 'other';
}

/**
 * Processes of this user on this host whose environment names the job, also those that have left their parents; without the
 * caller and its ancestors, the script among them.
 */
export function jobProcesses(job: JobEnvironment): JobProcess[] {
  const marks = [`SIMWRIGHT_JOB=${job.job}`, `SIMWRIGHT_JOB_ID=${job.jobId}`];
  if (job.arrayIndex !== undefined) marks.push(`SIMWRIGHT_ARRAY_INDEX=${job.arrayIndex}`);
  const spared = new Set(withAncestors(process.pid));
  if (job.scriptPid !== undefined) spared.add(job.scriptPid);
  return readdirSync('/proc').flatMap((name) => {
    const pid = Number(name);
    if (!Number.isInteger(pid) || spared.has(pid) || !isOurs(pid, marks)) return [];
    const identity = identify(pid);
    return identity === undefined ? [] : [{ ...identity, role: roleOf(pid) }];
  });
}

function isOurs(pid: number, marks: readonly string[]): boolean {
  try {
    if (statSync(`/proc/${pid}`).uid !== userId()) return false;
    const variables = new Set(readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0'));
    return marks.every((mark) => variables.has(Buffer.from(mark).toString('latin1')));
  } catch {
    return false;
  }
}

function roleOf(pid: number): JobProcess['role'] {
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    if (words.some((word, at) => word.endsWith('simwright.mjs') && words[at + 1] === 'store')) return 'store';
    const [, bundle = '', verb] = words;
    if (!bundle.endsWith('simwright.mjs')) return 'other';
    return verb === 'launch' || verb === 'hold' ? 'launch' : verb === 'supervise' ? 'supervisor' : 'other';
  } catch {
    return 'other';
  }
}

function withAncestors(pid: number): number[] {
  const line: number[] = [];
  for (let at: number | undefined = pid; at !== undefined && at > 0; at = parentOf(at)) line.push(at);
  return line;
}
