import { WorkflowError } from '../diagnostics/index.js';
import { directiveHint } from '../ir/index.js';

/*
 * One function for each place that text can land in. A command stays an array of words until one of these joins it.
 */

/** A word of a bash command line. Words that need no quotes get none. */
export function quoteShellWord(word: string): string {
  if (/^[A-Za-z0-9_./:=@%+,-]+$/.test(word)) return word;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  if (/[\x00-\x1f\x7f]/.test(word)) return `$'${word.replace(/[\\'\x00-\x1f\x7f]/g, escapeInAnsi)}'`;
  // Single quotes where nothing inside looks like an expansion or an escape, so that what is meant is plain to a reader.
  if (/['$`\\]/.test(word)) return `"${word.replace(/["$`\\]/g, '\\$&')}"`;
  return `'${word}'`;
}

function escapeInAnsi(character: string): string {
  if (character === '\n') return '\\n';
  if (character === '\t') return '\\t';
  if (character === '\\' || character === "'") return `\\${character}`;
  return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
}

/** A command line for bash. */
export function quoteShell(words: readonly string[]): string {
  return words.map(quoteShellWord).join(' ');
}

/**
 * A value of an `#SBATCH`, `#PBS` or `#BSUB` line. All of them read a line much as a shell does, without expansions: double
 * quotes group, and a backslash takes the meaning from a double quote or a backslash inside them. Throws DSL1001 for a line break, which
 * would start another line.
 */
export function quoteDirectiveValue(value: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
  if (/[\x00-\x1f\x7f]/.test(value)) {
    throw new WorkflowError({
      code: 'DSL1001',
      message: `${JSON.stringify(value)} cannot stand in a directive`,
      hint: directiveHint,
    });
  }
  if (/^[A-Za-z0-9_./:=@%+,^-]+$/.test(value)) return value;
  return `"${value.replace(/["\\]/g, '\\$&')}"`;
}

/** True if a directive's value is one word for a scheduler that parts a line at blanks and knows no quotes. */
export function isPlainDirectiveValue(value: string): boolean {
  return /^\S+$/.test(value);
}

/** Text in a `#` comment: one line. */
export function quoteComment(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters would end the comment
  return text.replace(/[\x00-\x1f\x7f]+/g, ' ');
}
