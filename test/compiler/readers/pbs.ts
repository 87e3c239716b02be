/** Options of qsub, as getopt writes them: a colon after those with a value. */
const options = 'a:A:c:C:e:fhj:J:k:l:m:M:N:o:p:P:q:r:R:S:u:v:VW:XzZ';

/** Resources of a job as a whole, which no chunk may have. */
const jobWide = new Set(['walltime', 'place', 'select', 'nodes', 'soft_walltime']);

/** A script's `#PBS` lines as qsub reads them: options by letter, and those of `-l` by resource; `select` as chunks. */
export interface PbsJob {
  readonly options: Readonly<Record<string, string>>;
  readonly resources: Readonly<Record<string, string>>;
  readonly chunks: readonly Readonly<Record<string, string>>[];
}

/**
 * Reads a script's directives: up to the first line that is no comment, with quotes as a shell has them.
 *
 * @throws Error for what qsub refuses, and for what it would take twice.
 */
export function readPbs(script: string): PbsJob {
  const read: Record<string, string> = {};
  const resources: Record<string, string> = {};
  const take = (into: Record<string, string>, name: string, value: string) => {
    if (into[name] !== undefined) throw new Error(`${name} is there twice`);
    into[name] = value;
  };
  for (const line of script.split('\n')) {
    if (!/^\s*(#|$)/.test(line)) break;
    if (!/^#PBS\s/.test(line)) continue;
    const words = wordsOf(line.slice('#PBS'.length));
    while (words.length > 0) {
      const word = words.shift() as string;
      const [, letter = '', rest = ''] = /^-([A-Za-z])(.*)$/s.exec(word) ?? [];
      const at = letter === '' ? -1 : options.indexOf(letter);
      if (at < 0) throw new Error(`directive error: ${line}`);
      const value = options[at + 1] === ':' ? rest || words.shift() : '';
      if (value === undefined) throw new Error(`-${letter} needs a value`);
      if (letter !== 'l') take(read, letter, value);
      else for (const part of value.split(',')) take(resources, ...pair(part));
    }
  }
  if (resources['nodes'] !== undefined && (resources['select'] ?? resources['place']) !== undefined) {
    throw new Error('nodes and select in one job');
  }
  if (read['J'] !== undefined && !/^\d+-\d+(:\d+)?(%\d+)?$/.test(read['J'])) throw new Error('illegal -J value');
  if (read['N'] !== undefined && !/^[A-Za-z0-9][^\s]{0,229}$/.test(read['N'])) throw new Error('illegal -N value');
  return { options: read, resources, chunks: (resources['select'] ?? '').split('+').flatMap(chunksOf) };
}

function pair(text: string): [name: string, value: string] {
  const [, name, value] = /^([A-Za-z_][\w.-]*)=(.+)$/s.exec(text) ?? [];
  if (name === undefined || value === undefined) throw new Error(`illegal resource: ${text}`);
  return [name, value];
}

/** `[N:]name=value[:name=value…]`, once a chunk. */
function chunksOf(text: string): Record<string, string>[] {
  if (text === '') return [];
  const [first = '', ...rest] = text.split(':');
  const count = /^\d+$/.test(first) ? Number(first) : 1;
  const entries = (/^\d+$/.test(first) ? rest : [first, ...rest]).map(pair);
  if (count < 1) throw new Error(`illegal chunk: ${text}`);
  const odd = entries.find(([name], index) => jobWide.has(name) || entries.findIndex((one) => one[0] === name) < index);
  if (odd !== undefined) throw new Error(`illegal in a chunk: ${odd.join('=')}`);
  return Array.from({ length: count }, () => Object.fromEntries(entries));
}

function wordsOf(text: string): string[] {
  return (text.match(/(?:"(?:[^"\\]|\\.)*"|'[^']*'|[^\s"'])+/g) ?? []).map((word) =>
    word.replace(/"((?:[^"\\]|\\.)*)"|'([^']*)'/g, (_, double, single) => single ?? double.replace(/\\(.)/g, '$1')),
  );
}
