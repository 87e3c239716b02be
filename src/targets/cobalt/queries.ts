import { jobName } from '../directives.js';
import {
  type Answer,
  clockSeconds,
  countSeconds,
  directiveWords,
  type JobReport,
  type JobState,
  optionValues,
  type Queries,
  withValues,
} from '../queries.js';

const states: Readonly<Record<string, JobState>> = {
  queued: 'PENDING',
  user_hold: 'PENDING',
  admin_hold: 'PENDING',
  dep_hold: 'PENDING',
  maxrun_hold: 'PENDING',
  dep_fail: 'PENDING',
  starting: 'RUNNING',
  running: 'RUNNING',
  exiting: 'RUNNING',
  killing: 'RUNNING',
};

/** Rows below a line of `=`, in the order of the header that was asked for. */
function readQstat({ stdout, exitCode }: Answer): JobReport[] | undefined {
  // A job that has ended is unknown, which is no error of the command.
  if (stdout.trim() === '') return exitCode === 0 || exitCode === 1 ? [] : undefined;
  const rows = stdout.split('\n').map((line) => line.trim().split(/\s+/));
  const ruled = rows.findIndex(([first = '']) => /^=+$/.test(first));
  if (ruled === -1) return undefined;
  return rows.slice(ruled + 1).flatMap(([id = '', native = '', elapsed = '', limit = '']) => {
    if (!/^\d+$/.test(id)) return [];
    const state = states[native] ?? 'UNKNOWN';
    const reason = state === 'PENDING' && native !== 'queued' ? native : undefined;
    return {
      id,
      state,
      native,
      ...withValues({ reason, elapsedSeconds: clockSeconds(elapsed), limitSeconds: clockSeconds(limit) }),
    };
  });
}

/** Reads the end of a job from NAME.cobaltlog; `undefined` while it is not there. */
function readLog(text: string): Omit<JobReport, 'id'> | undefined {
  const exit = /exit code of (\d+)/.exec(text)?.[1];
  if (/maximum execution time exceeded/i.test(text)) return { state: 'TIMEOUT', native: 'ended', reason: 'walltime' };
  if (/user delete requested|killed by user|job deleted/i.test(text)) return { state: 'CANCELLED', native: 'ended' };
  if (exit === undefined) return undefined;
  return { state: exit === '0' ? 'COMPLETED' : 'FAILED', native: 'ended', exit: Number(exit) };
}

/** `-t MINUTES` or `-t HH:MM:SS`. */
function walltimeOf(script: string): number | undefined {
  const text = optionValues(directiveWords(script, '#COBALT', 'top'), '-t', '--time').at(-1) ?? '';
  return countSeconds(text, text.includes(':') ? 'seconds' : 'minutes') || undefined;
}

/** qstat forgets a job when it ends; what came of it stands in its own log. */
export const cobaltQueries: Queries = {
  submit: 'qsub',
  states: [{ command: (ids) => ['qstat', '--header=JobID:State:RunTime:WallTime', ...ids], read: readQstat }],
  endLog: {
    path: (job, index) => `logs/${jobName(job.name)}${index === undefined ? '' : `-${index}`}.cobaltlog`,
    read: readLog,
  },
  clearing: ['exiting'],
  cancel: ['qdel'],
  walltimeOf,
};
