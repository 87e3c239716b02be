/** A rank of an explicit resource file: its place, its CPUs (hardware threads) and GPUs, and the program that it runs. */
export interface ErfRank {
  readonly rank: number;
  /** Number of a compute node, counted from 1, or a host's name. */
  readonly host: number | string;
  readonly cpus: readonly number[];
  readonly gpus: readonly number[];
  readonly app: number | undefined;
}

const settings =
  /^(cpu_index_using: (logical|physical)|(overlapping_rs|oversubscribe_(cpu|gpu|mem)|skip_missing_(cpu|gpu|mem)): (allow|warn|error)|launch_distribution: \w+)$/;

/**
 * Reads an explicit resource file as jsrun does.
 *
 * @throws Error for what jsrun refuses, and for CPUs that two ranks of a host would both have.
 */
export function readErf(text: string): ErfRank[] {
  const apps: number[] = [];
  const ranks: ErfRank[] = [];
  for (const line of text.trimEnd().split('\n')) {
    const app = /^app (\d+): \S.*$/.exec(line);
    if (app !== null) apps.push(Number(app[1]));
    else if (line.startsWith('rank: ')) ranks.push(...ranksOf(line));
    else if (ranks.length > 0 || apps.length > 0 || !settings.test(line)) throw new Error(`no such line: ${line}`);
  }
  if (apps.some((app, index) => app !== index)) throw new Error('programs do not count from 0');
  if (ranks.some(({ rank }, index) => rank !== index)) throw new Error('ranks do not count from 0');
  if (ranks.some(({ app }) => (app === undefined) !== (apps.length === 0))) throw new Error('a rank without a program');
  for (const one of ranks) {
    const others = ranks.filter((other) => other !== one && other.host === one.host);
    if (others.some(({ cpus }) => cpus.some((cpu) => one.cpus.includes(cpu))))
      throw new Error(`overlap on ${one.host}`);
  }
  return ranks;
}

function ranksOf(line: string): ErfRank[] {
  const set =
    /^rank: (\S+): \{ (?:host: (\d+)|hostname: ([A-Za-z][\w.-]*)); cpu: (\{[\d,-]+\}(?:,\{[\d,-]+\})*)(?:; gpu: (\{[\d,-]+\}(?:,\{[\d,-]+\})*))? \}(?: : app (\d+))?$/;
  const [, range, number, name, cpus = '', gpus, app] = set.exec(line) ?? [];
  if (range === undefined || number === '0') throw new Error(`no resource set: ${line}`);
  const [cpuGroups, gpuGroups] = [groupsOf(cpus), groupsOf(gpus ?? '')];
  const numbers = numbersOf(range);
  if (cpuGroups.length !== numbers.length) throw new Error(`not a group of CPUs a rank: ${line}`);
  return numbers.map((rank, index) => ({
    rank,
    host: name ?? Number(number),
    cpus: cpuGroups[index] ?? [],
    gpus: gpuGroups[index] ?? [],
    app: app === undefined ? undefined : Number(app),
  }));
}

function groupsOf(text: string): number[][] {
  return [...text.matchAll(/\{([^}]*)\}/g)].map(([, inner = '']) => numbersOf(inner));
}

function numbersOf(text: string): number[] {
  return text.split(',').flatMap((part) => {
    const [first = 0, last = first] = part.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}
