import { join } from 'node:path';
import { Command, Option } from 'commander';
import { counted, WorkflowError } from '../../diagnostics/index.js';
import type { Job, Store } from '../../ir/index.js';
import { type Tail, tailOf } from '../../runtime/output/index.js';
import { AttemptTable, StatusReader } from '../../runtime/status/index.js';
import { printJson } from '../compile-workflow.js';
import { failureOutput } from '../jobs/failure-output.js';
import { type JobFolder, openFolder } from '../jobs/folder.js';
import { type Found, type FoundMember, findNamed } from '../logs/find.js';
import { follow } from '../logs/follow.js';
import { formatEntity, formatMember, formatStoreErrors } from '../logs/format.js';
import { jobLogs } from '../logs/job-logs.js';
import { type LogSources, memberLog } from '../logs/member-log.js';
import { entityLog } from '../logs/overview.js';
import { storeErrors, storeLogs } from '../logs/store-errors.js';
import { reported } from '../reported.js';
import { wholeNumber } from '../whole-number.js';
import { writeOut } from '../write-out.js';

interface LogsOptions {
  readonly attempt?: number;
  readonly lines: number;
  readonly follow?: boolean;
  readonly json?: boolean;
}

/** `simwright logs`: what members have written and how their attempts ended. */
export function logsCommand(): Command {
  return new Command('logs')
    .argument('<dir>', 'the folder that compile wrote')
    .argument('[name]', 'a member, model, ensemble, store or job (default: all, failures by cause)')
    .option('--attempt <n>', 'of a member: this attempt only, 1 for the first', wholeNumber(1))
    .option('--lines <n>', 'show this many lines from the end of each output', wholeNumber(0), 20)
    .option('--follow', 'of a member: show what it writes, until it has ended')
    .addOption(new Option('--json', 'print one JSON document; with --follow a line for each piece'))
    .action(
      reported(async (dir: string, name: string | undefined, options: LogsOptions) => {
        await logs(openFolder(dir), name, options);
      }),
    );
}

async function logs(folder: JobFolder, name: string | undefined, options: LogsOptions): Promise<void> {
  const found = name === undefined ? undefined : findNamed(folder.plan, name);
  if (found?.kind !== 'member') needMember(name, options);
  switch (found?.kind) {
    case 'member':
      return options.follow ? followMember(folder, found, options) : showMember(folder, found, options);
    case 'store':
      return showStore(folder, found.store, options);
    case 'job':
      return showJob(folder, found.job, options);
    default:
      return showAll(folder, found, options);
  }
}

/** Throws CLI1001 for options that are those of a member. */
function needMember(name: string | undefined, options: LogsOptions): void {
  const option = options.follow ? '--follow' : options.attempt === undefined ? undefined : '--attempt';
  if (option === undefined) return;
  const what = name === undefined ? 'a member has to be named' : `'${name}' is no member`;
  throw new WorkflowError({
    code: 'CLI1001',
    message: `${option}: ${what}`,
    hint: `write: simwright logs DIR MEMBER ${option}`,
  });
}

function sourcesOf({ dir, plan }: JobFolder): LogSources & { readonly reader: StatusReader } {
  const attempts = new AttemptTable();
  const reader = new StatusReader(dir, (event) => attempts.add(event));
  reader.refresh();
  return { dir, attempts, reader, statusOf: (entity) => reader.of(entity), storeErrors: storeErrors(plan, dir) };
}

async function showMember(folder: JobFolder, found: FoundMember, { lines, attempt, json }: LogsOptions): Promise<void> {
  const log = memberLog(found, sourcesOf(folder), { lines, only: attempt });
  if (attempt !== undefined && log.attempts.length === 0) {
    const hint = log.total === 0 ? 'it has not begun' : `its attempts are 1 to ${log.total}`;
    throw new WorkflowError({
      code: 'CLI1001',
      message: `--attempt ${attempt}: ${log.name} has no such attempt`,
      hint,
    });
  }
  if (json) printJson({ ok: true, folder: folder.dir, ...log });
  else await writeOut([`${formatMember(log)}\n`]);
}

async function followMember({ dir }: JobFolder, found: FoundMember, { json }: LogsOptions): Promise<void> {
  let before: string | undefined;
  for await (const { file, text, isFirst } of follow(dir, found)) {
    if (process.stdout.destroyed) return;
    const heading = before === file && !isFirst ? '' : `${before === undefined ? '' : '\n'}==> ${file} <==\n`;
    before = file;
    process.stdout.write(json ? `${JSON.stringify({ file, text })}\n` : `${heading}${text}`);
  }
}

async function showStore(folder: JobFolder, { name }: Store, { lines, json }: LogsOptions): Promise<void> {
  const errors = storeErrors(folder.plan, folder.dir).filter(({ store }) => store === name);
  const ends = endsOf(folder, storeLogs(folder.dir, name), lines);
  if (json) printJson({ ok: true, folder: folder.dir, name, errors, logs: ends });
  else {
    const parts = ends.length === 0 ? [`store ${name} has written no log`] : ends.map(formatEnd);
    if (errors.length > 0) parts.push(formatStoreErrors('it has answered with errors:', errors));
    await writeOut([`${parts.join('\n\n')}\n`]);
  }
}

async function showJob(folder: JobFolder, job: Job, { lines, json }: LogsOptions): Promise<void> {
  const ends = endsOf(folder, jobLogs(folder, job), lines);
  if (json) printJson({ ok: true, folder: folder.dir, name: job.name, logs: ends });
  else
    await writeOut([
      `${ends.length === 0 ? `job ${job.name} has written no log` : ends.map(formatEnd).join('\n\n')}\n`,
    ]);
}

/** All entities, or one ensemble: what failed and why, what stores have answered, where the jobs' logs are. */
async function showAll(
  folder: JobFolder,
  found: Extract<Found, { readonly kind: 'ensemble' }> | undefined,
  { lines, json }: LogsOptions,
): Promise<void> {
  const { dir, plan } = folder;
  const { reader, attempts, storeErrors: errors } = sourcesOf(folder);
  const entities = found === undefined ? plan.entities : [found.entity];
  const logsOf = entities.map((entity) => entityLog(plan, entity, reader, attempts));
  const isShown = ({ member }: { readonly member?: string }) =>
    found === undefined || member?.startsWith(`${found.entity.name}_`) === true;
  const shownErrors = errors.filter(isShown);
  const jobs = plan.jobs
    .filter(({ name }) => found === undefined || found.entity.job === name)
    .map((job) => ({ name: job.name, logs: jobLogs(folder, job) }));
  if (json) {
    printJson({ ok: true, experiment: plan.experiment, folder: dir, entities: logsOf, storeErrors: shownErrors, jobs });
    return;
  }
  const ofCause = Math.min(lines, 10);
  const parts = [`${plan.experiment} for ${plan.site} in ${dir}`];
  parts.push(...logsOf.map((log) => formatEntity(log, (file) => failureOutput(dir, file, ofCause))));
  if (shownErrors.length > 0) parts.push(formatStoreErrors('stores have answered with errors:', shownErrors));
  const newest = jobs.flatMap(({ name, logs: [log] }) => (log === undefined ? [] : [`  ${name}: ${log}`]));
  if (newest.length > 0) parts.push(['logs of the jobs:', ...newest].join('\n'));
  await writeOut([`${parts.join('\n\n')}\n`]);
}

/** End of a log. */
interface LogEnd extends Tail {
  readonly file: string;
}

function endsOf({ dir }: JobFolder, files: readonly string[], lines: number): LogEnd[] {
  return files.flatMap((file) => {
    const end = tailOf(join(dir, file), lines);
    return end === undefined ? [] : [{ file, ...end }];
  });
}

function formatEnd({ file, lines, isCut, bytes }: LogEnd): string {
  if (bytes === 0) return `${file} is empty`;
  const last = isCut ? `, the last ${counted(lines.length, 'line')}` : '';
  return [`${file}${last}:`, ...lines.map((line) => `  ${line}`.trimEnd())].join('\n');
}
