import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { type Problem, WorkflowError } from '../../diagnostics/index.js';
import { type Plan, TargetName } from '../../ir/index.js';
import { StatusReader } from '../../runtime/status/index.js';
import { isAlive, isClearing } from '../../targets/queries.js';
import { targets } from '../../targets/registry.js';
import { simwrightCommand } from '../shell-command.js';
import { type JobFolder, readSubmissions } from './folder.js';
import { localProcesses } from './local-jobs.js';
import { type Asking, defaultTimeoutSeconds } from './scheduler.js';
import { standingsOf } from './standing.js';

/** Effects on jobs that run or wait: of writing their folder, and of submitting it once more. */
const effects = {
  write: { now: 'and read what is in it', later: 'would read what is written now' },
  submit: { now: 'and may be doing what would be submitted', later: 'may be doing what is submitted now' },
};

/**
 * Refuses to write into a folder whose jobs run or wait, since they read its plan, scripts and files, or to submit it again. Returns warnings
 * where the scheduler cannot be asked.
 *
 * @throws WorkflowError OUT1003 with the jobs' ids.
 */
export async function refuseWhileJobsRun(
  dir: string,
  intent: keyof typeof effects = 'write',
): Promise<readonly Problem[]> {
  const folder = formerFolder(dir);
  if (folder === undefined) return [];
  const submissions = readSubmissions(folder);
  const { queries } = folder.target;
  const alive = queries === undefined ? localAlive(folder) : [];
  if (submissions.length > 0 && queries !== undefined) {
    const reader = new StatusReader(folder.dir);
    reader.refresh();
    const asking: Asking = { cwd: folder.dir, timeoutSeconds: defaultTimeoutSeconds };
    try {
      const { jobs } = await standingsOf(folder, submissions, reader, asking);
      for (const { name, id, state, native } of jobs)
        if (isAlive(state) && !isClearing(queries, native)) alive.push(`${name} (${id}, ${state})`);
    } catch (error) {
      if (!(error instanceof WorkflowError)) throw error;
      const [{ message }] = error.problems;
      return [
        {
          code: 'JOB1005',
          severity: 'warning',
          message: `cannot tell if jobs of ${folder.dir} still run or wait: ${message}`,
          hint: `jobs that do ${effects[intent].later}`,
          at: undefined,
        },
      ];
    }
  }
  if (alive.length === 0) return [];
  throw new WorkflowError({
    code: 'OUT1003',
    message: `jobs of ${folder.dir} run or wait, ${effects[intent].now}: ${alive.join(', ')}`,
    hint: `wait for them, end them with: ${simwrightCommand('cancel', dir)}, or use --force`,
  });
}

/** Jobs that run on this machine, and a submit.sh that has more to come. */
function localAlive(folder: JobFolder): string[] {
  const { submit, scripts } = localProcesses(folder);
  const running = folder.plan.jobs.flatMap(({ name, script }) =>
    (scripts.get(script) ?? []).map(({ pid }) => `${name} (${pid}, RUNNING)`),
  );
  return running.length > 0 ? running : submit.map(({ pid }) => `submit.sh (${pid})`);
}

/** The compiled folder as far as asking for its jobs needs it, whatever version its plan has. */
export function formerFolder(path: string): JobFolder | undefined {
  if (!existsSync(join(path, 'run/jobs.tsv'))) return undefined;
  try {
    const dir = realpathSync(path);
    const plan = JSON.parse(readFileSync(join(dir, 'plan.json'), 'utf8')) as Plan;
    const target = targets[TargetName.parse(plan.target)];
    return Array.isArray(plan.jobs) && Array.isArray(plan.entities) ? { dir, plan, target } : undefined;
  } catch {
    // No folder of ours: the writer says so.
    return undefined;
  }
}
