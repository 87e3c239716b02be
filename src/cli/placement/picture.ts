import { counted } from '../../diagnostics/index.js';
import { formatTable } from '../table.js';
import type { JobPlacement, NodeRange, Running, Stage } from './placement.js';

/** Most signs of a bar: nodes with more CPUs are drawn to scale. */
const widest = 48;

/** The placement of all jobs as tables and bars, in plain text. */
export function describePlacement(jobs: readonly JobPlacement[]): string {
  return jobs.map(describeJob).join('\n\n');
}

function describeJob({ name, nodes, stages }: JobPlacement): string {
  const signs = signsOf(stages);
  return [
    `Job ${name}: ${counted(nodes, 'node')}`,
    ...stages.flatMap((stage, index) => [
      ...(stages.length === 1 ? [] : [index === 0 ? 'At first:' : `After the end of what comes before (${index}):`]),
      table(stage),
      bars(stage, signs),
      ...stage.waiting.map(
        ({ name: who, members }) =>
          `${counted(members, 'member')} of ${who} ${members === 1 ? 'waits' : 'wait'} for room`,
      ),
    ]),
  ].join('\n\n');
}

function table({ nodes }: Stage): string {
  const hasGpus = nodes.some(({ gpusPerNode }) => gpusPerNode > 0);
  const row = (cells: readonly string[], gpus: string) => [...cells, ...(hasGpus ? [gpus] : [])];
  return formatTable([
    row(['NODES', 'RUNS', 'MEMBERS', 'CPUS'], 'GPUS'),
    ...nodes.flatMap((range) => {
      const free = freeOf(range);
      const rows = range.running.map((one) => [
        one.kind === 'store' ? `store ${one.name}` : one.name,
        one.kind === 'ensemble' ? String(one.members) : '',
        String(one.cpus),
        one.gpus > 0 ? String(one.gpus) : '',
      ]);
      const rest = ['(free)', '', free.cpus === undefined ? '?' : String(free.cpus), String(free.gpus)];
      return [...rows, rest].map(([runs = '', members = '', cpus = '', gpus = ''], index) =>
        row([index === 0 ? nodesOf(range) : '', runs, members, cpus], gpus),
      );
    }),
  ]);
}

function bars({ nodes }: Stage, signs: ReadonlyMap<string, string>): string {
  const hasGpus = nodes.some(({ gpusPerNode }) => gpusPerNode > 0);
  const rows = nodes.map((range) => {
    const cpus = barOf(range.running, 'cpus', freeOf(range).cpus, signs);
    const gpus = barOf(range.running, 'gpus', freeOf(range).gpus, signs);
    return [nodesOf(range), `[${cpus}]`, ...(hasGpus ? [`[${gpus}]`] : [])];
  });
  const shown = new Set(nodes.flatMap(({ running }) => running.map(keyOf)));
  const legend = [...signs].filter(([key]) => shown.has(key)).map(([key, sign]) => `${sign} ${key}`);
  const heading = ['NODES', 'CPUS', ...(hasGpus ? ['GPUS'] : [])];
  return `${formatTable([heading, ...rows])}\n${[...legend, '. free'].join('   ')}`;
}

/** CPUs and GPUs of a node that nobody has; CPUs undefined where it is not known how many there are. */
export function freeOf({ running, cpusPerNode, gpusPerNode }: NodeRange): { cpus: number | undefined; gpus: number } {
  const taken = (amount: 'cpus' | 'gpus') => running.reduce((sum, one) => sum + one[amount], 0);
  return {
    cpus: cpusPerNode === undefined ? undefined : Math.max(0, cpusPerNode - taken('cpus')),
    gpus: Math.max(0, gpusPerNode - taken('gpus')),
  };
}

/** A sign for each CPU or GPU, or for each share of them where they are many. */
function barOf(
  running: readonly Running[],
  amount: 'cpus' | 'gpus',
  free: number | undefined,
  signs: ReadonlyMap<string, string>,
): string {
  const total = running.reduce((sum, one) => sum + one[amount], free ?? 0);
  const scale = Math.min(1, widest / Math.max(1, total));
  let [end, drawn] = [0, 0];
  const draw = (count: number, sign: string): string => {
    end += count;
    const width = count === 0 ? 0 : Math.max(1, Math.round(end * scale) - drawn);
    drawn += width;
    return sign.repeat(width);
  };
  const parts = running.map((one) => draw(one[amount], signs.get(keyOf(one)) ?? '#'));
  return parts.join('') + (free === undefined ? '?' : draw(free, '.'));
}

/** A sign for all that runs in a job: capital letters for stores, small ones for entities. */
function signsOf(stages: readonly Stage[]): ReadonlyMap<string, string> {
  const all = stages.flatMap(({ nodes }) => nodes.flatMap(({ running }) => running));
  const signs = new Map<string, string>();
  let [stores, entities] = [0, 0];
  for (const one of all) {
    if (signs.has(keyOf(one))) continue;
    const letter = one.kind === 'store' ? String.fromCharCode(65 + stores++) : String.fromCharCode(97 + entities++);
    signs.set(keyOf(one), /[A-Za-z]/.test(letter) ? letter : '#');
  }
  return signs;
}

/** Label of an entity or a store: a colocated store has the name of its entity. */
export function keyOf({ kind, name }: Running): string {
  return kind === 'store' ? `store ${name}` : name;
}

/** Positions of nodes in the job: `0`, `1-3`. */
export function nodesOf({ first, nodes }: NodeRange): string {
  return nodes === 1 ? String(first) : `${first}-${first + nodes - 1}`;
}
