import { basename } from 'node:path';
import type { TargetName } from '../../../ir/index.js';
import { launchers } from '../../../targets/launchers/index.js';
import type { RunningStep, StepQueries } from '../../../targets/queries.js';
import { queriesOf } from '../../../targets/schedulers.js';
import { runCommand } from '../../scheduler/run-command.js';

/** Milliseconds after which a scheduler is too busy to be asked about running steps. */
export const patienceMs = 2000;

/** The scheduler's step commands, if applications of a launch line are its steps. */
export function stepsOf(target: TargetName, [program = '']: readonly string[]): StepQueries | undefined {
  const steps = queriesOf[target]?.steps;
  return steps !== undefined && basename(program) === launchers[steps.launcher].program ? steps : undefined;
}

/** Steps of the job that run; none where the scheduler does not answer in time. */
export async function runningSteps(steps: StepQueries, env: NodeJS.ProcessEnv): Promise<RunningStep[]> {
  const answers = await Promise.all(steps.running(env).map((words) => runCommand(words, env, patienceMs)));
  return answers.flatMap((answer) => steps.readRunning(answer?.stdout ?? ''));
}
