import { accessSync, constants, existsSync } from 'node:fs';
import { join } from 'node:path';
import { Command, Option } from 'commander';
import { Problems, WorkflowError } from '../../diagnostics/index.js';
import { forecastLines } from '../../runtime/rerun/index.js';
import { budgetOption, keepBudget } from '../budget.js';
import { printJson, printWarnings } from '../compile-workflow.js';
import { ExitCode } from '../failure.js';
import { forecastJson, forecastOf, hasResults, printLines } from '../forecast.js';
import { type JobFolder, openFolder } from '../jobs/folder.js';
import { refuseWhileJobsRun } from '../jobs/running-jobs.js';
import { defaultTimeoutSeconds } from '../jobs/scheduler.js';
import { runSubmitScript } from '../jobs/submit-script.js';
import { judges, testOnly } from '../jobs/test-only.js';
import { needEngines } from '../missing-engine.js';
import { needsLinux } from '../needs-linux.js';
import { reported } from '../reported.js';
import { simwrightCommand } from '../shell-command.js';
import { wholeNumber } from '../whole-number.js';

interface SubmitOptions {
  readonly fresh?: boolean;
  readonly keep?: boolean;
  readonly force?: boolean;
  readonly retry?: number;
  readonly testOnly?: boolean;
  readonly budget?: number;
  readonly json?: boolean;
}

/** `simwright submit`: runs the submit.sh of a folder. */
export function submitCommand(): Command {
  return new Command('submit')
    .argument('<dir>', 'the folder that compile wrote')
    .option('--fresh', 'run everything again, completed members included')
    .addOption(new Option('--keep', 'accept completed members as they are, whatever has changed').conflicts('fresh'))
    .option('--force', 'submit though jobs of this folder run or wait')
    .option('--retry <n>', 'start a member that fails up to N times more', wholeNumber(0))
    .addOption(
      new Option(
        '--test-only',
        `submit nothing; show the scheduler's verdict on each script (${judges.join(', ')})`,
      ).conflicts(['fresh', 'keep', 'force', 'retry']),
    )
    .addOption(budgetOption())
    .addOption(new Option('--json', 'print one JSON document'))
    .action(
      reported(async (dir: string, options: SubmitOptions) => {
        const folder = openFolder(dir);
        if (folder.target.queries === undefined) needsLinux('submit');
        keepBudget(folder.plan, options.budget);
        process.exitCode = await (options.testOnly ? judge(folder, options) : submit(folder, options));
      }),
    );
}

async function submit(folder: JobFolder, { fresh, keep, force, retry, json }: SubmitOptions): Promise<number> {
  assertWritable(folder.dir);
  await needEngines(folder.plan, folder.dir);
  const doubts = force ? [] : await refuseWhileJobsRun(folder.dir, 'submit');
  if (!json) printWarnings(doubts);
  const rerun = forecastOf(folder.plan, folder.dir, { fresh: fresh === true, keep: keep === true });
  if (!json && hasResults(folder.dir)) printLines(forecastLines(rerun));
  const { jobs, exitCode } = await runSubmitScript(
    folder,
    { fresh: fresh === true, keep: keep === true, retry },
    ({ name, id }) => {
      if (!json) process.stdout.write(`${name}\t${id}\n`);
    },
  );
  if (json) printJson({ ok: exitCode === 0, folder: folder.dir, exitCode, jobs, rerun: forecastJson(rerun) });
  if (exitCode === 0) return ExitCode.done;
  // Interrupted: submit.sh has taken back what it submitted, or ended what it ran.
  if (exitCode === 130 || exitCode === 143) return exitCode;
  process.stderr.write(
    `failed: exit code ${exitCode}; ${simwrightCommand('status', folder.dir)} shows what came of it\n`,
  );
  return ExitCode.applicationFailed;
}

/** @throws WorkflowError OUT1002 where jobs could not leave their results. */
function assertWritable(dir: string): void {
  const place = join(dir, 'run');
  try {
    accessSync(existsSync(place) ? place : dir, constants.W_OK);
  } catch (error) {
    throw new WorkflowError({
      code: 'OUT1002',
      message: `${place} cannot be written: ${error instanceof Error ? error.message : String(error)}`,
      hint: 'jobs leave their results there: copy the folder to where you may write',
      cause: error,
    });
  }
}

async function judge(folder: JobFolder, { json }: SubmitOptions): Promise<number> {
  const verdicts = await testOnly(folder, { cwd: folder.dir, timeoutSeconds: defaultTimeoutSeconds });
  const refused = verdicts.filter(({ accepted }) => !accepted);
  if (json) {
    printJson({ ok: refused.length === 0, folder: folder.dir, jobs: verdicts });
    return refused.length === 0 ? ExitCode.done : ExitCode.schedulerRefused;
  }
  for (const { name, accepted, says } of verdicts) if (accepted) process.stdout.write(`${name}\t${says}\n`);
  const problems = new Problems();
  for (const { name, says } of refused) problems.error('JOB1001', `job ${name} would be refused\n${says}`, undefined);
  problems.throwIfErrors();
  return ExitCode.done;
}
