import { existsSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join, resolve } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { execa } from 'execa';
import { writeFolder } from '../../compiler/index.js';
import { WorkflowError } from '../../diagnostics/index.js';
import { hasNumbers, memberDirectory, type Plan } from '../../ir/index.js';
import { parseDevicePair } from '../../ml/devices.js';
import { MemberSelection } from '../../runtime/job/member-selection.js';
import { type Forecast, forecastDetails, forecastLines } from '../../runtime/rerun/index.js';
import { type EntitySummary, isInRanges, StatusReader } from '../../runtime/status/index.js';
import { targets } from '../../targets/registry.js';
import { chosenMembers } from '../chosen-members.js';
import { compileWorkflow, printJson, printWarnings, takesWorkflow, type WorkflowOptions } from '../compile-workflow.js';
import { defaultFolder } from '../compiled-folder.js';
import { ExitCode } from '../failure.js';
import { forecastJson, forecastOf, hasResults, printLines } from '../forecast.js';
import { causesOf, type FailureCause, failuresOf } from '../jobs/entities.js';
import { openFolder } from '../jobs/folder.js';
import { refuseWhileJobsRun } from '../jobs/running-jobs.js';
import { hasSaidWhy, localHome, requireVariables, submitWords } from '../jobs/submit-script.js';
import { failureReasons, formatReasons } from '../jobs/why-failed.js';
import { liveView, type Run, summarizeRun } from '../live-view.js';
import { needEngines } from '../missing-engine.js';
import { needsLinux } from '../needs-linux.js';
import { reported } from '../reported.js';
import { type StopSignal, stopSignals, uninterrupted } from '../uninterrupted.js';
import { wholeNumber } from '../whole-number.js';
import { withRuntime } from './compile.js';

interface RunOptions extends WorkflowOptions {
  readonly out?: string;
  readonly fresh?: boolean;
  readonly keep?: boolean;
  readonly dryRun?: boolean;
  readonly force?: boolean;
  readonly retry?: number;
  readonly members?: readonly string[];
  readonly mapDevice?: readonly string[];
}

/** `simwright run`: compiles for this machine and runs to the end. */
export function runCommand(): Command {
  return takesWorkflow(new Command('run'))
    .option('--out <dir>', 'the folder to write and run in (default: NAME.simwright)')
    .option('--dry-run', 'say what would run and why, and do nothing')
    .option('--fresh', 'run everything again, completed members included')
    .addOption(new Option('--keep', 'accept completed members as they are, whatever has changed').conflicts('fresh'))
    .option('--force', 'overwrite files that were changed by hand, and a folder whose jobs run')
    .option('--retry <n>', 'start a member that fails up to N times more', wholeNumber(0))
    .option(
      '--members <indices>',
      'run these members only: 0,2-3 of every ensemble, or NAME:0,2-3; may be repeated',
      append,
    )
    .option('--map-device <GPU=CPU>', 'run the ML models of one device on another; may be repeated', deviceMap)
    .action(
      reported(async (workflow: string, options: RunOptions) => {
        process.exitCode = await run(workflow, options);
      }),
    );
}

async function run(workflow: string, options: RunOptions): Promise<number> {
  needsLinux('run');
  const compiled = await compileWorkflow(workflow, options);
  const { plan, warnings } = compiled;
  if (!targets[plan.target].capabilities.oneNode) {
    const message = `run works only on this machine, and site '${plan.site}' is for ${plan.target}`;
    throw new WorkflowError({
      code: 'CLI1001',
      message,
      hint: 'use compile, then submit.sh there; or a site whose target is local',
    });
  }
  const members = options.members === undefined ? '' : chosenMembers(plan, options.members);
  requireVariables(plan);
  const folder = resolve(options.out ?? defaultFolder(plan.experiment));
  const chosen = MemberSelection.parse(members) ?? MemberSelection.all;
  if (!options.dryRun) await needEngines(plan, folder);
  if (!options.json) printWarnings(warnings);
  if (options.dryRun) return dryRun(plan, folder, chosen, options);
  const doubts = options.force ? [] : await refuseWhileJobsRun(folder);
  if (!options.json) printWarnings(doubts);
  const rerun = hasResults(folder) ? forecastOf(plan, folder, options, chosen) : [];
  await uninterrupted(() => writeFolder(folder, withRuntime(compiled, false), { force: options.force === true }));
  process.stderr.write(`running ${plan.experiment} in ${folder}\n`);
  printLines(forecastLines(rerun));
  const started = Date.now();
  const run: Run = { plan, folder, chosen, runsAgain: runsAgain(rerun, started), startedMs: started };
  const { exitCode, interrupted } = await submitAndFollow(run, members, options);
  const summaries = summarizeRun(run);
  const failed = exitCode !== 0;
  if (options.json)
    printJson({
      ok: !failed,
      folder,
      exitCode,
      seconds: (Date.now() - started) / 1000,
      entities: withCauses(run, summaries),
      problems: warnings,
    });
  if (interrupted !== undefined) {
    process.stderr.write(`interrupted: everything has been ended; run again to finish what is left\n`);
    return 128 + constants.signals[interrupted];
  }
  if (failed) reportFailed(run, summaries);
  else if (!options.json) printOutputs(plan, folder, (Date.now() - started) / 1000);
  return failed ? ExitCode.applicationFailed : ExitCode.done;
}

/** Says what would run and why. */
function dryRun(plan: Plan, folder: string, chosen: MemberSelection, options: RunOptions): number {
  const forecasts = forecastOf(plan, folder, options, chosen);
  if (options.json) printJson({ ok: true, folder, entities: forecastJson(forecasts) });
  else process.stdout.write(`${forecastDetails(forecasts).join('\n')}\n`);
  return ExitCode.done;
}

/** True for what an earlier run says of a member that is to run again, until its launch has found that it need not. */
function runsAgain(rerun: readonly Forecast[], startedMs: number): Run['runsAgain'] {
  const started = new Date(startedMs).toISOString();
  const again = new Map(rerun.map(({ name, reasons }) => [name, reasons.map(({ indices }) => indices)]));
  return ({ entity, index, time }, { launches }) => {
    const isForetold = time < started && (again.get(entity)?.some((indices) => isInRanges(indices, index)) ?? false);
    if (!isForetold) return false;
    return ![...launches.values()].some((launch) => launch.time >= started && isInRanges(launch.done ?? '', index));
  };
}

/** Runs submit.sh, the same that a person runs by hand, and hands signals on to it. */
async function submitAndFollow(run: Run, members: string, { fresh, keep, retry, mapDevice = [] }: RunOptions) {
  const { folder } = run;
  const child = execa('bash', submitWords(folder, { fresh: fresh === true, keep: keep === true, retry }), {
    cwd: folder,
    // On this machine alone, where the jobs inherit it.
    env: { ...localHome(), ...hasSaidWhy, SIMWRIGHT_MEMBERS: members, SIMWRIGHT_MAP_DEVICE: mapDevice.join(',') },
    stdin: 'ignore',
    reject: false,
    // A group of its own: Ctrl-C reaches this process alone, which then ends the run in order.
    detached: true,
    cleanup: false,
  });
  const view = liveView(run);
  let interrupted: StopSignal | undefined;
  const onSignal = (signal: StopSignal) => {
    if (interrupted === undefined) view.ending();
    interrupted ??= signal;
    child.kill('SIGTERM');
  };
  for (const signal of stopSignals) process.on(signal, onSignal);
  try {
    await view.follow(child);
    const { exitCode, stderr } = await child;
    if (stderr && interrupted === undefined) process.stderr.write(`${stderr}\n`);
    return { exitCode: exitCode ?? ExitCode.applicationFailed, interrupted };
  } finally {
    for (const signal of stopSignals) process.off(signal, onSignal);
  }
}

/** Output of the models that nothing waits for: the results, as a rule. */
function printOutputs(plan: Plan, folder: string, seconds: number): void {
  const awaited = new Set(plan.entities.flatMap(({ after }) => after.map(({ name }) => name)));
  for (const entity of plan.entities) {
    if (hasNumbers(entity) || awaited.has(entity.name)) continue;
    const output = join(folder, memberDirectory(entity, 0), `${entity.name}.out`);
    if (existsSync(output)) process.stdout.write(readFileSync(output, 'utf8'));
  }
  process.stderr.write(`done in ${seconds.toFixed(1)} s: ${join(folder, 'run')}\n`);
}

/** Causes of the failures of the members that were to run, by entity. */
function causesByEntity({ plan, folder, chosen }: Run): ReadonlyMap<string, readonly FailureCause[]> {
  const reader = new StatusReader(folder);
  reader.refresh();
  return new Map(
    plan.entities.map((entity) => {
      const failures = failuresOf(plan, entity, reader).filter(({ index }) => chosen.has(entity.name, index));
      return [entity.name, causesOf(failures)];
    }),
  );
}

function withCauses(run: Run, summaries: readonly EntitySummary[]): readonly object[] {
  const byEntity = causesByEntity(run);
  return summaries.map((summary) => ({ ...summary, causes: byEntity.get(summary.name) ?? [] }));
}

function reportFailed({ plan, folder, chosen }: Run, summaries: readonly EntitySummary[]): void {
  const isDone = (job: string) => {
    const own = summaries.filter(({ name }) => plan.entities.find((one) => one.name === name)?.job === job);
    return own.length > 0 && own.every(({ completed, total }) => completed === total);
  };
  const failed = plan.jobs.filter(({ name }) => !isDone(name));
  const jobs = new Map((failed.length > 0 ? failed : plan.jobs).map(({ name }) => [name, `job ${name} failed`]));
  const has = (entity: string, index: number) => chosen.has(entity, index);
  const reasons = failureReasons(openFolder(folder), { jobs, has });
  if (reasons.length > 0) process.stderr.write(`\n${formatReasons(reasons, folder)}\n`);
  const counts = summaries.map(({ name, completed, total }) => `${name} ${completed}/${total}`);
  process.stderr.write(`\nfailed: ${counts.join(', ')} completed; everything is in ${join(folder, 'run')}\n`);
}

function append(text: string, before: readonly string[] = []): string[] {
  return [...before, text];
}

/** Reads `GPU=CPU`. */
function deviceMap(text: string, before: readonly string[] = []): string[] {
  if (parseDevicePair(text) !== undefined) return [...before, text];
  throw new InvalidArgumentError('two devices are expected, such as GPU=CPU or GPU:1=CPU.');
}
