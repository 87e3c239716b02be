import { refused } from '../schedulers/slurm/size.js';
import type { Refusal } from '../standins.js';

/** Programs of the ranks, in their order, by lines of `RANKS PROGRAM WORDS`. */
export function multiProg(
  [file = '', ...rest]: readonly string[],
  { readFile, tasks }: { readFile(path: string): string | undefined; tasks: number },
): string[][] | Refusal {
  const text = readFile(file);
  if (text === undefined) return refused('srun', `Could not open multi_prog config file ${file}`);
  const programs: string[][] = [];
  for (const line of text.split('\n').filter((one) => !/^\s*(#|$)/.test(one))) {
    const [ranks = '', ...words] = (line.match(/'[^']*'|\S+/g) ?? []).map((word) => word.replace(/^'(.*)'$/, '$1'));
    const chosen =
      ranks === '*'
        ? Array.from({ length: tasks }, (_, one) => one).filter((one) => programs[one] === undefined)
        : ranks.split(',').flatMap((part) => {
            const [begin = '', end = begin] = part.split('-');
            return Array.from({ length: Number(end) - Number(begin) + 1 }, (_, one) => Number(begin) + one);
          });
    for (const [offset, rank] of chosen.entries()) {
      programs[rank] = [...words, ...rest].map((word) =>
        word.replaceAll('%t', String(rank)).replaceAll('%o', String(offset)),
      );
    }
  }
  const extra = Object.keys(programs).find((rank) => Number(rank) >= tasks);
  if (extra !== undefined) return refused('srun', `Invalid task id, ${extra} >= ntasks`);
  const missing = Array.from({ length: tasks }, (_, one) => one).find((one) => programs[one] === undefined);
  return missing === undefined
    ? programs
    : refused('srun', `Configuration file ${file} invalid, no record for task id ${missing}`);
}
