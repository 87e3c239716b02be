import { setTimeout as sleep } from 'node:timers/promises';
import { WorkflowError } from '../../diagnostics/index.js';
import type { Job } from '../../ir/index.js';
import { isAlive as isProcessAlive, type ProcessIdentity, parentOf } from '../../runtime/job/process-identity.js';
import { StatusReader } from '../../runtime/status/index.js';
import { isAlive, type Queries } from '../../targets/queries.js';
import { type JobFolder, readSubmissions, type Submission } from './folder.js';
import { localProcesses } from './local-jobs.js';
import { ask, defaultTimeoutSeconds } from './scheduler.js';
import { type JobStanding, standingsOf } from './standing.js';

/** Jobs to end, and the time that this may take. */
export interface CancelRequest {
  /** All where it is empty. */
  readonly jobs: readonly Job[];
  readonly timeoutSeconds: number;
}

/** Milliseconds between two looks: at processes, and the first and longest at a scheduler. */
const pauses = { processMs: 50, firstMs: 250, mostMs: 5000 };

/**
 * Ends jobs that wait or run, and waits until they have ended; returns those, with how they ended. Jobs of earlier submissions count as well.
 *
 * @throws WorkflowError JOB1006 for jobs that have not ended in time.
 */
export async function cancelJobs(folder: JobFolder, request: CancelRequest): Promise<readonly JobStanding[]> {
  const { queries } = folder.target;
  const submissions = readSubmissions(folder).filter(({ job }) => isMeant(request, job));
  if (submissions.length === 0 && queries !== undefined) return [];
  return queries === undefined
    ? await cancelProcesses(folder, request, submissions)
    : await cancelScheduled(folder, queries, request, submissions);
}

function isMeant({ jobs }: CancelRequest, job: Job): boolean {
  return jobs.length === 0 || jobs.includes(job);
}

async function cancelScheduled(
  folder: JobFolder,
  queries: Queries,
  { timeoutSeconds }: CancelRequest,
  submissions: readonly Submission[],
): Promise<readonly JobStanding[]> {
  const reader = new StatusReader(folder.dir);
  const asking = { cwd: folder.dir, timeoutSeconds: defaultTimeoutSeconds };
  const standings = async (some: readonly Submission[]) => {
    reader.refresh();
    return (await standingsOf(folder, some, reader, asking)).jobs;
  };
  const before = await standings(submissions);
  // A job whose end is not known has not ended.
  const meant = submissions.filter((_, place) => mayRun(before[place] as JobStanding));
  if (meant.length === 0) return [];
  const ids = meant.map(({ id }) => id);
  const wasThere = new Set(before.flatMap(({ id, state, from }) => (from === 'scheduler' && isAlive(state) ? id : [])));
  // One of them may just have ended, which the command counts as an error: what became of them tells.
  const answer = await ask([...queries.cancel, ...ids], asking);
  // It may have stopped at that one.
  if (answer.exitCode !== 0 && ids.length > 1) for (const id of ids) await ask([...queries.cancel, id], asking);
  const end = performance.now() + timeoutSeconds * 1000;
  for (let pause = pauses.firstMs; ; pause = Math.min(pause * 2, pauses.mostMs)) {
    const after = (await standings(meant)).map((job) => (wasThere.has(job.id) ? deletedUnless(job) : job));
    const left = after.filter((one) => mayRun(one) && one.from === 'scheduler');
    if (left.length === 0) return after;
    if (performance.now() > end) {
      const said = [answer.stderr, answer.stdout].map((text) => text.trim()).find((text) => text !== '');
      throw notEnded(
        left.map(({ name, id, state }) => `${name} (${id}, ${state})`),
        timeoutSeconds,
        said === undefined ? '' : `; ${queries.cancel[0]} said: ${said}`,
      );
    }
    await sleep(pause);
  }
}

/** True if a job waits or runs, or its end is not known: then it has not ended, as long as its id is its own. */
function mayRun({ state, idIsTaken }: JobStanding): boolean {
  return isAlive(state) || (state === 'UNKNOWN' && idIsTaken !== true);
}

/** A job that its scheduler has forgotten since it was told to end: some keep no record of one that had not started. */
function deletedUnless(job: JobStanding): JobStanding {
  return job.from === 'nobody' ? { ...job, state: 'CANCELLED' } : job;
}

/** Ends submit.sh, which ends its job in order; or, of single jobs and where submit.sh has gone, the scripts themselves. */
async function cancelProcesses(
  folder: JobFolder,
  request: CancelRequest,
  submissions: readonly Submission[],
): Promise<readonly JobStanding[]> {
  const { submit, scripts } = localProcesses(folder);
  const running = submissions.flatMap((submission) => {
    const process_ = scripts.get(submission.job.script)?.find(({ pid }) => String(pid) === submission.id);
    return process_ === undefined ? [] : [{ submission, process: process_ }];
  });
  const isWhole = request.jobs.length === 0;
  const own = running.map(({ process: script }) => script);
  // A script whose submit.sh has gone is told itself.
  const isPassedOn = ({ pid }: ProcessIdentity) => submit.some((parent) => parent.pid === parentOf(pid));
  const told = isWhole ? [...submit, ...own.filter((script) => !isPassedOn(script))] : own;
  for (const one of told) signal(one);
  const awaited = isWhole ? [...submit, ...own] : own;
  const end = performance.now() + request.timeoutSeconds * 1000;
  while (awaited.some(isProcessAlive)) {
    if (performance.now() > end) {
      const left = awaited.filter(isProcessAlive).map(({ pid }) => `process ${pid}`);
      throw notEnded(left, request.timeoutSeconds, '');
    }
    await sleep(pauses.processMs);
  }
  const reader = new StatusReader(folder.dir);
  reader.refresh();
  const ended = running.map(({ submission }) => submission);
  const { jobs } = await standingsOf(folder, ended, reader, { cwd: folder.dir, timeoutSeconds: 0 });
  return jobs;
}

function signal(process_: ProcessIdentity): void {
  try {
    if (isProcessAlive(process_)) process.kill(process_.pid, 'SIGTERM');
  } catch {
    // It has just ended.
  }
}

function notEnded(what: readonly string[], seconds: number, said: string): WorkflowError {
  return new WorkflowError({
    code: 'JOB1006',
    message: `not ended within ${seconds} s: ${what.join(', ')}${said}`,
    hint: 'the jobs were told to end; look again with simwright status, or wait longer with --timeout',
  });
}
