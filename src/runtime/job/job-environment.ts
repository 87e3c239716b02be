import { createHash } from 'node:crypto';
import { hostname } from 'node:os';
import { WorkflowError } from '../../diagnostics/index.js';
import { MemberSelection } from './member-selection.js';

/** Facts that the job's script gives the runtime: `SIMWRIGHT_*` variables and the folder it runs in. */
export interface JobEnvironment {
  /** Absolute path of the folder that holds plan.json. */
  readonly dir: string;
  /** Name of the job in the plan. */
  readonly job: string;
  /** The scheduler's id; of a local script its process id. */
  readonly jobId: string;
  /** The submission that the job belongs to: all jobs that one submit.sh has submitted have the same. */
  readonly run: string | undefined;
  /** Element of the job array, if the job is one. */
  readonly arrayIndex: number | undefined;
  /** Hosts of the allocation, each once. */
  readonly hosts: readonly string[];
  /** CPUs that the job has on each host, if known. */
  readonly cpusPerNode: number | undefined;
  /** Start of the script, seconds since the epoch. */
  readonly startedSeconds: number;
  readonly scriptPid: number | undefined;
  /** Nothing of an earlier run counts. */
  readonly fresh: boolean;
  /** Completed members are accepted as they are, whatever has changed. */
  readonly keep: boolean;
  /** Further attempts for a member that failed. */
  readonly retries: number;
  /** Milliseconds between SIGTERM and SIGKILL. */
  readonly killAfterMs: number;
  /** Seconds that a store may take to answer, its models loaded. */
  readonly upTimeoutSeconds: number;
  /** Seconds without a sign of life after which a store's node, or its supervisor, counts as gone. */
  readonly linkTimeoutSeconds: number;
  /** Seconds in which all nodes of a store in shards have to come after the first. */
  readonly joinTimeoutSeconds: number;
  /** Microseconds for which a store's threads look for the next request before they sleep. @default the store's own */
  readonly busyPollMicros?: number | undefined;
  /** The members that the run is limited to. @default all */
  readonly members?: MemberSelection;
}

/** Seconds that a store may take, models included. */
const defaultUpTimeoutSeconds = 600;

/** Seconds in which a node that is alive gives a sign of life, also while it is busy. */
const defaultLinkTimeoutSeconds = 60;

/** Seconds that a launcher may take from the first process of a store to its last. */
const defaultJoinTimeoutSeconds = 25;

/** Reads the variables that the job's script sets. Throws RUN1014 for one that is missing or malformed. */
export function readJobEnvironment(env: NodeJS.ProcessEnv, dir: string): JobEnvironment {
  const number = (name: string): number | undefined => {
    const text = env[name];
    if (text === undefined || text === '') return undefined;
    if (!/^\d+(\.\d+)?$/.test(text)) throw misuse(`${name}=${text} is not a number`);
    return Number(text);
  };
  const job = env['SIMWRIGHT_JOB'];
  if (job === undefined || job === '') throw misuse('SIMWRIGHT_JOB is not set');
  const hosts = (env['SIMWRIGHT_HOSTS'] ?? '').split(/[\s,]+/).filter((host) => host !== '');
  return {
    dir,
    job,
    jobId: env['SIMWRIGHT_JOB_ID'] || String(process.ppid),
    run: env['SIMWRIGHT_RUN'] || undefined,
    arrayIndex: number('SIMWRIGHT_ARRAY_INDEX'),
    hosts: hosts.length === 0 ? ['localhost'] : [...new Set(hosts)],
    cpusPerNode: number('SIMWRIGHT_CPUS_PER_NODE'),
    startedSeconds: number('SIMWRIGHT_STARTED') ?? Math.floor(Date.now() / 1000),
    scriptPid: number('SIMWRIGHT_SCRIPT_PID'),
    fresh: isOn(env['SIMWRIGHT_FRESH']),
    keep: isOn(env['SIMWRIGHT_KEEP']),
    retries: number('SIMWRIGHT_RETRY') ?? 0,
    killAfterMs: (number('SIMWRIGHT_KILL_AFTER') ?? 10) * 1000,
    upTimeoutSeconds: number('SIMWRIGHT_UP_TIMEOUT') || defaultUpTimeoutSeconds,
    linkTimeoutSeconds: number('SIMWRIGHT_LINK_TIMEOUT') || defaultLinkTimeoutSeconds,
    joinTimeoutSeconds: number('SIMWRIGHT_JOIN_TIMEOUT') || defaultJoinTimeoutSeconds,
    busyPollMicros: number('SIMWRIGHT_BUSY_POLL'),
    members: readMemberSelection(env),
  };
}

/** The members that the run is limited to, from `SIMWRIGHT_MEMBERS`. Throws RUN1014 for a malformed list. */
export function readMemberSelection({ SIMWRIGHT_MEMBERS: text }: NodeJS.ProcessEnv): MemberSelection {
  const members = MemberSelection.parse(text);
  if (members === undefined) throw misuse(`SIMWRIGHT_MEMBERS=${text} is no list of members`);
  return members;
}

/** True for a switch that is on. */
export function isOn(text: string | undefined): boolean {
  return /^(1|true|yes)$/.test(text ?? '');
}

function misuse(message: string): WorkflowError {
  return new WorkflowError({
    code: 'RUN1014',
    message,
    hint: 'the scripts in jobs/ call the runtime and set this variable; docs/runtime.md lists all variables',
  });
}

/** `JOB`, or `JOB.INDEX` in a job array: the start of file names. */
export function jobKey(job: Pick<JobEnvironment, 'job' | 'arrayIndex'>): string {
  return job.arrayIndex === undefined ? job.job : `${job.job}.${job.arrayIndex}`;
}

/** A job id as part of a file name: letters, digits, `_`, `.` and `-`, at most 24 of them. */
export function jobIdForPath(jobId: string): string {
  const plain = jobId.replace(/[^A-Za-z0-9_.-]/g, '_');
  if (plain.length <= 24) return plain;
  return `${plain.slice(0, 15)}-${createHash('sha256').update(jobId).digest('hex').slice(0, 8)}`;
}

const host = hostname().split('.')[0] ?? 'localhost';

/** This machine's name, without its domain. */
export function thisHost(): string {
  return host;
}
