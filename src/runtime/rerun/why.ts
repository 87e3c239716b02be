import { existsSync } from 'node:fs';
import { renderProblem, WorkflowError } from '../../diagnostics/index.js';
import { isOn, readMemberSelection } from '../job/job-environment.js';
import { statusFolder } from '../job/paths.js';
import { readPlan } from '../job/read-plan.js';
import { presentJobs } from '../scheduler/present-jobs.js';
import { StatusReader } from '../status/index.js';
import { forecastLines, foretell } from './foretell.js';

/** Exit code of `why` where jobs of the folder run or wait. */
const isBusy = 3;

/** Prints what a submission of the folder would run, and why. Returns 0, or 3 where its jobs run or wait and nobody says SIMWRIGHT_FORCE. */
export async function why(dir: string, env: NodeJS.ProcessEnv): Promise<number> {
  const chosen = readMemberSelection(env);
  const plan = readPlan(dir);
  const jobs = isOn(env['SIMWRIGHT_FORCE']) ? [] : await presentJobs(dir, plan, env);
  if (jobs.length > 0) {
    process.stderr.write(`${renderProblem(busy(dir, jobs).problems[0], { cwd: dir })}\n`);
    return isBusy;
  }
  if (!existsSync(statusFolder(dir))) return 0;
  const forecasts = foretell({
    dir,
    plan,
    reader: new StatusReader(dir),
    chosen,
    fresh: isOn(env['SIMWRIGHT_FRESH']),
    keep: isOn(env['SIMWRIGHT_KEEP']),
  });
  process.stdout.write(
    forecastLines(forecasts)
      .map((line) => `${line}\n`)
      .join(''),
  );
  return 0;
}

function busy(dir: string, jobs: readonly string[]): WorkflowError {
  return new WorkflowError({
    code: 'OUT1003',
    message: `jobs of ${dir} run or wait: ${jobs.join(', ')}`,
    hint: 'wait for them, then submit what they have left; end them with simwright cancel; or say --force',
  });
}
