import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Job } from '../../ir/index.js';
import { jobName } from '../../targets/directives.js';
import { type JobFolder, readSubmissions } from '../jobs/folder.js';

/** Logs that a job's script and its scheduler have written, relative to the folder, the newest first. */
export function jobLogs(folder: JobFolder, job: Job): string[] {
  const name = jobName(job.name).replace(/[.]/g, '\\.');
  const byName = new RegExp(`^${name}(-[\\d_]+)?\\.(out|output|error|cobaltlog)$`);
  // PBS names them by the job's id: 1234.server.OU, 1234[7].server.OU.
  const ids = readSubmissions(folder).flatMap(({ job: own, id }) => (own === job ? (/^\d+/.exec(id)?.[0] ?? []) : []));
  const isOwn = (file: string) =>
    byName.test(file) ||
    file === `${job.name}.out` ||
    ids.some((id) => file.startsWith(`${id}.`) || file.startsWith(`${id}[`));
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
