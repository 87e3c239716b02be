import { WorkflowError } from '../../diagnostics/index.js';
import { answerAfterwards } from '../../rehearse/afterwards.js';
import {
  type Answer,
  askedTogether,
  isAlive,
  type JobReport,
  type Queries,
  type StateQuery,
  sameJob,
} from '../../targets/queries.js';
import { runProgram } from '../run-program.js';

/** Seconds in which a scheduler has to answer, unless the user says otherwise. */
export const defaultTimeoutSeconds = 60;

/** Settings for running a scheduler's commands. */
export interface Asking {
  readonly cwd: string;
  readonly timeoutSeconds: number;
}

/**
 * Runs one of the scheduler's commands, without a shell.
 *
 * @throws WorkflowError JOB1003 where the command is missing, JOB1002 when it does not end in time.
 */
export async function ask(words: readonly string[], asking: Asking): Promise<Answer> {
  const [program = ''] = words;
  const rehearsed = answerAfterwards(asking.cwd, words);
  if (rehearsed !== undefined) return { ...rehearsed, exitCode: rehearsed.code };
  const { timedOut, code, exitCode, stdout, stderr } = await runProgram(words, asking);
  if (timedOut) {
    throw new WorkflowError({
      code: 'JOB1002',
      message: `${program} did not answer within ${asking.timeoutSeconds} s`,
      hint: 'the scheduler may be busy: try again later, or give it longer with --timeout',
    });
  }
  if (exitCode === undefined && code === 'ENOENT') throw missing(program);
  return { stdout, stderr, exitCode };
}

/** The problem of a command that is not on the PATH. */
export function missing(program: string): WorkflowError {
  return new WorkflowError({
    code: 'JOB1003',
    message: `'${program}' is not on the PATH`,
    hint: 'run this on a login node of the cluster that the folder was compiled for, with its modules loaded',
  });
}

/** A command's failure in its own words. */
export function noAnswer(words: readonly string[], { stdout, stderr, exitCode }: Answer): WorkflowError {
  const said = [stderr, stdout].map((text) => text.trim()).find((text) => text !== '') ?? 'nothing';
  return new WorkflowError({
    code: 'JOB1002',
    message: `${words[0]} ended with exit code ${exitCode ?? '?'} and said: ${said.slice(0, 2000)}`,
    hint: `try it by hand: ${words.join(' ').slice(0, 200)}`,
  });
}

/** A job that is asked about, and how many reports there are of it when nothing is missing. */
export interface Wanted {
  readonly id: string;
  readonly elements: number;
}

/** The scheduler's reports by job id, one for each array element. A job that it does not know has no entry. */
export async function reportsOf(
  queries: Queries,
  jobs: readonly Wanted[],
  asking: Asking,
): Promise<Map<string, JobReport[]>> {
  const known = new Map<string, JobReport[]>();
  for (const query of queries.states) {
    const ids = jobs.filter((job) => isWanting(job, known.get(job.id))).map(({ id }) => id);
    for (const some of askedTogether({ ...queries, ...query }, ids)) {
      for (const report of await answerOf(query, some, asking)) {
        const id = some.find((one) => sameJob(one, report.id));
        if (id !== undefined) known.set(id, merged(known.get(id) ?? [], report));
      }
    }
  }
  return known;
}

async function answerOf(query: StateQuery, ids: readonly string[], asking: Asking): Promise<readonly JobReport[]> {
  const words = query.command(ids);
  try {
    const answer = await ask(words, asking);
    const reports = query.read(answer);
    if (reports === undefined) throw noAnswer(words, answer);
    return reports;
  } catch (error) {
    if (query.optional && error instanceof WorkflowError) return [];
    throw error;
  }
}

/** True if the next command may know more: a job, one of its elements, or an exit code is unknown. */
function isWanting({ elements }: Wanted, reports: readonly JobReport[] = []): boolean {
  return reports.length < elements || reports.some(({ state, exit }) => !isAlive(state) && exit === undefined);
}

/** Reports with one more: what is known of an element stays, and what is missing is taken. */
function merged(reports: readonly JobReport[], report: JobReport): JobReport[] {
  const before = reports.find(({ element }) => element === report.element);
  if (before === undefined) return [...reports, report];
  // The accounting may lag behind: it must not say that what has ended still runs, nor the other way round.
  if (isAlive(before.state) || isAlive(report.state)) return [...reports];
  return reports.map((one) => (one === before ? { ...report, ...before } : one));
}
