import type { Refused } from '../refused.js';

/** An option as a launcher's own parser has it. */
export interface KnownOption {
  /** All of its names: with their dashes, or without where one dash and two mean the same. */
  readonly names: readonly string[];
  /** Pattern of its value; absent for a flag. */
  readonly value?: RegExp;
  /** Number of words of its value, where they are two. */
  readonly words?: 2;
  /** It may come again, and all of its values count. */
  readonly repeats?: true;
  /** It is of the whole line, wherever it stands. */
  readonly once?: true;
}

/** A program of a launch. */
export interface LaunchedProgram {
  /** Last values of its options by the first of their names; a flag's is its name without dashes, as it was written. */
  readonly options: Readonly<Record<string, string>>;
  /** All values of each option. Two words of one value are parted by a blank. */
  readonly all: Readonly<Record<string, readonly string[]>>;
  readonly command: readonly string[];
}

/** A line as a launcher reads it. */
export interface ReadLaunch {
  readonly programs: readonly LaunchedProgram[];
  /** Things that the launcher takes without a word, and that nobody means: an option twice, one that means nothing where it stands. */
  readonly doubts: readonly string[];
}

/** Faults that each launcher reports in words of its own. */
export type Fault = 'unknown' | 'value' | 'missing' | 'twice' | 'flag' | 'no program';

/** Option parser of a launcher. */
export interface LauncherGrammar {
  /** Dialect: names by one dash or two; the same with `-name=value`; or as getopt has them, `-nVALUE` and `--name=value`. */
  readonly style: 'any dashes' | 'any dashes, joined' | 'getopt';
  readonly options: readonly KnownOption[];
  /** Several programs are parted by `:`. */
  readonly parts: boolean;
  /** An option that comes again is refused; otherwise the last one counts. */
  readonly refusesTwice: boolean;
  refusal(fault: Fault, option: string, value: string | undefined): Refused;
  /** Throws a refusal of options that do not go together; returns doubts. */
  check?(programs: readonly LaunchedProgram[]): readonly string[] | undefined;
}

/** Flags from their names, parted by blanks; those of one flag are parted by `|`. */
export function flags(names: string): KnownOption[] {
  return names.split(' ').map((one) => ({ names: one.split('|') }));
}

/** Options with any value, from their names as in {@link flags}. */
export function valued(names: string): KnownOption[] {
  return flags(names).map((one) => ({ ...one, value: /^[\s\S]*$/ }));
}

/**
 * Reads the words after a launcher as it does: options up to the first other word, which is the program.
 *
 * @throws Refused for what the launcher refuses.
 */
export function readLaunch(grammar: LauncherGrammar, words: readonly string[]): ReadLaunch {
  const parts: string[][] = [[]];
  for (const word of words) {
    if (grammar.parts && word === ':') parts.push([]);
    else parts.at(-1)?.push(word);
  }
  const doubts: string[] = [];
  const seen = new Map<string, number>();
  const programs = parts.map((part, index) => readProgram(grammar, part, index, seen, doubts));
  doubts.push(...(grammar.check?.(programs) ?? []));
  return { programs, doubts };
}

function readProgram(
  grammar: LauncherGrammar,
  words: readonly string[],
  index: number,
  ofLine: Map<string, number>,
  doubts: string[],
): LaunchedProgram {
  const all: Record<string, string[]> = {};
  const left = [...words];
  while (/^-./.test(left[0] ?? '')) {
    const word = left.shift() as string;
    if (word === '--' && grammar.style !== 'any dashes, joined') break;
    const { option, name, joined } = find(grammar, word);
    const first = option.names[0] as string;
    const place = option.once === true ? ofLine.get(first) : all[first] === undefined ? undefined : index;
    if (place !== undefined && option.repeats !== true) {
      if (grammar.refusesTwice) throw grammar.refusal('twice', name, undefined);
      doubts.push(`${name} is there twice: the last one counts`);
    }
    if (option.once === true && index > 0) doubts.push(`${name} holds for all programs of the line`);
    if (option.once === true) ofLine.set(first, index);
    const value = readValue(grammar, option, name, joined, left);
    all[first] = [...(all[first] ?? []), value];
  }
  return {
    options: Object.fromEntries(Object.entries(all).map(([key, list]) => [key, list.at(-1) ?? ''])),
    all,
    command: left,
  };
}

interface Found {
  readonly option: KnownOption;
  readonly name: string;
  readonly joined: string | undefined;
}

function find(grammar: LauncherGrammar, word: string): Found {
  const { options, style } = grammar;
  const named = (name: string) => options.find(({ names }) => names.includes(name));
  if (style !== 'getopt') {
    const [, bare = ''] = /^--?(.*)$/s.exec(word) ?? [];
    const [, start = bare, joined] = (style === 'any dashes' ? null : /^([^=]+)=(.*)$/s.exec(bare)) ?? [];
    const option = named(start);
    if (option === undefined) throw grammar.refusal('unknown', word, undefined);
    return { option, name: word, joined };
  }
  const [, long = word, joined] = /^(--[^=]+)=(.*)$/s.exec(word) ?? [];
  const exact = named(long);
  if (exact !== undefined) return { option: exact, name: long, joined };
  if (word.startsWith('--')) {
    // getopt takes the start of a name that no other option has.
    const [option, ...others] = options.filter(({ names }) => names.some((one) => one.startsWith(long)));
    if (option === undefined || others.length > 0) throw grammar.refusal('unknown', word, undefined);
    return { option, name: long, joined };
  }
  const option = named(word.slice(0, 2));
  if (option?.value === undefined) throw grammar.refusal('unknown', word, undefined);
  return { option, name: word.slice(0, 2), joined: word.slice(2) };
}

function readValue(
  grammar: LauncherGrammar,
  option: KnownOption,
  name: string,
  joined: string | undefined,
  left: string[],
): string {
  if (option.value === undefined) {
    if (joined !== undefined && grammar.style === 'getopt') throw grammar.refusal('flag', name, joined);
    // hydra reads it as the next word.
    if (joined !== undefined) left.unshift(joined);
    return name.replace(/^-+/, '').replace(/=.*/s, '');
  }
  if (option.words === 2 && joined !== undefined) return joined.replace('=', ' ');
  const values = joined === undefined ? left.splice(0, wordsOf(grammar, option, left)) : [joined];
  if (values.length === 0) throw grammar.refusal('missing', name, undefined);
  const value = values.join(' ');
  if (values.some((one) => option.value?.test(one) === false)) throw grammar.refusal('value', name, value);
  return value;
}

/** hydra takes `A=1` for both words of a value. */
function wordsOf({ style }: LauncherGrammar, { words }: KnownOption, [first = '', ...rest]: readonly string[]): number {
  if (words === undefined) return 1;
  if (style === 'any dashes, joined' && first.includes('=')) return 1;
  return rest.length === 0 ? 0 : 2;
}

/** Launch lines of a script by a launcher's program: the words after it, without quotes and redirections. */
export function launchLines(script: string, program: string): string[][] {
  return script
    .replace(/ \\\n\s*/g, ' ')
    .split('\n')
    .flatMap((line) => {
      const words = (line.match(/(?:"(?:[^"\\]|\\.)*"|'[^']*'|[^\s"'])+/g) ?? []).map((word) =>
        word.replace(/^'([^']*)'$/, '$1'),
      );
      const at = words.indexOf(program);
      if (at < 0 || !/^\s*(\d+\) )?runtime (up|launch|hold)\b/.test(line)) return [];
      const end = words.findIndex((word, place) => place > at && /^(&|;;|\|\||<|>)/.test(word));
      return [words.slice(at + 1, end < 0 ? undefined : end)];
    });
}
