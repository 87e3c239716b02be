import { realpathSync } from 'node:fs';
import { suggestion, WorkflowError } from '../../diagnostics/index.js';
import type { Job, Plan } from '../../ir/index.js';
import { readPlan } from '../../runtime/job/read-plan.js';
import { submittedJobs } from '../../runtime/job/submitted-jobs.js';
import { targets } from '../../targets/registry.js';
import type { Target } from '../../targets/target.js';
import { simwrightCommand } from '../shell-command.js';

/** A folder that `compile` wrote. */
export interface JobFolder {
  /** Absolute path with links resolved, as processes and schedulers name it. */
  readonly dir: string;
  readonly plan: Plan;
  readonly target: Target;
}

/** A row of run/jobs.tsv: a job that was submitted, and its id. */
export interface Submission {
  readonly job: Job;
  readonly id: string;
  /** The member, if each member is submitted as a job. */
  readonly index: number | undefined;
  /** True unless a later submission has taken its place. */
  readonly isLatest: boolean;
}

/**
 * The compiled folder at a path.
 *
 * @throws WorkflowError RUN1001 if there is none, PLAN1004 if its plan cannot be read.
 */
export function openFolder(path: string): JobFolder {
  let dir: string;
  try {
    dir = realpathSync(path);
  } catch (error) {
    throw new WorkflowError({
      code: 'RUN1001',
      message: `there is no folder ${path}`,
      hint: 'simwright compile WORKFLOW --site SITE --out DIR writes it',
      cause: error,
    });
  }
  const plan = readPlan(dir);
  return { dir, plan, target: targets[plan.target] };
}

/** Jobs that were submitted from a folder, oldest first, without those that the plan no longer has. */
export function readSubmissions({ dir, plan }: JobFolder): Submission[] {
  const rows = submittedJobs(dir, plan);
  const last = rows.at(-1)?.submission;
  return rows.map(({ submission, ...row }) => ({ ...row, isLatest: submission === last }));
}

/** The same; throws JOB1004 where there is none. */
export function needSubmissions(folder: JobFolder): Submission[] {
  const submissions = readSubmissions(folder);
  if (submissions.length > 0) return submissions;
  throw new WorkflowError({
    code: 'JOB1004',
    message: `nothing has been submitted from ${folder.dir}: run/jobs.tsv has no job of its plan`,
    hint: `submit it: ${simwrightCommand('submit', folder.dir)}`,
  });
}

/** The jobs of those names. Throws CLI1001 for a name that the plan does not have. */
export function jobsNamed({ plan }: JobFolder, names: readonly string[]): Job[] {
  const known = plan.jobs.map(({ name }) => name);
  return names.map((name) => {
    const job = plan.jobs.find((one) => one.name === name);
    if (job !== undefined) return job;
    throw new WorkflowError({
      code: 'CLI1001',
      message: `experiment '${plan.experiment}' has no job '${name}'`,
      hint: suggestion(name, known) ?? `its jobs: ${known.join(', ')}`,
    });
  });
}
