import { readlinkSync, realpathSync } from 'node:fs';
import type { Plan } from '../../ir/index.js';
import { isAlive, isClearing, sameJob } from '../../targets/queries.js';
import { type SubmittedJob, submittedJobs } from '../job/submitted-jobs.js';
import { runsScript } from './other-jobs.js';
import { Scheduler } from './scheduler.js';

/** Jobs submitted from a folder that run or wait now, `sweep (4711, PENDING)`; none where the scheduler does not answer. */
export async function presentJobs(dir: string, plan: Plan, env: NodeJS.ProcessEnv): Promise<string[]> {
  const rows = submittedJobs(dir, plan);
  if (rows.length === 0) return [];
  const scheduler = Scheduler.of(plan.target, env);
  if (scheduler === undefined)
    return rows.filter((row) => isProcess(dir, row)).map(({ job, id }) => `${job.name} (${id}, RUNNING)`);
  const reports = (await scheduler.reportsOf(...rows.map(({ id }) => id))) ?? [];
  return rows.flatMap(({ job, id }) => {
    const own = reports.filter(
      (report) =>
        sameJob(report.id, id) &&
        isAlive(report.state) &&
        !isClearing(scheduler.queries, report.native) &&
        isFrom(dir, report.folder),
    );
    const telling = own.find(({ state }) => state === 'RUNNING') ?? own[0];
    return telling === undefined ? [] : [`${job.name} (${id}, ${telling.state})`];
  });
}

function isProcess(dir: string, { job, id }: SubmittedJob): boolean {
  try {
    return runsScript(id, job) && readlinkSync(`/proc/${id}/cwd`) === realpathSync(dir);
  } catch {
    return false;
  }
}

/** A copy of a folder has its list of jobs, and none of its jobs. */
function isFrom(dir: string, folder: string | undefined): boolean {
  try {
    return folder === undefined || realpathSync(folder) === realpathSync(dir);
  } catch {
    return false;
  }
}
