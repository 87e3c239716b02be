import { counted } from '../../diagnostics/index.js';
import { formatValue } from '../../ir/index.js';
import { describeFailures, describeInterruption, describeSkip, someOf } from '../jobs/entities.js';
import type { FailureOutput } from '../jobs/failure-output.js';
import type { AttemptLog, MemberLog, OutputEnd } from './member-log.js';
import type { EntityLog } from './overview.js';
import type { StoreError } from './store-errors.js';

/** Errors of stores that are shown of many. */
const shownErrors = 10;

/** `2026-11-28 13:00:05 UTC` */
function formatTime(time: string): string {
  return `${time.slice(0, 19).replace('T', ' ')} UTC`;
}

/** A member's log as text. */
export function formatMember(log: MemberLog): string {
  const { name, entity, index, directory, params, attempts, total, waiting, storeErrors } = log;
  const of = name === entity ? '' : `, member ${index} of ${entity}`;
  const values = Object.entries(params).map(([key, value]) => `${key}=${formatValue(value)}`);
  const parts = [[`${name}${of}, in ${directory}`, ...(values.length === 0 ? [] : [values.join(' ')])].join('\n')];
  parts.push(...attempts.map((attempt) => formatAttempt(attempt, total)));
  if (total === 0) parts.push(`it has not begun${waiting === undefined ? '' : `: ${describeSkip(waiting)}`}`);
  if (storeErrors.length > 0) parts.push(formatStoreErrors('stores have answered it with errors:', storeErrors));
  return parts.join('\n\n');
}

function formatAttempt(log: AttemptLog, total: number): string {
  const { attempt, job, jobId, begun, out, err } = log;
  const head = `attempt ${attempt} of ${total}: ${describeEnd(log)}; job ${job} (${jobId}), begun ${formatTime(begun)}`;
  if (out === undefined || err === undefined) {
    return `${head}\n  it wrote nothing, or its directory gave way to a new one and was removed`;
  }
  return [head, ...formatOutput(err), ...formatOutput(out)].join('\n');
}

/** `failed with exit code 3 after 0.2 s on n1: it was told to end` */
function describeEnd({ state, exit, signal, seconds, host, reason }: AttemptLog): string {
  const isOpen = state === 'staged' || state === 'running';
  const how = signal === undefined ? (exit === undefined ? '' : ` with exit code ${exit}`) : ` by ${signal}`;
  const words = [
    isOpen ? `${state}, no end is on record` : `${state}${state === 'completed' ? '' : how}`,
    seconds === undefined ? '' : ` after ${seconds} s`,
    host === undefined ? '' : ` on ${host}`,
    reason === undefined ? '' : `: ${reason}`,
  ];
  return words.join('');
}

function formatOutput({ file, bytes, lines, isCut }: OutputEnd): string[] {
  if (bytes === 0) return [`  ${file} is empty`];
  const last = isCut ? `, the last ${counted(lines.length, 'line')}` : '';
  return [`  ${file}${last}:`, ...lines.map((line) => `    ${line}`.trimEnd())];
}

/** Errors of stores as text, those who got most of them first. */
export function formatStoreErrors(title: string, errors: readonly StoreError[]): string {
  const lines = [...errors]
    .sort((a, b) => b.times - a.times)
    .slice(0, shownErrors)
    .map(({ time, store, who, member, by, command, keys, times, text }) => {
      const whom = by === 'key' ? `${member} by its key, ${who}` : who;
      const often = times === 1 ? '' : ` ${times} times`;
      const names = keys.map((key) => ` "${key}"`).join('');
      return `  ${formatTime(time)} ${store} to ${whom}${often}: ${command}${names}: ${text}`;
    });
  const more = errors.length - shownErrors;
  return [title, ...lines, ...(more > 0 ? [`  and ${more} more`] : [])].join('\n');
}

/** Formats the outcome of an entity's members as text; `outputOf` gives the end of the file that shows a cause. */
export function formatEntity(log: EntityLog, outputOf: (file: string) => FailureOutput): string {
  const states = ['completed', 'running', 'failed', 'interrupted', 'pending'] as const;
  const counts = states.filter((state) => log[state] > 0).map((state) => `${log[state]} ${state}`);
  const lines = [`${log.name}: ${counts.join(', ')}`];
  if (log.skipped !== undefined) lines.push(`  skipped: ${describeSkip(log.skipped)}`);
  for (const cause of log.causes) {
    const { file, lines: last } = outputOf(cause.output);
    lines.push(`  ${describeFailures(log.name, cause)}`, `    ${file} ${last.length === 0 ? 'is empty' : 'ends:'}`);
    lines.push(...last.map((line) => `      ${line}`.trimEnd()));
  }
  for (const one of log.interruptions) lines.push(`  ${describeInterruption(log.name, one)}`);
  if (log.repeated.length > 0) {
    const names = log.repeated.map(({ name, attempts }) => `${name} (${attempts})`);
    lines.push(`  tried more than once: ${someOf(names)}`);
  }
  return lines.join('\n');
}
