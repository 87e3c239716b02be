import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Problem, renderProblem, WorkflowError } from '../../diagnostics/index.js';
import { type JobEnvironment, jobIdForPath, jobKey } from '../job/job-environment.js';
import { isCode } from '../job/job-folder.js';
import { statusFolder } from '../job/paths.js';

/**
 * The problems as an error to throw. Launches of one job start side by side and all find the same: the first writes and says it in full, the
 * others say where it is.
 */
export function reportOnce(job: JobEnvironment, problems: readonly [Problem, ...Problem[]]): WorkflowError {
  const path = join(statusFolder(job.dir), `${jobKey(job)}.${jobIdForPath(job.jobId)}-${job.startedSeconds}.refused`);
  try {
    mkdirSync(dirname(path), { recursive: true });
    const text = problems.map((problem) => renderProblem(problem, { cwd: job.dir })).join('\n');
    writeFileSync(path, `${text}\n`, { flag: 'wx', mode: 0o644 });
  } catch (error) {
    if (isCode(error, 'EEXIST')) {
      return new WorkflowError({
        code: 'RUN1020',
        message: `job '${job.job}' does not have what its plan needs: see ${path}`,
      });
    }
    // Without a file each says it.
  }
  return new WorkflowError(problems);
}
