import { Refused } from '../../refused.js';
import { type Ignored, shellWords } from '../words.js';

/** Options of qsub, as getopt writes them: a colon after those with a value. */
const letters = 'a:A:c:C:e:fhj:J:k:l:m:M:N:o:p:P:q:r:R:S:u:v:VW:XzI';

/** Resources of a job as a whole, which no chunk may have. */
const jobWide = ['walltime', 'place', 'select', 'nodes', 'soft_walltime', 'min_walltime', 'max_walltime'];

/** Host resources that every server has; sites add theirs. */
const knownResources = [
  'ncpus',
  'mpiprocs',
  'ompthreads',
  'mem',
  'vmem',
  'pmem',
  'host',
  'vnode',
  'arch',
  'naccelerators',
];

const usage =
  'usage: qsub [-a date_time] [-A account_string] [-c interval]\n\t[-C directive_prefix] [-e path] [-f ] [-h ] …';

/** A submission as qsub reads it: options by letter, and those of `-l` by resource; `select` as chunks. */
export interface PbsJob {
  readonly options: Readonly<Record<string, string>>;
  readonly resources: Readonly<Record<string, string>>;
  /** Resources of each chunk; a chunk that is asked for several times stands there as often. */
  readonly chunks: readonly Readonly<Record<string, string>>[];
  readonly ignored: readonly Ignored[];
  /** Things that qsub takes without a word, and nobody means. */
  readonly doubts: readonly string[];
}

/** Reads options; `fault` makes the refusal of a word. */
function readOptions(words: string[], into: Options, fault: (said?: string) => Refused): string[] {
  while (/^-./.test(words[0] ?? '')) {
    const word = words.shift() as string;
    if (word === '--') break;
    const letter = word[1] as string;
    const at = letter === ':' ? -1 : letters.indexOf(letter);
    if (at < 0) throw fault(`qsub: invalid option -- '${letter}'`);
    if (letters[at + 1] !== ':') {
      into.take(letter, '');
      if (word.length > 2) words.unshift(`-${word.slice(2)}`);
      continue;
    }
    const value = word.slice(2) || words.shift();
    if (value === undefined) throw fault(`qsub: option requires an argument -- '${letter}'`);
    into.take(letter, value);
  }
  return words;
}

class Options {
  readonly options: Record<string, string> = {};
  readonly resources: Record<string, string> = {};
  readonly doubts: string[] = [];
  /** Options of the command line, which count more than those of the script. */
  fixed: readonly string[] = [];

  take(letter: string, value: string): void {
    if (letter !== 'l') {
      this.#put(this.options, `-${letter}`, letter, value);
      return;
    }
    for (const part of value.split(/,(?=[A-Za-z_][\w.-]*=?)/)) {
      const [, name, amount] = /^([A-Za-z_][\w.-]*)=(.+)$/s.exec(part) ?? [];
      if (name === undefined || amount === undefined) throw new Refused(`qsub: illegal -l value\n${usage}`, 2);
      this.#put(this.resources, `-l ${name}`, name, amount);
    }
  }

  #put(into: Record<string, string>, title: string, name: string, value: string): void {
    if (this.fixed.includes(title)) return;
    if (into[name] !== undefined) this.doubts.push(`${title} is there twice`);
    into[name] = value;
  }

  close(): void {
    this.fixed = [
      ...Object.keys(this.options).map((name) => `-${name}`),
      ...Object.keys(this.resources).map((name) => `-l ${name}`),
    ];
  }
}

/**
 * Reads a submission: the words of the command line without the script's name, and the script's directives up to the first line that is no
 * comment, with quotes as a shell has them.
 *
 * @throws Refused for what qsub refuses.
 */
export function readPbs(script: string, words: readonly string[] = []): PbsJob {
  const read = new Options();
  readOptions([...words], read, (said) => new Refused(`${said}\n${usage}`, 2));
  read.close();
  if (/\r$/m.test(script)) throw new Refused('qsub: script contains cr, lf', 1);
  const prefix = `#${(read.options['C'] ?? '#PBS').replace(/^#/, '')}`;
  const ignored: Ignored[] = [];
  let ended = false;
  for (const [index, line] of script.split('\n').entries()) {
    const [, text] = new RegExp(`^\\s*${prefix.replace(/[^\w#]/g, '\\$&')}(.*)$`).exec(line) ?? [];
    ended ||= !/^\s*(#|$)/.test(line);
    if (text === undefined) continue;
    if (ended) {
      ignored.push({ line: index + 1, text: line, why: 'it stands after the first command' });
      continue;
    }
    const rest = text.trimStart();
    if (rest === '' || !/^[\s-]/.test(text)) {
      if (rest !== '' && /^\s/.test(text)) throw directiveError(rest);
      continue;
    }
    const left = readOptions(shellWords(rest), read, (said) => directiveError(rest, said));
    if (left.length > 0) throw directiveError(rest);
  }
  check(read);
  const chunks = (read.resources['select'] ?? '').split('+').flatMap((chunk) => (chunk === '' ? [] : chunksOf(chunk)));
  return { options: read.options, resources: read.resources, chunks, ignored, doubts: read.doubts };
}

function directiveError(text: string, said?: string): Refused {
  return new Refused(`${said === undefined ? '' : `${said}\n`}qsub: directive error: ${text} `, 1);
}

function illegal(letter: string): Refused {
  return new Refused(`qsub: illegal -${letter} value\n${usage}`, 2);
}

const badValue = (name: string) => new Refused(`qsub: Illegal attribute or resource value ${name}`.trimEnd(), 166);

const values: Readonly<Record<string, RegExp>> = {
  J: /^\d+-\d+(:[1-9]\d*)?(%[1-9]\d*)?$/,
  N: /^[-A-Za-z0-9_+.][-A-Za-z0-9_+.]{0,229}$/,
  j: /^(oe|eo|n)$/,
  m: /^(n|[abej]+)$/,
  r: /^[yn]$/,
  k: /^(n|[oed]+)$/,
  p: /^-?\d{1,4}$/,
  W: /^(\w+=[^=]*)(,\w+=[^=]*)*$/,
};

function check({ options, resources }: Options): void {
  for (const [letter, pattern] of Object.entries(values)) {
    if (options[letter] !== undefined && !pattern.test(options[letter])) throw illegal(letter);
  }
  if (Math.abs(Number(options['p'] ?? 0)) > 1024) throw illegal('p');
  const [, first = 0, last = 1] = (/^(\d+)-(\d+)/.exec(options['J'] ?? '') ?? []).map(Number);
  if (options['J'] !== undefined && last <= first) throw illegal('J');
  const old = Object.keys(resources).find((name) => name === 'nodes' || name === 'neednodes');
  if (old !== undefined && (resources['select'] ?? resources['place']) !== undefined) {
    throw new Refused(`qsub: Cannot be used with select or place: ${old}`, 6);
  }
  const ofChunk = Object.keys(resources).find((name) => ['ncpus', 'mem', 'mpiprocs', 'ngpus', 'host'].includes(name));
  if (ofChunk !== undefined && (resources['select'] ?? resources['place']) !== undefined) {
    throw new Refused(`qsub: "-lresource=" cannot be used with "select" or "place", resource is: ${ofChunk}`, 5);
  }
  const { place, walltime } = resources;
  if (place !== undefined && !/^(free|pack|scatter|vscatter)?(:?(excl|exclhost|shared))?(:group=\w+)?$/.test(place)) {
    throw badValue('Resource_List.place');
  }
  if (place !== undefined && resources['select'] === undefined) {
    throw new Refused('qsub: Cannot have "place" without "select"', 7);
  }
  if (walltime !== undefined && !/^\d+(:\d+){0,2}(\.\d+)?$/.test(walltime)) throw badValue('Resource_List.walltime');
}

/** `[N:]name=value[:name=value…]`. */
function chunksOf(text: string): Record<string, string>[] {
  const [first = '', ...rest] = text.split(':');
  const counted = /^\d+$/.test(first);
  const count = counted ? Number(first) : 1;
  if (count < 1) throw badValue('');
  const entries = (counted ? rest : [first, ...rest]).map((part): [string, string] => {
    const [, name, value] = /^([A-Za-z_][\w.-]*)=(.+)$/s.exec(part) ?? [];
    if (name === undefined || value === undefined) throw badValue('Resource_List.select');
    return [name, value];
  });
  for (const [index, [name, value]] of entries.entries()) {
    if (jobWide.includes(name)) throw new Refused(`qsub: Resource invalid in "select" specification: ${name}`, 4);
    if (entries.findIndex((one) => one[0] === name) < index) throw badValue('Resource_List.select');
    const isNumber = /^(ncpus|mpiprocs|ompthreads|ngpus|naccelerators)$/.test(name);
    const isSize = /^(p|v)?mem$/.test(name);
    if ((isNumber && !/^\d+$/.test(value)) || (isSize && !/^\d+([kmgtp]?[bw]?)$/i.test(value)))
      throw badValue(`select.${name}`);
  }
  return Array.from({ length: count }, () => Object.fromEntries(entries));
}

/** Names of a chunk's resources that only sites have. */
export function siteResources(chunks: PbsJob['chunks']): string[] {
  return [...new Set(chunks.flatMap((chunk) => Object.keys(chunk)))].filter(
    (name) => !knownResources.includes(name) && !/gpu/.test(name),
  );
}
