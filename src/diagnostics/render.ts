import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import type { SourceLocation } from './source-location.js';
import type { Problem } from './workflow-error.js';

/** How to print problems. */
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
  const paint = options.colour === true ? colours : plain;
  const tone = problem.severity === 'error' ? paint.red : paint.yellow;
  const lines = [`${tone(`${problem.severity}[${problem.code}]`)}${paint.bold(`: ${problem.message}`)}`];
  if (problem.at !== undefined) lines.push(...frame(problem.at, options.cwd, paint));
  if (problem.hint !== undefined) lines.push(`   ${paint.cyan('hint:')} ${problem.hint}`);
  return lines.join('\n');
}

/** All problems, each followed by an empty line, and a count. */
export function renderProblems(problems: readonly Problem[], options: RenderOptions): string {
  const errors = problems.filter((problem) => problem.severity === 'error').length;
  const warnings = problems.length - errors;
  const counts = [count(errors, 'error'), count(warnings, 'warning')].filter((text) => text !== '');
  return [...problems.map((problem) => `${renderProblem(problem, options)}\n`), counts.join(', ')].join('\n');
}

/** `1 member`, `2 members`, and nothing for 0. */
function count(n: number, noun: string): string {
  return n === 0 ? '' : `${n} ${noun}${n === 1 ? '' : 's'}`;
}

function frame(at: SourceLocation, cwd: string, paint: Paint): string[] {
  const shown = relative(cwd, at.file);
  const place = `  ${paint.blue('-->')} ${shown.startsWith('../../') ? at.file : shown}:${at.line}:${at.column}`;
  const source = sourceLine(at);
  if (source === undefined) return [place];
  const number = String(at.line);
  const gutter = ' '.repeat(number.length);
  const before = source.slice(0, at.column - 1).replace(/[^\t]/g, ' ');
  const word = /^[\w$]+|^;[^;]*;/.exec(source.slice(at.column - 1))?.[0] ?? '^';
  return [
    place,
    paint.blue(`${gutter} |`),
    `${paint.blue(`${number} |`)} ${source}`,
    `${paint.blue(`${gutter} |`)} ${before}${paint.red('^'.repeat(word.length))}`,
  ];
}

function sourceLine(at: SourceLocation): string | undefined {
  try {
    return readFileSync(at.file, 'utf8')
      .split(/\r?\n/)
      [at.line - 1]?.replace(/[^\t\P{Cc}]/gu, '?');
  } catch {
    return undefined;
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
