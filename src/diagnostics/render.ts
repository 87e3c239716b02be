import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import type { SourceLocation } from './source-location.js';
import { counted } from './text.js';
import type { Problem } from './workflow-error.js';

/** Options of printing problems. */
export interface RenderOptions {
  /** Paths are shown relative to this folder. */
  readonly cwd: string;
  readonly colour?: boolean;
}

/**
 * A problem as text: code and message, the place with its line of source, the hint.
 *
 * ```
 * error[REF1001]: .after('simulatoin'): there is no entity of that name
 *   --> workflow.ts:12:6
 *    |
 * 12 |     .after('simulatoin')
 *    |      ^^^^^
 *    hint: did you mean 'simulation'?
 * ```
 */
export function renderProblem(problem: Problem, options: RenderOptions): string {
  return render(problem, options, new Map());
}

/** Lines of the files that have been read, so that a file with many problems is read once. */
type Sources = Map<string, readonly string[]>;

function render(problem: Problem, options: RenderOptions, sources: Sources): string {
  const paint = options.colour === true ? colours : plain;
  const tone = problem.severity === 'error' ? paint.red : paint.yellow;
  const lines = [`${tone(`${problem.severity}[${problem.code}]`)}${paint.bold(`: ${problem.message}`)}`];
  if (problem.at !== undefined) lines.push(...frame(problem.at, options.cwd, paint, sources));
  if (problem.hint !== undefined) lines.push(`   ${paint.cyan('hint:')} ${problem.hint}`);
  return lines.join('\n');
}

/** All problems, each followed by an empty line, and a count. */
export function renderProblems(problems: readonly Problem[], options: RenderOptions): string {
  const errors = problems.filter((problem) => problem.severity === 'error').length;
  const warnings = problems.length - errors;
  const counts = [errors > 0 ? counted(errors, 'error') : '', warnings > 0 ? counted(warnings, 'warning') : ''];
  const sources: Sources = new Map();
  return [
    ...problems.map((problem) => `${render(problem, options, sources)}\n`),
    counts.filter((text) => text !== '').join(', '),
  ].join('\n');
}

function frame(at: SourceLocation, cwd: string, paint: Paint, sources: Sources): string[] {
  const shown = relative(cwd, at.file);
  const place = `  ${paint.blue('-->')} ${shown.startsWith('../../') ? at.file : shown}:${at.line}:${at.column}`;
  const source = sourceLine(at, sources);
  if (source === undefined) return [place];
  const number = String(at.line);
  const gutter = ' '.repeat(number.length);
  const { shown: text, start } = part(source, at.column - 1);
  const before = text.slice(0, start).replace(/[^\t]/g, ' ');
  const word = /^[\w$]+|^;[^;]*;/.exec(text.slice(start))?.[0] ?? '^';
  return [
    place,
    paint.blue(`${gutter} |`),
    `${paint.blue(`${number} |`)} ${text}`,
    `${paint.blue(`${gutter} |`)} ${before}${paint.red('^'.repeat(word.length))}`,
  ];
}

/** Characters of a line of source that are shown: some files are one line. */
const shownWidth = 160;

/** The part of a line around a place in it, and where in that part the place is. */
function part(line: string, at: number): { readonly shown: string; readonly start: number } {
  if (line.length <= shownWidth) return { shown: line, start: at };
  const from = Math.max(0, Math.min(at - shownWidth / 2, line.length - shownWidth));
  const head = from > 0 ? '…' : '';
  const tail = from + shownWidth < line.length ? '…' : '';
  return { shown: `${head}${line.slice(from, from + shownWidth)}${tail}`, start: at - from + head.length };
}

function sourceLine(at: SourceLocation, sources: Sources): string | undefined {
  let lines = sources.get(at.file);
  if (lines === undefined) {
    lines = linesOf(at.file);
    sources.set(at.file, lines);
  }
  return lines[at.line - 1]?.replace(/[^\t\P{Cc}]/gu, '?');
}

/** Lines of a file; none of one that cannot be read. */
function linesOf(file: string): readonly string[] {
  try {
    return readFileSync(file, 'utf8').split(/\r?\n/);
  } catch {
    return [];
  }
}

type Painter = (text: string) => string;
type Paint = Readonly<Record<'red' | 'yellow' | 'blue' | 'cyan' | 'bold', Painter>>;

const ansi =
  (code: number): Painter =>
  (text) =>
    `\u001b[${code}m${text}\u001b[0m`;
const same: Painter = (text) => text;
const colours: Paint = { red: ansi(31), yellow: ansi(33), blue: ansi(34), cyan: ansi(36), bold: ansi(1) };
const plain: Paint = { red: same, yellow: same, blue: same, cyan: same, bold: same };
