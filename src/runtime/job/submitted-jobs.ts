import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Job, Plan } from '../../ir/index.js';

/** A row of run/jobs.tsv: a job that was submitted, and its id. */
export interface SubmittedJob {
  readonly job: Job;
  readonly id: string;
  /** Index of the member, for a job that is submitted once per member. */
  readonly index: number | undefined;
  /** Number of the call of submit.sh, from 0. */
  readonly submission: number;
}

/** Jobs submitted from a folder, oldest first; empty if there are none. Rows of jobs that the plan no longer has are left out. */
export function submittedJobs(dir: string, plan: Plan): SubmittedJob[] {
  const rows = readRows(join(dir, 'run/jobs.tsv')).flatMap(({ name, id }) => {
    const job = plan.jobs.find((one) => one.name === name);
    return job === undefined ? [] : [{ job, id }];
  });
  // submit.sh goes through the jobs in the plan's order: one that comes again, or before the last, begins another submission.
  let submission = 0;
  let last = -1;
  let index = 0;
  return rows.map(({ job, id }) => {
    const place = plan.jobs.indexOf(job);
    const isNextMember = place === last && index + 1 < (job.separate ?? 1);
    index = isNextMember ? index + 1 : 0;
    if (place <= last && !isNextMember) submission++;
    last = place;
    return { job, id, index: job.separate === undefined ? undefined : index, submission };
  });
}

function readRows(path: string): { readonly name: string; readonly id: string }[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return [];
  }
  return text.split('\n').flatMap((row) => {
    const [name, id] = row.split('\t');
    return name === undefined || id === undefined || id === '' ? [] : [{ name, id }];
  });
}
