import {
  type Answer,
  clockSeconds,
  directiveWords,
  type Environment,
  expandElements,
  type JobReport,
  type JobState,
  optionValues,
  type Queries,
  withValues,
} from '../queries.js';
import { slurmSteps } from './steps.js';

const states: Readonly<Record<string, JobState>> = {
  PENDING: 'PENDING',
  CONFIGURING: 'PENDING',
  REQUEUED: 'PENDING',
  REQUEUE_FED: 'PENDING',
  REQUEUE_HOLD: 'PENDING',
  SPECIAL_EXIT: 'PENDING',
  RESV_DEL_HOLD: 'PENDING',
  RUNNING: 'RUNNING',
  COMPLETING: 'RUNNING',
  SUSPENDED: 'RUNNING',
  STOPPED: 'RUNNING',
  STAGE_OUT: 'RUNNING',
  SIGNALING: 'RUNNING',
  RESIZING: 'RUNNING',
  COMPLETED: 'COMPLETED',
  FAILED: 'FAILED',
  BOOT_FAIL: 'FAILED',
  CANCELLED: 'CANCELLED',
  REVOKED: 'CANCELLED',
  TIMEOUT: 'TIMEOUT',
  DEADLINE: 'TIMEOUT',
  OUT_OF_MEMORY: 'OUT_OF_MEMORY',
  NODE_FAIL: 'NODE_FAIL',
  PREEMPTED: 'PREEMPTED',
};

/** `CANCELLED by 1000` is CANCELLED. */
function stateOf(native: string): JobState {
  return states[native.split(' ')[0] ?? ''] ?? 'UNKNOWN';
}

/** `12`, `12_3` of an array, `12_[4-9%2]` of its elements that wait, `12+1` of a heterogeneous job. */
function idsOf(text: string): Pick<JobReport, 'id' | 'element'>[] {
  const [, id = text, list] = /^(\d+)[_+]\[?([^\]]*)\]?$/.exec(text) ?? [];
  return list === undefined ? [{ id }] : expandElements(list).map((element) => ({ id, element }));
}

/** `3:0` is exit code 3; `0:15` signal 15. Numbers that are no signal are Slurm's own: `0:125` stands for too little memory. */
function exitOf(text: string): number | undefined {
  const [code, signal] = text.split(':').map(Number);
  if (code === undefined || Number.isNaN(code)) return undefined;
  if (code !== 0 || !signal) return code;
  return signal < 32 ? 128 + signal : undefined;
}

/** Values of `Reason` that mean there is none. */
const noReason = /^(None|)$/;

function readSqueue({ stdout, stderr, exitCode }: Answer): JobReport[] | undefined {
  // A single id that has been forgotten is an error; among others it is left out.
  if (exitCode !== 0) return /invalid job id/i.test(stderr) ? [] : undefined;
  return lines(stdout).flatMap((line) => {
    const [id = '', native = '', reason = '', elapsed = '', limit = '', ownId = '', ...folder] = line.split('|');
    return idsOf(id).map((one) => ({
      ...one,
      state: stateOf(native),
      native,
      ...withValues({
        reason: noReason.test(reason) ? undefined : reason,
        ownId: ownId === one.id ? undefined : ownId,
        elapsedSeconds: clockSeconds(elapsed),
        limitSeconds: clockSeconds(limit),
        folder: folder.join('|'),
      }),
    }));
  });
}

function readSacct({ stdout, exitCode }: Answer): JobReport[] | undefined {
  if (exitCode !== 0) return undefined;
  /** Seconds of jobs before they went on without a node that has died, which is a row of its own for ever. */
  const before = new Map<string, number>();
  return lines(stdout).flatMap((line) => {
    const [id = '', native = '', exit = '', elapsed = ''] = line.split('|');
    if (native === 'RESIZING') {
      before.set(id, (before.get(id) ?? 0) + Number(elapsed));
      return [];
    }
    // Just after its end a job has a row without a state.
    if (native === '') return [];
    const state = stateOf(native);
    const ended = state !== 'PENDING' && state !== 'RUNNING';
    return idsOf(id).map((one) => ({
      ...one,
      state,
      native,
      ...withValues({
        exit: ended ? exitOf(exit) : undefined,
        elapsedSeconds: elapsed === '' ? undefined : (before.get(id) ?? 0) + Number(elapsed),
      }),
    }));
  });
}

function readScontrol({ stdout, stderr, exitCode }: Answer): JobReport[] | undefined {
  if (exitCode !== 0) return /invalid job id/i.test(stderr) ? [] : undefined;
  return lines(stdout).flatMap((line) => {
    const field = (name: string) => new RegExp(` ${name}=(\\S+)`).exec(` ${line}`)?.[1];
    const native = field('JobState') ?? '';
    const [array, component] = [field('ArrayJobId'), field('HetJobId')];
    const elements = array === undefined ? [field('HetJobOffset')] : expandElements(field('ArrayTaskId') ?? '');
    const reason = field('Reason') ?? '';
    return elements.map((element) => ({
      id: array ?? component ?? field('JobId') ?? '',
      state: stateOf(native),
      native,
      ...withValues({
        element,
        reason: noReason.test(reason) ? undefined : reason,
        exit: exitOf(field('ExitCode') ?? ''),
        elapsedSeconds: clockSeconds(field('RunTime') ?? ''),
      }),
    }));
  });
}

function lines(text: string): string[] {
  return text.split('\n').filter((line) => line.trim() !== '');
}

/** Seconds of `M`, `M:S`, `H:M:S`, `D-H`, `D-H:M` or `D-H:M:S`, in whole minutes, as Slurm counts; `undefined` for no limit. */
function readTime(text: string): number | undefined {
  const match = /^(?:(\d+)-)?(\d+)(?::(\d+))?(?::(\d+))?$/.exec(text);
  if (match === null) return undefined;
  const [days, first = 0, second, third] = match
    .slice(1)
    .map((part) => (part === undefined ? undefined : Number(part)));
  const isInHours = days !== undefined || third !== undefined;
  const minutes = isInHours ? (days ?? 0) * 1440 + first * 60 + (second ?? 0) : first;
  const seconds = minutes * 60 + ((isInHours ? third : second) ?? 0);
  return seconds === 0 ? undefined : Math.ceil(seconds / 60) * 60;
}

function walltimeOf(script: string): number | undefined {
  const values = optionValues(directiveWords(script, '#SBATCH', 'head'), '--time', '-t');
  return readTime(values.at(-1) ?? '');
}

/** squeue for what waits and runs; sacct for what has ended; without accounting scontrol, while the controller remembers. */
export const slurmQueries: Queries = {
  submit: 'sbatch',
  states: [
    {
      command: (ids) => ['squeue', '-h', '-r', '-t', 'all', '-o', '%i|%T|%r|%M|%l|%A|%Z', '-j', ids.join(',')],
      read: readSqueue,
    },
    {
      command: (ids) => ['sacct', '-n', '-P', '-X', '-o', 'JobID,State,ExitCode,ElapsedRaw', '-j', ids.join(',')],
      optional: true,
      read: readSacct,
    },
    {
      // It takes one id, or none.
      command: (ids) => ['scontrol', '-o', 'show', 'job', ...(ids.length === 1 ? ids : [])],
      optional: true,
      read: readScontrol,
    },
  ],
  clearing: ['COMPLETING'],
  cancel: ['scancel'],
  testOnly: (script) => ['sbatch', '--test-only', script],
  walltimeOf,
  steps: slurmSteps,
  hostCpus,
  variables: {
    gpus: 'SLURM_GPUS_ON_NODE',
    end: 'SLURM_JOB_END_TIME',
    restarts: 'SLURM_RESTART_COUNT',
    array: 'SLURM_ARRAY_JOB_ID',
    cluster: 'SLURM_CLUSTER_NAME',
  },
};

/** CPUs of each host from `4(x2),8`, those of a heterogeneous job's components one after the other. */
function hostCpus(env: Environment): number[] {
  const size = Number(env['SLURM_HET_SIZE'] ?? 0);
  const ofComponents = Array.from({ length: size }, (_, one) => env[`SLURM_JOB_CPUS_PER_NODE_HET_GROUP_${one}`]);
  const lists = size > 0 ? ofComponents : [env['SLURM_JOB_CPUS_PER_NODE']];
  return lists.flatMap((list) =>
    [...(list ?? '').matchAll(/(\d+)(?:\(x(\d+)\))?/g)].flatMap(([, cpus, times = '1']) =>
      Array.from({ length: Number(times) }, () => Number(cpus)),
    ),
  );
}
