import { Refused } from '../refused.js';
import { numbersOf } from './ranks.js';

/** A rank of an explicit resource file: its place, its CPUs (hardware threads) and GPUs, and the program that it runs. */
export interface ErfRank {
  readonly rank: number;
  /** Number of a compute node, counted from 1, or a host's name. */
  readonly host: number | string;
  readonly cpus: readonly number[];
  readonly gpus: readonly number[];
  readonly app: number | undefined;
}

/** An explicit resource file: ranks, and words of the programs that it names. */
export interface Erf {
  readonly ranks: readonly ErfRank[];
  readonly apps: readonly (readonly string[])[];
  /** Things that jsrun warns of. */
  readonly doubts: readonly string[];
}

const settings =
  /^(cpu_index_using: (logical|physical)|(overlapping_rs|oversubscribe_(cpu|gpu|mem)|skip_missing_(cpu|gpu|mem)): (allow|warn|error)|launch_distribution: \w+)$/;

function refuse(text: string): never {
  throw new Refused(`Error: Failed to parse explicit resource file: ${text}`, 1);
}

/**
 * Reads an explicit resource file as jsrun does.
 *
 * @throws Refused for what jsrun refuses, CPUs that two ranks of a host would both have among it where the file says so.
 */
export function readErf(text: string): Erf {
  const apps: string[][] = [];
  const ranks: ErfRank[] = [];
  let overlapping = 'allow';
  for (const line of text.trimEnd().split('\n')) {
    const app = /^app (\d+): (\S.*)$/.exec(line);
    if (app !== null) {
      if (Number(app[1]) !== apps.length) refuse('programs do not count from 0');
      apps.push((app[2] ?? '').split(/\s+/));
    } else if (line.startsWith('rank: ')) ranks.push(...ranksOf(line));
    else if (ranks.length > 0 || apps.length > 0 || !settings.test(line)) refuse(`no such line: ${line}`);
    else overlapping = /^overlapping_rs: (\w+)$/.exec(line)?.[1] ?? overlapping;
  }
  if (ranks.some(({ rank }, index) => rank !== index)) refuse('ranks do not count from 0');
  if (ranks.some(({ app }) => (app === undefined) !== (apps.length === 0))) refuse('a rank without a program');
  if (ranks.some(({ app = 0 }) => apps.length > 0 && apps[app] === undefined))
    refuse('a rank of a program that is not there');
  const doubts = ranks.flatMap((one) => {
    const others = ranks.filter((other) => other.rank < one.rank && other.host === one.host);
    const shared = others.some(({ cpus }) => cpus.some((cpu) => one.cpus.includes(cpu)));
    return shared ? [`resource sets overlap on host ${one.host}`] : [];
  });
  if (overlapping === 'error' && doubts[0] !== undefined) refuse(doubts[0]);
  return { ranks, apps, doubts };
}

function ranksOf(line: string): ErfRank[] {
  const set =
    /^rank: (\S+): \{ (?:host: (\d+)|hostname: ([A-Za-z][\w.-]*)); cpu: (\{[\d,-]+\}(?:,\{[\d,-]+\})*)(?:; gpu: (\*|\{[\d,-]+\}(?:,\{[\d,-]+\})*))?(?:; mem: \{[\d,-]+\})? \}(?: : app (\d+))?$/;
  const [, range, number, name, cpus = '', gpus, app] = set.exec(line) ?? [];
  if (range === undefined || number === '0') refuse(`no resource set: ${line}`);
  const [cpuGroups, gpuGroups] = [groupsOf(cpus), groupsOf(gpus ?? '')];
  const numbers = numbersOf(range);
  if (cpuGroups.length !== numbers.length) refuse(`not a group of CPUs a rank: ${line}`);
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
