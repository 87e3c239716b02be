import { Command, Option } from 'commander';
import { renderProblems } from '../../diagnostics/index.js';
import { printJson } from '../compile-workflow.js';
import { ExitCode, hasColour, reportFailure, reportJsonFailure } from '../failure.js';
import { openFolder } from '../jobs/folder.js';
import { type TimeoutOption, takesTimeout } from '../jobs/options.js';
import { changeLines, formatReport, hasEnded, StatusLook, type StatusReport } from '../jobs/report.js';
import { wholeNumber } from '../whole-number.js';

interface StatusOptions extends TimeoutOption {
  readonly watch?: boolean;
  readonly interval?: number;
  readonly json?: boolean;
}

/** Seconds between two looks: of this machine, and of a scheduler, which others ask as well. */
const pauses = { local: 1, scheduler: 10 };

/** `simwright status`: where the jobs of a folder stand. */
export function statusCommand(): Command {
  return takesTimeout(new Command('status'))
    .argument('<dir>', 'the folder that compile wrote')
    .option('--watch', 'show it again until all jobs have ended; exit code 4 unless all have completed')
    .option('--interval <seconds>', 'seconds between two looks with --watch (default: 10; local: 1)', wholeNumber(1))
    .addOption(new Option('--json', 'print one JSON document; with --watch a line for each change'))
    .action(async (dir: string, options: StatusOptions) => {
      try {
        const folder = openFolder(dir);
        const look = new StatusLook(folder, { cwd: folder.dir, timeoutSeconds: options.timeout });
        const pause = options.interval ?? (folder.target.queries === undefined ? pauses.local : pauses.scheduler);
        if (options.watch) process.exitCode = await watch(look, pause * 1000, options.json === true);
        else print(await look.report(), options.json === true);
      } catch (error) {
        process.exitCode = options.json ? reportJsonFailure(error) : reportFailure(error);
      }
    });
}

function print(report: StatusReport, json: boolean): void {
  if (json) {
    printJson({ ok: true, ...report });
    return;
  }
  if (report.problems.length > 0) {
    const options = { cwd: process.cwd(), colour: hasColour(process.stderr) };
    process.stderr.write(`${renderProblems(report.problems, options)}\n`);
  }
  process.stdout.write(`${formatReport(report)}\n`);
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

/** What has changed, a line each. */
function plainLines(): (report: StatusReport) => void {
  let shown = new Set<string>();
  return (report) => {
    const lines = changeLines(report);
    for (const line of lines) if (!shown.has(line)) process.stdout.write(`${line}\n`);
    shown = new Set(lines);
  };
}
