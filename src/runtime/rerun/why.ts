import { WorkflowError } from '../../diagnostics/index.js';
import { isOn } from '../job/job-environment.js';
import { MemberSelection } from '../job/member-selection.js';
import { readPlan } from '../job/read-plan.js';
import { StatusReader } from '../status/index.js';
import { forecastLines, foretell } from './foretell.js';

/** Prints what a submission of the folder would run, and why. Returns 0. */
export function why(dir: string, env: NodeJS.ProcessEnv): number {
  const chosen = MemberSelection.parse(env['SIMWRIGHT_MEMBERS']);
  if (chosen === undefined) {
    const message = `SIMWRIGHT_MEMBERS=${env['SIMWRIGHT_MEMBERS']} is no list of members`;
    throw new WorkflowError({ code: 'RUN1001', message });
  }
  const forecasts = foretell({
    dir,
    plan: readPlan(dir),
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
