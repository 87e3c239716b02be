import { Refused } from '../../refused.js';
import type { Ignored } from '../words.js';

/** Options of Cobalt's qsub that take a value: the short name, if it has one, and the long one. */
const withValue = [
  ['-A', '--project'],
  ['-e', '--error'],
  ['-i', '--inputfile'],
  ['-K', '--kerneloptions'],
  ['-M', '--notify'],
  ['-n', '--nodecount'],
  ['-o', '--output'],
  ['-O', '--outputprefix'],
  ['-q', '--queue'],
  ['-t', '--time'],
  ['-u', '--umask'],
  ['--attrs'],
  ['--cwd'],
  ['--debuglog'],
  ['--dependencies'],
  ['--env'],
  ['--geometry'],
  ['--jobname'],
  ['--kernel'],
  ['--mode'],
  ['--proccount'],
  ['--run_users'],
] as const;

/** Flags. */
const alone = [['-d', '--debug'], ['-h', '--held'], ['-v', '--verbose'], ['--preemptable'], ['--run_project']] as const;

/** A submission as qsub reads it. */
export interface CobaltJob {
  /** Options by their long names. */
  readonly options: Readonly<Record<string, string>>;
  readonly ignored: readonly Ignored[];
  /** Things that qsub takes without a word, and nobody means. */
  readonly doubts: readonly string[];
  /** Arguments after the options: the script and its arguments. */
  readonly command: readonly string[];
}

function refused(text: string): Refused {
  return new Refused(text, 1);
}

/**
 * Reads a submission: words of the command line, which count more, and the script's `#COBALT` lines: from the second line on, only until the
 * first other line, a comment too; words are parted by blanks, and quotes are a part of them.
 *
 * @throws Refused for what qsub refuses.
 */
export function readCobalt(script: string, argv: readonly string[] = []): CobaltJob {
  const [interpreter = '', ...rest] = script.split('\n');
  if (!interpreter.startsWith('#!')) throw refused('the script does not begin with #!: it cannot be run');
  const end = rest.findIndex((line) => !/^#COBALT\s/.test(line));
  const read = rest.slice(0, end < 0 ? undefined : end);
  const ignored = rest.flatMap((text, index): Ignored[] =>
    index >= read.length && /^#COBALT\s/.test(text)
      ? [{ line: index + 2, text, why: 'it does not stand directly under #!' }]
      : [],
  );
  const words = read.flatMap((line) =>
    line
      .split(/\s+/)
      .slice(1)
      .filter((word) => word !== ''),
  );
  const doubts: string[] = [];
  const own = readWords(words, doubts);
  // The first word that is no option would be the program to run.
  if (own.command.length > 0) throw refused(`qsub: no such option: ${own.command[0]}`);
  const given = readWords(argv, []);
  const options = { ...own.options, ...given.options };
  const missing = ['--time', '--nodecount'].filter((name) => options[name] === undefined);
  if (missing.length > 0) throw refused(`Not all required arguments provided: ${missing.join(', ')} needed`);
  if (!/^\d+$|^\d+:\d{1,2}(:\d{1,2})?$/.test(options['--time'] ?? '')) throw refused('invalid time specification');
  if (!/^[1-9]\d*$/.test(options['--nodecount'] ?? '')) throw refused('non-integer node count specified');
  const odd = options['--dependencies']?.split(':').find((id) => !/^\d+$/.test(id));
  if (odd !== undefined && options['--dependencies'] !== 'none') throw refused(`jobid ${odd} is not an integer`);
  return { options, ignored, doubts, command: given.command };
}

function readWords(all: readonly string[], doubts: string[]): Pick<CobaltJob, 'options' | 'command'> {
  const options: Record<string, string> = {};
  const words = [...all];
  while (/^-./.test(words[0] ?? '')) {
    const word = words.shift() as string;
    const [, long, joined] = /^(--[^=]+)(?:=(.*))?$/s.exec(word) ?? [];
    const [name, attached] = long === undefined ? [word.slice(0, 2), word.slice(2) || undefined] : [long, joined];
    const flag = optionNamed(alone, name);
    const option = flag ?? optionNamed(withValue, name);
    if (option === undefined) throw refused(`qsub: no such option: ${word}`);
    const title = option.at(-1) as string;
    if (options[title] !== undefined) doubts.push(`${title} is there twice`);
    const value = flag !== undefined ? '' : (attached ?? words.shift());
    if (value === undefined) throw refused(`qsub: ${word} option requires an argument`);
    options[title] = value;
  }
  return { options, command: words };
}

/** An option by its name, or by the start of a long name that no other has. */
function optionNamed(all: readonly (readonly string[])[], name: string): readonly string[] | undefined {
  const exact = all.find((names) => names.includes(name));
  if (exact !== undefined || !name.startsWith('--')) return exact;
  const known = [...withValue, ...alone].filter((names) => names.some((one) => one.startsWith(name)));
  return known.length === 1 ? all.find((names) => names === known[0]) : undefined;
}
