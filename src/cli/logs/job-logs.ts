import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Job } from '../../ir/index.js';
import { jobName } from '../../targets/directives.js';
import { type JobFolder, readSubmissions } from '../jobs/folder.js';

/** Logs that a job's script and its scheduler have written, relative to the folder, the newest first. */
export function jobLogs(folder: JobFolder, job: Job): string[] {
  const name = jobName(job.name);
  const ids = readSubmissions(folder).flatMap(({ job: own, id }) => (own === job ? (/^\d+/.exec(id)?.[0] ?? []) : []));
  const isOwn = (file: string) =>
    (file.startsWith(name) && /^(-[\d_]+)?\.out$/.test(file.slice(name.length))) ||
    file === `${job.name}.out` ||
    folder.target.isLog?.(file, name, ids) === true;
  const logs = join(folder.dir, 'logs');
  return filesIn(logs)
    .filter(isOwn)
    .map((file) => ({ file, time: statSync(join(logs, file)).mtimeMs }))
    .sort((a, b) => b.time - a.time)
    .map(({ file }) => join('logs', file));
}

function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
