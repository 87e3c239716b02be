import { parseArgs } from 'node:util';

/** Wrong words on the command line: shown with the usage, exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** The words of one verb: its name, one operand, whole-number options, and what follows `--`. */
export interface VerbArguments {
  readonly operand: string;
  readonly numbers: Readonly<Record<string, number | undefined>>;
  readonly texts: Readonly<Record<string, string | undefined>>;
  readonly line: readonly string[];
}

/** Arguments that a verb takes. */
export interface VerbSyntax {
  /** Name of the operand; the verb takes none if it is absent. */
  readonly operand?: string;
  readonly numbers?: readonly string[];
  readonly texts?: readonly string[];
  /** Use of words after `--`: needed, allowed, or refused. */
  readonly line?: 'needed' | 'optional';
}

/** Reads a verb's words. Throws UsageError. */
export function parseVerb(words: readonly string[], syntax: VerbSyntax): VerbArguments {
  const split = words.indexOf('--');
  const own = split === -1 ? [...words] : words.slice(0, split);
  const line = split === -1 ? [] : words.slice(split + 1);
  const { numbers = [], texts = [] } = syntax;
  const { values, positionals } = parseStrictly(own, [...numbers, ...texts]);
  const expected = syntax.operand === undefined ? 0 : 1;
  if (positionals.length !== expected) {
    throw new UsageError(expected === 0 ? `'${positionals[0]}' is not expected` : `one ${syntax.operand} is expected`);
  }
  if (syntax.line === 'needed' && line.length === 0) throw new UsageError("the launch line is missing: '-- PROGRAM …'");
  if (syntax.line === undefined && line.length > 0) throw new UsageError(`'${line[0]}' is not expected`);
  return {
    operand: positionals[0] ?? '',
    numbers: Object.fromEntries(numbers.map((name) => [name, wholeNumber(name, values[name])])),
    texts: Object.fromEntries(texts.map((name) => [name, values[name]])),
    line,
  };
}

/** Launch lines that stand in one, with `--` between them. Throws UsageError for an empty one. */
export function launchesOf(line: readonly string[]): string[][] {
  const launches: string[][] = [[]];
  for (const word of line) {
    if (word === '--') launches.push([]);
    else launches.at(-1)?.push(word);
  }
  if (launches.some(({ length }) => length === 0)) throw new UsageError("a launch line is missing after '--'");
  return launches;
}

function parseStrictly(
  words: string[],
  names: readonly string[],
): { values: Readonly<Record<string, string | undefined>>; positionals: readonly string[] } {
  try {
    const options = Object.fromEntries(names.map((name) => [name, { type: 'string' as const }]));
    return parseArgs({ args: words, options, allowPositionals: true, strict: true });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function wholeNumber(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new UsageError(`--${name} ${text}: a whole number is expected`);
}
