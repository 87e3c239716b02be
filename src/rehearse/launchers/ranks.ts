import type { AllocatedNode, Allocation, Call, Rank } from '../standins.js';
import type { LaunchedProgram } from './grammar.js';

/** Place of a rank: its node, and the program that it runs. */
export interface Place {
  readonly node: string;
  readonly program: number;
}

/** A rank's numbers, as launchers tell them to it. */
export interface RankNumbers extends Place {
  readonly rank: number;
  readonly size: number;
  /** Its number among those of its node, and their number. */
  readonly localRank: number;
  readonly localSize: number;
  /** Number of its node among those of the launch. */
  readonly nodeIndex: number;
  /** Its number among those of its program, and their number. */
  readonly programRank: number;
  readonly programSize: number;
}

/** Numbers of the ranks at these places. */
export function numbered(places: readonly Place[]): RankNumbers[] {
  const nodes = [...new Set(places.map(({ node }) => node))];
  const count = (upTo: number, like: (one: Place) => boolean) => places.slice(0, upTo).filter(like).length;
  return places.map((place, rank) => {
    const onNode = ({ node }: Place) => node === place.node;
    const ofProgram = ({ program }: Place) => program === place.program;
    return {
      ...place,
      rank,
      size: places.length,
      localRank: count(rank, onNode),
      localSize: count(places.length, onNode),
      nodeIndex: nodes.indexOf(place.node),
      programRank: count(rank, ofProgram),
      programSize: count(places.length, ofProgram),
    };
  });
}

/** Ranks of a launch: standard input goes to the first one. */
export function ranksAt(
  places: readonly Place[],
  programs: readonly LaunchedProgram[],
  more: (numbers: RankNumbers) => Pick<Rank, 'cpus' | 'gpus' | 'env'> & Partial<Rank>,
): Rank[] {
  return numbered(places).map((numbers) => ({
    node: numbers.node,
    rank: numbers.rank,
    command: programs[numbers.program]?.command ?? [],
    readsStdin: numbers.rank === 0,
    ...more(numbers),
  }));
}

/** Short name of a host: schedulers and launchers compare those. */
export function shortName(host: string): string {
  return /^[\d.]+$/.test(host) ? host : (host.split('.')[0] ?? host);
}

/** Node of the job by a host's name. */
export function nodeNamed(allocation: Allocation | undefined, host: string): AllocatedNode | undefined {
  return allocation?.nodes.find(({ name }) => shortName(name) === shortName(host));
}

/** Node that a command was called on, where it is one of the job's. */
export function ownNode(allocation: Allocation | undefined, { host }: Call): AllocatedNode | undefined {
  return nodeNamed(allocation, host);
}

/** Lines of a file of hosts: comments and blanks are left out. */
export function hostFileLines(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.replace(/#.*/, '').trim())
    .filter((line) => line !== '');
}

/** Numbers of `0-2,5`. */
export function numbersOf(text: string): number[] {
  return text.split(',').flatMap((part) => {
    const [first = 0, last = first] = part.split('-').map(Number);
    return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index);
  });
}
