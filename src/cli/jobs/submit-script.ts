import { constants } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { WorkflowError } from '../../diagnostics/index.js';
import { type Plan, submittersVariables, unsetVariables } from '../../ir/index.js';
import { findOnPath } from '../../runtime/assert/programs.js';
import { stopSignals } from '../uninterrupted.js';
import type { JobFolder } from './folder.js';
import { missing } from './scheduler.js';

/** Options that are passed on to the jobs. */
export interface SubmitWords {
  readonly fresh: boolean;
  readonly keep: boolean;
  readonly retry: number | undefined;
}

/** submit.sh as an argument list. */
export function submitWords(dir: string, { fresh, keep, retry }: SubmitWords): string[] {
  return [
    join(dir, 'submit.sh'),
    ...(fresh ? ['--fresh'] : []),
    ...(keep ? ['--keep'] : []),
    ...(retry === undefined ? [] : ['--retry', String(retry)]),
  ];
}

/** Folder of ONNX Runtime for jobs on this machine: beside this package, unless the user sets another. */
export function localHome(): { readonly SIMWRIGHT_HOME: string } {
  return {
    SIMWRIGHT_HOME: process.env['SIMWRIGHT_HOME'] ?? fileURLToPath(new URL('../../..', import.meta.url)),
  };
}

/** Keeps submit.sh from saying once more what runs and why. */
export const hasSaidWhy = { SIMWRIGHT_WHY: '0' } as const;

/** A job that was submitted. */
export interface SubmittedJob {
  readonly name: string;
  readonly id: string;
}

/** Exit code and output of submit.sh. */
export interface SubmitEnd {
  readonly jobs: readonly SubmittedJob[];
  readonly exitCode: number;
}

/**
 * Runs the folder's submit.sh to its end and calls `onJob` for each job that it submits. Of a folder for this machine that is the end
 * of the jobs, and what submit.sh says is passed on.
 *
 * @throws WorkflowError JOB1001 when the scheduler refuses a job, JOB1003 when it is not there.
 */
export async function runSubmitScript(
  { dir, plan, target }: JobFolder,
  words: SubmitWords,
  onJob: (job: SubmittedJob) => void,
): Promise<SubmitEnd> {
  const { queries } = target;
  requireVariables(plan);
  if (queries !== undefined && findOnPath(queries.submit, process.env['PATH']) === undefined)
    throw missing(queries.submit);
  const jobs: SubmittedJob[] = [];
  const child = execa('bash', submitWords(dir, words), {
    cwd: dir,
    env: { ...(queries === undefined ? localHome() : {}), ...hasSaidWhy },
    stdin: 'ignore',
    stderr: queries === undefined ? ['inherit', 'pipe'] : 'pipe',
    reject: false,
    // submit.sh takes back what it has submitted before it ends.
    forceKillAfterDelay: false,
  });
  // On a terminal, submit.sh has got Ctrl-C itself.
  const handlers = stopSignals.map((signal) => {
    const handler = () => (signal === 'SIGINT' ? undefined : child.kill('SIGTERM'));
    process.on(signal, handler);
    return () => process.off(signal, handler);
  });
  try {
    for await (const line of child.iterable({ from: 'stdout' })) {
      const [name, id] = String(line).split('\t');
      if (name === undefined || id === undefined) continue;
      jobs.push({ name, id });
      onJob({ name, id });
    }
    const { exitCode, stderr, signal } = await child;
    const code = exitCode ?? 128 + (signal === undefined ? 0 : constants.signals[signal]);
    if (queries !== undefined && code !== 0 && code < 128) throw refused(stderr, code);
    return { jobs: code === 0 || queries === undefined ? jobs : [], exitCode: code };
  } finally {
    for (const off of handlers) off();
  }
}

/**
 * Checks that this environment has what applications get from it.
 *
 * @throws WorkflowError RUN1030 with the names of those that are not set.
 */
export function requireVariables(plan: Plan): void {
  const unset = unsetVariables(submittersVariables(plan), process.env);
  if (unset.length === 0) return;
  throw new WorkflowError({
    code: 'RUN1030',
    message: `${unset.join(', ')} ${unset.length === 1 ? 'is' : 'are'} not set, and .env() takes ${unset.length === 1 ? 'it' : 'them'} from the environment of this command`,
    hint: `export ${unset[0]}, then call the command again`,
  });
}

/** The refused job and the scheduler's reason, from the output of submit.sh. */
function refused(stderr: string, exitCode: number): WorkflowError {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '');
  const ours = lines.filter((line) => line.startsWith('submit.sh: ')).map((line) => line.slice('submit.sh: '.length));
  const theirs = lines.filter((line) => !line.startsWith('submit.sh: '));
  const [what = `submit.sh ended with exit code ${exitCode}`, ...rest] = ours
    .filter((line) => line.startsWith('job '))
    .concat(ours.filter((line) => !line.startsWith('job ')));
  return new WorkflowError({
    code: 'JOB1001',
    message: [what, ...theirs].join('\n'),
    hint: rest.length === 0 ? 'nothing has been submitted' : rest.join('; '),
  });
}
