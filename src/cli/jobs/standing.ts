import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Problem } from '../../diagnostics/index.js';
import type { StatusReader } from '../../runtime/status/index.js';
import { isAlive, type JobReport, type JobState, jobStates, type Queries } from '../../targets/queries.js';
import type { JobFolder, Submission } from './folder.js';
import { ageSeconds, type LocalProcesses, localProcesses } from './local-jobs.js';
import { judgeUnsure } from './never-run.js';
import { type Asking, reportsOf } from './scheduler.js';
import { stateFromStatus, timedOutExit } from './state-from-status.js';

/** State of a submitted job. */
export interface JobStanding {
  readonly name: string;
  readonly id: string;
  readonly state: JobState;
  /** The scheduler's own word, where it is of a single job. */
  readonly native?: string;
  readonly reason?: string;
  readonly exit?: number;
  readonly elapsedSeconds?: number;
  /** Elements of a job array by state. */
  readonly elements?: Readonly<Partial<Record<JobState, number>>>;
  /** The scheduler has given the job's id to another job since. */
  readonly idIsTaken?: true;
  /** Source of the state: the scheduler, or run/status/ if the scheduler no longer knows the job. */
  readonly from: 'scheduler' | 'processes' | 'status files' | 'nobody';
}

/** States of jobs, and problems in finding them out. */
export interface Standings {
  readonly jobs: readonly JobStanding[];
  readonly problems: readonly Problem[];
}

/** Finds out where submitted jobs stand: from the scheduler or the processes of this machine, else from the status files. */
export async function standingsOf(
  folder: JobFolder,
  submissions: readonly Submission[],
  reader: StatusReader,
  asking: Asking,
): Promise<Standings> {
  const { queries } = folder.target;
  const problems: Problem[] = [];
  if (queries === undefined) {
    const processes = localProcesses(folder);
    return { jobs: submissions.map((one) => localStanding(folder, one, reader, processes)), problems };
  }
  const wanted = submissions.map(({ id, job }) => ({ id, elements: job.array?.size ?? 1 + job.components.length }));
  const known = await reportsOf(queries, wanted, asking);
  const jobs = submissions.map((submission) => {
    const reports = known.get(submission.id) ?? [];
    const isAnother = reports.some(({ folder: from }) => from !== undefined && !isSameFolder(from, folder.dir));
    if (reports.length > 0 && !isAnother) {
      const judged = judgeUnsure(reports, folder.plan, submission.job, reader);
      return asRecorded(folder, submission, reader, combined(submission, judged));
    }
    return withoutScheduler(folder, queries, submission, reader, (problem) => problems.push(problem), isAnother);
  });
  return { jobs, problems };
}

/** Jobs of the latest submission, and older ones that are still there. */
export function shown(submissions: readonly Submission[], standings: readonly JobStanding[]): JobStanding[] {
  return standings.filter(({ state }, place) => submissions[place]?.isLatest || isAlive(state));
}

/**
 * The same, of a job that to its scheduler is one that failed: it has ended by itself just before its walltime was over, or was told to end,
 * which descendants of OpenLava do not remember.
 */
function asRecorded(
  { plan }: JobFolder,
  { job, id }: Submission,
  reader: StatusReader,
  standing: JobStanding,
): JobStanding {
  if (standing.state !== 'FAILED') return standing;
  const { state, reason = '' } = stateFromStatus(plan, job, id, reader) ?? {};
  if (standing.exit === timedOutExit && state === 'TIMEOUT') {
    return { ...standing, state, reason: 'its launches ended, since its walltime was about to be over' };
  }
  const wasTold = state === 'CANCELLED' && /^the job got SIG(INT|TERM|HUP)$/.test(reason);
  return standing.reason === undefined && wasTold ? { ...standing, state, reason } : standing;
}

/** One state for all elements: that of a running one, else of a waiting one, else of the one that ended worst. */
function combined({ job, id }: Submission, reports: readonly JobReport[]): JobStanding {
  const order: readonly JobState[] = [
    'RUNNING',
    'PENDING',
    'FAILED',
    'OUT_OF_MEMORY',
    'NODE_FAIL',
    'TIMEOUT',
    'PREEMPTED',
    'CANCELLED',
    'COMPLETED',
  ];
  const state = order.find((one) => reports.some((report) => report.state === one)) ?? 'UNKNOWN';
  const telling = reports.filter((report) => report.state === state);
  // Exit code 0 means nothing for a job that was ended.
  const exits = isAlive(state)
    ? []
    : reports.flatMap(({ exit = 0 }) => (exit === 0 && state !== 'COMPLETED' ? [] : exit));
  const times = reports.flatMap(({ elapsedSeconds }) => elapsedSeconds ?? []);
  const reason = telling.find((report) => report.reason !== undefined)?.reason;
  return {
    name: job.name,
    id,
    state,
    ...(reports.length === 1 && telling[0] !== undefined ? { native: telling[0].native } : {}),
    ...(reason === undefined ? {} : { reason }),
    ...(exits.length === 0 ? {} : { exit: Math.max(...exits) }),
    ...(times.length === 0 ? {} : { elapsedSeconds: Math.max(...times) }),
    ...(job.array === undefined ? {} : { elements: countStates(reports) }),
    from: 'scheduler',
  };
}

function countStates(reports: readonly JobReport[]): Partial<Record<JobState, number>> {
  const counts = jobStates.map((state) => [state, reports.filter((report) => report.state === state).length] as const);
  return Object.fromEntries(counts.filter(([, count]) => count > 0));
}

function isSameFolder(one: string, other: string): boolean {
  try {
    const [a, b] = [statSync(one), statSync(other)];
    return a.dev === b.dev && a.ino === b.ino;
  } catch {
    return false;
  }
}

/** A job that the scheduler does not know: what it, or the runtime, wrote about its end. */
function withoutScheduler(
  { dir, plan }: JobFolder,
  { endLog }: Queries,
  { job, id, index }: Submission,
  reader: StatusReader,
  warn: (problem: Problem) => void,
  isAnother: boolean,
): JobStanding {
  const log = endLog === undefined ? undefined : readIfThere(join(dir, endLog.path(job, index)));
  const ended = log === undefined ? undefined : endLog?.read(log);
  if (ended !== undefined) return { name: job.name, id, ...ended, from: 'status files' };
  const found = stateFromStatus(plan, job, id, reader);
  const what = isAnother ? `has another job under the id ${id} by now` : `does not know the id ${id} of '${job.name}'`;
  warn({
    code: 'JOB1005',
    severity: 'warning',
    message: `${plan.target} ${what}${found === undefined ? '' : ': its state is that of the status files'}`,
    hint: 'schedulers forget jobs some time after their end',
    at: undefined,
  });
  const taken = isAnother ? { idIsTaken: true as const } : {};
  if (found === undefined) return { name: job.name, id, state: 'UNKNOWN', ...taken, from: 'nobody' };
  return { name: job.name, id, ...found, from: 'status files' };
}

function localStanding(
  { plan }: JobFolder,
  { job, id }: Submission,
  reader: StatusReader,
  { scripts }: LocalProcesses,
): JobStanding {
  const own = scripts.get(job.script)?.find(({ pid }) => String(pid) === id);
  const base = { name: job.name, id };
  if (own !== undefined) return { ...base, state: 'RUNNING', elapsedSeconds: ageSeconds(own), from: 'processes' };
  const found = stateFromStatus(plan, job, id, reader);
  if (found !== undefined) return { ...base, ...found, from: 'status files' };
  return { ...base, state: 'FAILED', reason: 'it ended before it launched anything', from: 'processes' };
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** Jobs that a local submit.sh has not started: their turn is yet to come, or what they wait for has not come. */
export function notStarted(folder: JobFolder, submissions: readonly Submission[]): JobStanding[] {
  if (folder.target.queries !== undefined) return [];
  const { jobs } = folder.plan;
  const latest = submissions.filter(({ isLatest }) => isLatest).map(({ job }) => job);
  const last = Math.max(-1, ...latest.map((job) => jobs.indexOf(job)));
  const isAtWork = localProcesses(folder).submit.length > 0;
  return jobs.flatMap((job, place): JobStanding[] => {
    if (latest.includes(job)) return [];
    const base = { name: job.name, id: '', from: 'processes' } as const;
    if (isAtWork && place > last) return [{ ...base, state: 'PENDING', reason: 'jobs run one after the other' }];
    return [{ ...base, state: 'CANCELLED', reason: 'it did not run' }];
  });
}
