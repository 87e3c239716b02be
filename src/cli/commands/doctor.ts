import { lstatSync } from 'node:fs';
import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { Command, Option } from 'commander';
import { checkSite, loadSite } from '../../compiler/index.js';
import { counted, WorkflowError } from '../../diagnostics/index.js';
import { writeAtomically } from '../../runtime/job/write-atomically.js';
import { knownSites } from '../../sites/known.js';
import type { Finding, FindingLevel } from '../../targets/probe.js';
import { printJson } from '../compile-workflow.js';
import { asSite, type DraftField } from '../doctor/draft-site.js';
import { examine } from '../doctor/examine.js';
import { formatJson, formatTypeScript } from '../doctor/format-site.js';
import { ExitCode, hasColour } from '../failure.js';
import { needsLinux } from '../needs-linux.js';
import { reported } from '../reported.js';
import { simwrightCommand } from '../shell-command.js';

interface DoctorOptions {
  readonly site?: string;
  readonly python?: string;
  readonly writeSite?: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

/** `simwright doctor`: whether this machine and its cluster have what Simwright needs. */
export function doctorCommand(): Command {
  return new Command('doctor')
    .option('--site <site>', 'the site whose Python and ONNX Runtime are examined')
    .option(
      '--python <path>',
      "the Python of applications and of stores (default: the site's, $SIMWRIGHT_PYTHON, python3)",
    )
    .option('--write-site <file>', 'write a draft of a site from what the scheduler reports, .ts or .json')
    .option('--force', 'overwrite that file')
    .addOption(new Option('--json', 'print one JSON document'))
    .action(
      reported(async (options: DoctorOptions) => {
        await doctor(options);
      }),
    );
}

async function doctor(options: DoctorOptions): Promise<void> {
  needsLinux('doctor');
  if (options.writeSite !== undefined) checkPlace(options.writeSite, options.force === true);
  const ofSite = options.site === undefined ? undefined : await loadSite(options.site, knownSites);
  const { findings, facts, draft } = await examine(ofSite, options.python);
  const problems = findings.filter(({ verdict }) => verdict === 'problem').length;
  if (problems > 0) process.exitCode = ExitCode.workflowErrors;
  const site = options.writeSite === undefined ? undefined : writeSite(options.writeSite, draft);
  if (options.json) {
    printJson({
      ok: problems === 0,
      findings,
      facts,
      ...(site === undefined ? {} : { site, siteFile: options.writeSite }),
    });
    return;
  }
  process.stdout.write(formatFindings(findings, hasColour(process.stdout)));
  if (options.writeSite === undefined) return;
  process.stdout.write(
    `\nwrote ${options.writeSite}; read it, then: ${simwrightCommand('site', 'check', options.writeSite)}\n`,
  );
}

function checkPlace(file: string, force: boolean): void {
  if (!/\.(ts|mts|json)$/.test(file)) {
    throw new WorkflowError({
      code: 'CLI1001',
      message: `--write-site ${file}: a file that ends in .ts or .json is expected`,
    });
  }
  if (force || lstatSync(file, { throwIfNoEntry: false }) === undefined) return;
  const hint = 'choose another name, or use --force to overwrite it';
  throw new WorkflowError({ code: 'OUT1001', message: `${file} is there already`, hint });
}

/** Writes the draft, once it is known to be a site. */
function writeSite(file: string, draft: readonly DraftField[]): object {
  const site = checkSite(asSite(draft), 'the drafted site', undefined);
  const text = file.endsWith('.json') ? formatJson(draft) : formatTypeScript(draft, hostname());
  try {
    writeAtomically(resolve(file), text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new WorkflowError({ code: 'OUT1002', message: `${file} cannot be written: ${reason}`, cause: error });
  }
  return site;
}

const colours: Readonly<Record<FindingLevel, string>> = { ok: '32', warning: '33', problem: '31' };

/** A line a finding, what to do below it, and a count. */
function formatFindings(findings: readonly Finding[], colour: boolean): string {
  const width = Math.max(...findings.map(({ topic }) => topic.length));
  const lines = findings.flatMap(({ topic, verdict, message, advice }) => {
    const word = verdict.padEnd(7);
    const shown = colour ? `\u001b[${colours[verdict]}m${word}\u001b[0m` : word;
    const line = `${shown}  ${topic.padEnd(width)}  ${message}`;
    return advice === undefined ? [line] : [line, `${' '.repeat(9 + width)}  → ${advice}`];
  });
  const count = (verdict: FindingLevel) => counted(findings.filter((one) => one.verdict === verdict).length, verdict);
  return `${lines.join('\n')}\n\n${count('problem')}, ${count('warning')}\n`;
}
