import { isOn, readMemberSelection } from '../job/job-environment.js';
import { readPlan } from '../job/read-plan.js';
import { StatusReader } from '../status/index.js';
import { forecastLines, foretell } from './foretell.js';

/** Prints what a submission of the folder would run, and why. Returns 0. */
export function why(dir: string, env: NodeJS.ProcessEnv): number {
  const forecasts = foretell({
    dir,
    plan: readPlan(dir),
    reader: new StatusReader(dir),
    chosen: readMemberSelection(env),
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
