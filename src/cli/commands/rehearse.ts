import { writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { counted, WorkflowError } from '../../diagnostics/index.js';
import { type Fault, parseFault } from '../../rehearse/faults.js';
import type { RehearsalRecord } from '../../rehearse/record.js';
import { rehearse } from '../../rehearse/rehearse.js';
import { useOf } from '../../rehearse/timeline/share.js';
import { timelineSvg } from '../../rehearse/timeline/svg.js';
import { timelineText } from '../../rehearse/timeline/text.js';
import { printJson } from '../compile-workflow.js';
import { ExitCode } from '../failure.js';
import { openFolder } from '../jobs/folder.js';
import { localHome } from '../jobs/submit-script.js';
import { type FailureReason, failureReasons, formatReasons } from '../jobs/why-failed.js';
import { needsLinux } from '../needs-linux.js';
import { reported } from '../reported.js';
import { simwrightCommand } from '../shell-command.js';
import { wholeNumber } from '../whole-number.js';

interface Options {
  readonly keep?: string;
  readonly nodes?: number;
  readonly fail: readonly Fault[];
  readonly stubApp?: number | true;
  readonly speed?: number;
  readonly svg?: string;
  readonly plain?: boolean;
  readonly json?: boolean;
}

/** Seconds that each process of an application takes with --stub-app. */
const stubSeconds = 0.2;

/** `simwright rehearse`: runs the scripts of a folder on this machine, against stand-ins. */
export function rehearseCommand(): Command {
  return new Command('rehearse')
    .argument('<dir>', 'the folder that compile wrote')
    .option('--keep <dir>', 'the copy that is run (default: DIR/rehearsal); a rehearsal there before is removed')
    .option(
      '--nodes <n>',
      'nodes of the fake machine (default: as many as its jobs need side by side, up to 16)',
      wholeNumber(1),
    )
    .addOption(
      new Option(
        '--fail <fault>',
        'bring about a fault: node:2@5s, app:sweep_3, store@3s, store:NAME/2@3s (server of shard 2), walltime@10s; may be repeated',
      )
        .argParser((text: string, before: readonly Fault[]) => [...before, parseFault(text)])
        .default([], 'none'),
    )
    .option(
      '--stub-app [seconds]',
      'run no application: each of its processes takes some seconds (default: 0.2) and ends with 0',
      number,
    )
    .option('--speed <factor>', 'divide walltimes by this; applications run at their own pace', number)
    .option('--svg <file>', 'also write the timeline as a picture there')
    .option('--plain', 'give hosts names only, no network and /tmp of their own')
    .addOption(new Option('--json', 'print one JSON document'))
    .addHelpText('after', exitCodes)
    .action(
      reported(async (dir: string, options: Options) => {
        needsLinux('rehearse');
        process.exitCode = await run(dir, options);
      }),
    );
}

const exitCodes = `
Exit codes: 0 all went well, 1 the rehearsal has found a fault, 3 the scheduler refused, 4 an application failed.`;

function number(text: string): number {
  const value = Number(text);
  if (!(value > 0) || !Number.isFinite(value)) throw new InvalidArgumentError('a number above 0 is expected');
  return value;
}

async function run(path: string, options: Options): Promise<number> {
  const { dir } = openFolder(path);
  const into = options.keep === undefined ? join(dir, 'rehearsal') : resolve(options.keep);
  if (into === dir || dir.startsWith(`${into}/`)) {
    throw new WorkflowError({
      code: 'CLI1001',
      message: `--keep ${options.keep}: the copy cannot be the folder itself, or around it`,
      hint: 'name a folder of its own',
    });
  }
  const say = (text: string, at: number) => {
    if (!options.json) process.stderr.write(`${at.toFixed(1).padStart(7)}s  ${text}\n`);
  };
  let interrupted: NodeJS.Signals | undefined;
  const record = await rehearse({
    ...{ dir, into, faults: options.fail, plain: options.plain === true, progress: say },
    env: { ...process.env, ...localHome() },
    ...(options.nodes === undefined ? {} : { nodes: options.nodes }),
    ...(options.speed === undefined ? {} : { speed: options.speed }),
    ...(options.stubApp === undefined ? {} : { stubSeconds: options.stubApp === true ? stubSeconds : options.stubApp }),
    signal: (end) => {
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
        process.on(signal, () => {
          interrupted = signal;
          end();
        });
      }
    },
  });
  const exitCode = interrupted === undefined ? exitCodeOf(record) : interrupted === 'SIGINT' ? 130 : 143;
  writeFileSync(join(into, 'timeline.json'), `${JSON.stringify({ ...record, use: useOf(record) }, null, 2)}\n`);
  writeFileSync(join(into, 'timeline.svg'), timelineSvg(record));
  if (options.svg !== undefined) writeFileSync(options.svg, timelineSvg(record));
  const failures = interrupted === undefined ? failuresOf(record, into) : [];
  if (options.json) printJson({ ok: exitCode === 0, folder: into, exitCode, ...record, failures, use: useOf(record) });
  else {
    const reasons = failures.length === 0 ? '' : `\n${formatReasons(failures, into)}\n`;
    process.stdout.write(`${report(record, dir, into)}\n${reasons}`);
  }
  return exitCode;
}

function exitCodeOf({ findings, runs, submitted }: RehearsalRecord): number {
  if (submitted === ExitCode.schedulerRefused) return ExitCode.schedulerRefused;
  if (findings.length > 0) return ExitCode.workflowErrors;
  return lastRuns(runs).some(({ state }) => state in ends) ? ExitCode.applicationFailed : ExitCode.done;
}

/** Runs in whose place no other has come. */
function lastRuns(runs: RehearsalRecord['runs']): RehearsalRecord['runs'] {
  return runs.filter(({ requeued }) => requeued !== true);
}

/** Ends of a job that are failures, in words. */
const ends: Readonly<Partial<Record<string, (exitCode: number | undefined) => string>>> = {
  failed: (exitCode) => `failed with exit code ${exitCode}`,
  timeout: () => 'was ended at its walltime',
  node_fail: () => 'lost a node',
};

/** Reasons of what has failed, from what the jobs have left. */
function failuresOf({ runs }: RehearsalRecord, into: string): FailureReason[] {
  const jobs = lastRuns(runs).flatMap(({ job, state, exitCode }) => {
    const end = ends[state]?.(exitCode);
    return end === undefined ? [] : [[job, `job ${job} ${end}`] as const];
  });
  return failureReasons(openFolder(into), { jobs: new Map(jobs) });
}

function report(record: RehearsalRecord, dir: string, into: string): string {
  const [shape] = record.nodes;
  const names = record.nodes.map(({ name }) => name);
  const listed = names.length > 4 ? `${names.slice(0, 3).join(' ')} … ${names.at(-1)}` : names.join(' ');
  const gpus = shape !== undefined && shape.gpus > 0 ? `, ${counted(shape.gpus, 'GPU')}` : '';
  const place = relative(process.cwd(), into) || '.';
  const states = [...new Set(record.runs.map(({ state }) => state))].map(
    (state) => `${record.runs.filter((run) => run.state === state).length} ${state}`,
  );
  return [
    `rehearsal of ${relative(process.cwd(), dir) || '.'}: ${record.scheduler}, ${counted(names.length, 'node')} (${listed}) of ${counted(shape?.cpus ?? 0, 'CPU')}${gpus}, ${record.isolation}`,
    '',
    timelineText(record, process.stdout.isTTY ? process.stdout.columns : 100),
    `jobs: ${states.join(', ') || 'none'}`,
    ...(record.findings.length === 0
      ? []
      : ['', 'found:', ...record.findings.map(({ where, what }) => `  ${where}: ${what}`)]),
    '',
    `as after a run: ${simwrightCommand('status', place)}, ${simwrightCommand('logs', place)}; timeline.json and timeline.svg are there too`,
  ].join('\n');
}
