import { Refused } from '../../refused.js';

/** Options that take one word. */
const valued =
  '-@ -A -a -ac -ar -b -c -C -ckpt -dc -dl -display -e -hold_jid -hold_jid_ad -i -j -jc -js -jsv -l -m -M -masterq -N -now -o -p -P -q -r -R -S -shell -si -sync -t -tc -u -v -w -wd'.split(
    ' ',
  );

/** Flags. */
const alone = '-clear -cwd -hard -soft -help -notify -nostdin -verify -V -terse'.split(' ');

/** Names that a cell knows; without them each is taken for one that it has. */
export interface SgeCell {
  readonly environments: readonly string[];
  readonly queues: readonly string[];
  readonly resources: readonly string[];
  readonly projects: readonly string[];
}

/** A submission as qsub reads it. */
export interface SgeJob {
  /** Last values by option; `-l` has all resources, each with its last value. */
  readonly options: Readonly<Record<string, string>>;
  readonly resources: ReadonlyMap<string, string>;
  /** Things that qsub takes without a word, and nobody means. */
  readonly doubts: readonly string[];
}

type Source = 'command line' | 'script';

function fault(source: Source, text: string, code: number): Refused {
  return new Refused(
    source === 'script' ? `Unable to read script file because of error: ${text}` : `qsub: ${text}`,
    code,
  );
}

/** A refusal by the master. */
export function rejected(text: string): Refused {
  return new Refused(`Unable to run job: ${text}\nExiting.`, 1);
}

const values: Readonly<Record<string, readonly [RegExp, (value: string) => string]>> = {
  '-j': [/^(y|n|yes|no)$/i, (value) => `invalid option argument "-j ${value}"`],
  '-r': [/^(y|n|yes|no)$/i, (value) => `invalid option argument "-r ${value}"`],
  '-R': [/^(y|n|yes|no)$/i, (value) => `invalid option argument "-R ${value}"`],
  '-b': [/^(y|n|yes|no)$/i, (value) => `invalid option argument "-b ${value}"`],
  '-sync': [/^(y|n|yes|no)$/i, (value) => `invalid option argument "-sync ${value}"`],
  '-w': [/^[ewnvp]$/, (value) => `invalid option argument "-w ${value}"`],
  '-m': [/^[beasn]+$/, (value) => `Wrong mail options list format "${value}" specified to -m option`],
  '-tc': [/^\d+$/, (value) => `invalid task concurrency number "${value}". Must be an integer greater or equal to 0.`],
  '-t': [/^\d+(-\d+(:\d+)?)?$/, () => '-t option only allows one range specification'],
  '-p': [/^-?\d{1,4}$/, (value) => `invalid priority "${value}".  Must be an integer from -1023 to 1024`],
  '-a': [/^\d{8,12}(\.\d\d)?$/, (value) => `Wrong date/time format "${value}" specified to -a option`],
};

/**
 * Reads a submission: lines of the script that begin with `#$`, wherever they stand, and the words of the command line, which count more. Quotes of
 * both kinds group, a backslash is a character like any other, and a `#` ends the line, whatever quotes are around it.
 *
 * @throws Refused for what qsub refuses.
 */
export function readSge(script: string, argv: readonly string[] = [], cell?: SgeCell): SgeJob {
  const options: Record<string, string> = {};
  const resources = new Map<string, string>();
  const doubts: string[] = [];
  const words = script.split('\n').flatMap((line) => (line.startsWith('#$') ? wordsOf(line.slice(2)) : []));
  readWords(words, 'script', { options, resources, doubts });
  const given: SgeJob & { options: Record<string, string> } = { options: {}, resources, doubts: [] };
  readWords(argv, 'command line', { options: given.options, resources, doubts: [] });
  Object.assign(options, given.options);
  if (resources.size > 0) options['-l'] = [...resources].map(([one, value]) => `${one}=${value}`).join(',');
  check(options, resources, cell);
  return { options, resources, doubts };
}

interface Into {
  readonly options: Record<string, string>;
  readonly resources: Map<string, string>;
  readonly doubts: string[];
}

function readWords(all: readonly string[], source: Source, { options, resources, doubts }: Into): void {
  const words = [...all];
  const put = (option: string, value: string) => {
    if (options[option] !== undefined && option !== '-l') doubts.push(`${option} is there twice`);
    options[option] = value;
  };
  while (words.length > 0) {
    const option = words.shift() as string;
    if (alone.includes(option)) put(option, '');
    // The kinds of holds may be left out.
    else if (option === '-h') put(option, /^[usonUOS]+$/.test(words[0] ?? '') ? (words.shift() as string) : 'u');
    else if (option === '-pe') put(option, environmentOf(words.splice(0, 2), source));
    else if (option === '-binding')
      put(option, words.splice(0, /^(env|pe|set)$/.test(words[0] ?? '') ? 2 : 1).join(' '));
    else if (valued.includes(option)) {
      const value = words.shift();
      if (value === undefined || value === '') throw fault(source, `${option} option must have argument`, 2);
      const [pattern, text] = values[option] ?? [];
      if (pattern?.test(value) === false) throw fault(source, text?.(value) ?? value, 7);
      put(option, value);
      if (option === '-l') for (const [name, amount] of requests(value)) resources.set(name, amount);
    } else if (option.startsWith('-')) throw fault(source, `invalid option argument "${option}"`, 2);
    else throw new Refused(`qsub: Unknown option ${option}`, 5);
  }
}

/** A resource without a value is a condition that is to be true. */
function requests(text: string): [string, string][] {
  return text.split(/[, ]/).map((one) => {
    const at = one.indexOf('=');
    return at < 0 ? [one, 'TRUE'] : [one.slice(0, at), one.slice(at + 1)];
  });
}

function environmentOf([name, slots]: readonly string[], source: Source): string {
  if (name === undefined || slots === undefined) throw fault(source, '-pe option must have range as 2nd argument', 2);
  if (!/^\d+(-\d*)?$/.test(slots))
    throw fault(
      source,
      `Numerical value invalid!\nThe initial portion of string "${slots}" contains no decimal number`,
      7,
    );
  return `${name} ${slots}`;
}

/** Names of resources that every cell has, with the form of their values. */
const kinds: readonly (readonly [RegExp, RegExp, string])[] = [
  [/^[hs]_(rt|cpu)$/, /^(\d+(:\d+){0,2}|:\d+:\d+|\d+[smhd]|infinity)$/i, 'time'],
  [
    /^([hs]_(vmem|data|stack|rss|core|fsize)|(mem|swap|virtual)_(free|total|used)|mem)$/,
    /^\d+(\.\d+)?[kmg]?$/i,
    'memory',
  ],
  [/^(slots|num_proc|gpus?|ngpus)$/, /^\d+$/, 'integer'],
];

const everywhere =
  /^(arch|hostname|qname|calendar|load_\w+|np_load_\w+|cpu|m_\w+|tmpdir|seq_no|rerun|priority|min_cpu_interval|display_win_gui|swap_\w+|load_avg)$/;

function check(
  options: Readonly<Record<string, string>>,
  resources: ReadonlyMap<string, string>,
  cell: SgeCell | undefined,
): void {
  const name = options['-N'] ?? '';
  if (/^\d/.test(name)) throw rejected(`denied: "${name}" is not a valid object name (cannot start with a digit)`);
  const odd = /[\n\t\r/:@\\*?]/.exec(name)?.[0];
  if (odd !== undefined)
    throw rejected(
      `${{ ':': 'Colon', '@': 'At', '/': 'Slash' }[odd] ?? 'Character'} ('${odd}') not allowed in objectname`,
    );
  if (Math.abs(Number(options['-p'] ?? 0)) > 1024)
    throw fault('script', values['-p']?.[1](options['-p'] ?? '') ?? '', 7);
  if (/^0/.test(options['-t'] ?? '')) throw rejected('job rejected: 0 is an invalid task id');
  const [environment = '', slots = '1'] = options['-pe']?.split(' ') ?? [];
  if (Number.parseInt(slots, 10) === 0) throw rejected('"job" rejected: pe range must be greater than zero');
  if (/\S\s+\S/.test(options['-A'] ?? '')) throw rejected('Error reading answer list from qmaster');
  for (const [one, value] of resources) {
    const kind = kinds.find(([names]) => names.test(one));
    if (kind?.[1].test(value) === false) throw rejected(`attribute "${one}" is not a ${kind[2]} value`);
    const isKnown =
      cell === undefined ||
      kind?.[2] === 'time' ||
      kind?.[2] === 'memory' ||
      everywhere.test(one) ||
      cell.resources.includes(one);
    if (!isKnown) throw rejected(`unknown resource "${one}"`);
  }
  if (cell === undefined) return;
  if (environment !== '' && !cell.environments.includes(environment)) {
    throw rejected(`job rejected: the requested parallel environment "${environment}" does not exist`);
  }
  const queue = options['-q'];
  if (queue !== undefined && !cell.queues.includes(queue.split('@')[0] ?? '')) {
    throw rejected(`Job was rejected because job requests unknown queue "${queue}"`);
  }
  if (options['-P'] !== undefined && !cell.projects.includes(options['-P'])) {
    throw rejected(`job rejected: the requested project "${options['-P']}" does not exist`);
  }
  if (options['-ar'] !== undefined) throw rejected(`the advance reservation id ${options['-ar']} is invalid`);
  if (options['-ckpt'] !== undefined) {
    throw rejected(`job rejected: the requested checkpointing environment "${options['-ckpt']}" does not exist`);
  }
}

function wordsOf(line: string): string[] {
  const [text = ''] = line.split('#');
  const words = text.match(/(?:"[^"]*"?|'[^']*'?|[^\s"'])+/g) ?? [];
  return words.map((word) => word.replace(/"([^"]*)"?|'([^']*)'?/g, (_, double, single) => double ?? single));
}
