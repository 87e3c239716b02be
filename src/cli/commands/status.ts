import { Command, Option } from 'commander';
import { renderProblems } from '../../diagnostics/index.js';
import { type Forecast, forecastDetails } from '../../runtime/rerun/index.js';
import { printJson } from '../compile-workflow.js';
import { ExitCode, hasColour } from '../failure.js';
import { forecastJson, forecastOf } from '../forecast.js';
import { type JobFolder, openFolder, readSubmissions } from '../jobs/folder.js';
import { type TimeoutOption, takesTimeout } from '../jobs/options.js';
import { changeLines, formatReport, hasEnded, StatusLook, type StatusReport } from '../jobs/report.js';
import { reported } from '../reported.js';
import { wholeNumber } from '../whole-number.js';

interface StatusOptions extends TimeoutOption {
  readonly watch?: boolean;
  readonly interval?: number;
  readonly why?: boolean;
  readonly json?: boolean;
}

/** Seconds between two looks: of this machine, and of a scheduler, which others ask as well. */
const pauses = { local: 1, scheduler: 10 };

/** `simwright status`: where the jobs of a folder stand. */
export function statusCommand(): Command {
  return takesTimeout(new Command('status'))
    .argument('<dir>', 'the folder that compile wrote')
    .option('--watch', 'show it again until all jobs have ended; exit code 4 unless all have completed')
    .option('--interval <seconds>', 'seconds between updates with --watch (default: 10; local: 1)', wholeNumber(1))
    .addOption(new Option('--why', 'also say what a new submission would run, and why').conflicts('watch'))
    .addOption(new Option('--json', 'print one JSON document; with --watch a line for each change'))
    .action(
      reported(async (dir: string, options: StatusOptions) => {
        const folder = openFolder(dir);
        if (options.why && readSubmissions(folder).length === 0) return printForecast(folder, options.json === true);
        const look = new StatusLook(folder, { cwd: folder.dir, timeoutSeconds: options.timeout });
        const pause = options.interval ?? (folder.target.queries === undefined ? pauses.local : pauses.scheduler);
        if (options.watch) process.exitCode = await watch(look, pause * 1000, options.json === true);
        else
          print(
            await look.report(),
            options.why ? forecastOf(folder.plan, folder.dir) : undefined,
            options.json === true,
          );
      }),
    );
}

/** Prints what a submission would run, for a folder from which nothing has been submitted. */
function printForecast({ plan, dir }: JobFolder, json: boolean): void {
  const forecasts = forecastOf(plan, dir);
  if (json) printJson({ ok: true, folder: dir, rerun: forecastJson(forecasts) });
  else process.stdout.write(`${forecastDetails(forecasts).join('\n')}\n`);
}

function print(report: StatusReport, rerun: readonly Forecast[] | undefined, json: boolean): void {
  if (json) {
    printJson({ ok: true, ...report, ...(rerun === undefined ? {} : { rerun: forecastJson(rerun) }) });
    return;
  }
  if (report.problems.length > 0) {
    const options = { cwd: process.cwd(), colour: hasColour(process.stderr) };
    process.stderr.write(`${renderProblems(report.problems, options)}\n`);
  }
  process.stdout.write(`${formatReport(report)}\n`);
  if (rerun !== undefined) process.stdout.write(`\nA new submission:\n${forecastDetails(rerun).join('\n')}\n`);
}

async function watch(look: StatusLook, pauseMs: number, json: boolean): Promise<number> {
  const show = json ? jsonLines() : process.stdout.isTTY ? inPlace() : plainLines();
  for (;;) {
    const report = await look.report();
    show(report);
    if (hasEnded(report)) {
      if (!json) process.stdout.write(process.stdout.isTTY ? '' : `${formatReport(report)}\n`);
      const isFine = report.jobs.every(({ state }) => state === 'COMPLETED');
      return isFine ? ExitCode.done : ExitCode.applicationFailed;
    }
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

/** A document a line, when something has changed. */
function jsonLines(): (report: StatusReport) => void {
  let last = '';
  return (report) => {
    const text = JSON.stringify({ ok: true, ...report });
    if (text !== last) process.stdout.write(`${text}\n`);
    last = text;
  };
}

/** The report in the place of the one before. */
function inPlace(): (report: StatusReport) => void {
  let height = 0;
  return (report) => {
    const rows = (process.stdout.rows ?? 40) - 1;
    const columns = process.stdout.columns ?? 80;
    const lines = formatReport(report)
      .split('\n')
      .slice(0, rows)
      .map((line) => line.slice(0, columns));
    process.stdout.write(`${height > 0 ? `\u001b[${height}A\u001b[J` : ''}${lines.join('\n')}\n`);
    height = lines.length;
  };
}

/** Changes, one line each. */
function plainLines(): (report: StatusReport) => void {
  let shown = new Set<string>();
  return (report) => {
    const lines = changeLines(report);
    for (const line of lines) if (!shown.has(line)) process.stdout.write(`${line}\n`);
    shown = new Set(lines);
  };
}
