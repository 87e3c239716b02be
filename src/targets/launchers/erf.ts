import type { GivenResources, LaunchProgram, LaunchStep } from '../target.js';
import type { Programs } from './programs.js';

/** Name of the file in the entity's directory. */
export const erfName = 'simwright.erf';

/**
 * jsrun's explicit resource file: every rank with its host and its CPUs. Programs have hosts of their own, one after the other, as
 * srun gives them. A single program stays on the command line, where the runtime fills in its words. Hosts count from 1, and CPUs are those that
 * stores leave; where the runtime chooses them, they are its own to fill in.
 */
export function explicitResources(programs: Programs): string {
  const lines = [
    // Numbers are those of hardware threads.
    'cpu_index_using: logical',
    'overlapping_rs: warn',
    'launch_distribution: packed',
  ];
  if (programs.length > 1) lines.push(...programs.map(({ words }, index) => `app ${index}: ${words.join(' ')}`));
  let rank = 0;
  let host = 1;
  for (const [index, program] of programs.entries()) {
    const sets = ranksOf(program, rank, host);
    lines.push(...sets.map((set) => (programs.length > 1 ? `${set} : app ${index}` : set)));
    rank += program.step.tasks;
    host += program.step.nodes;
  }
  return `${lines.join('\n')}\n`;
}

/** A line a host. */
function ranksOf({ step }: LaunchProgram, firstRank: number, firstHost: number): string[] {
  const { tasks, tasksPerNode, hosts = [] } = step;
  return Array.from({ length: Math.ceil(tasks / tasksPerNode) }, (_, node) => {
    const first = node * tasksPerNode;
    const count = Math.min(tasksPerNode, tasks - first);
    const name = hosts[node];
    const host = name === undefined ? `host: ${firstHost + node}` : `hostname: ${name}`;
    const local = Array.from({ length: count }, (_, task) => task);
    const cpus = local.map((task) => cpusOf(step, task)).join(',');
    const gpus = gpusOf(step, local);
    const gpu = gpus === undefined ? '' : `; gpu: ${gpus}`;
    return `rank: ${range(firstRank + first, count)}: { ${host}; cpu: ${cpus}${gpu} }`;
  });
}

/** Threads of the cores of a task, beyond those of stores: sets hold their CPUs, and one that asks for a held CPU waits for it. */
function cpusOf(step: LaunchStep, task: number): string {
  const { cpuBind, cpusPerTask, cpusOfStores = 0, threadsPerCore = 1, namesHosts, overlap } = step;
  const before = namesHosts && !overlap ? 0 : cpusOfStores;
  const first = cpuBind?.[task % cpuBind.length] ?? before + task * cpusPerTask;
  return `{${range(first * threadsPerCore, cpusPerTask * threadsPerCore)}}`;
}

/** A group a task where GPUs divide evenly, else all for each. */
function gpusOf(step: LaunchStep, tasks: readonly number[]): string | undefined {
  const perNode = step.gpusPerNode ?? (step.gpusPerTask ?? 0) * step.tasksPerNode;
  if (perNode === 0) return undefined;
  const each = perNode % step.tasksPerNode === 0 ? perNode / step.tasksPerNode : undefined;
  return tasks.map((task) => `{${each === undefined ? range(0, perNode) : range(task * each, each)}}`).join(',');
}

function range(first: number, count: number): string {
  return count === 1 ? String(first) : `${first}-${first + count - 1}`;
}

/** The file with the hosts, CPUs and GPUs that its launch has got, in the place of the first ones. */
export function placeResources(
  text: string,
  { hosts, cores = [], gpus }: GivenResources,
  threadsPerCore: number,
): string {
  return text.replace(setPattern, (line, ranks: string, number: string, cpus: string, gpu: string | undefined) => {
    const host = Number(number) - 1;
    const name = hosts[host];
    if (name === undefined) return line;
    const own = cores[host] ?? [];
    const thread = (one: number) => {
      const core = Math.floor(one / threadsPerCore);
      return (own[core % own.length] ?? core) * threadsPerCore + (one % threadsPerCore);
    };
    const gpuOf = (one: number) => gpus?.[one] ?? one;
    const rest = gpu === undefined ? '' : `; gpu: ${mapGroups(gpu, gpuOf)}`;
    return `rank: ${ranks}: { hostname: ${name}; cpu: ${mapGroups(cpus, thread)}${rest} }`;
  });
}

/** Cores of a file's sets: their numbers on any host, and the most that one host has of them. */
export function coresOf(text: string, threadsPerCore: number): { numbers: number[]; most: number } {
  const ofHost = new Map<string, Set<number>>();
  for (const [, , host = '', cpus = ''] of text.matchAll(setPattern)) {
    const own = ofHost.get(host) ?? new Set();
    for (const thread of groupsOf(cpus).flat()) own.add(Math.floor(thread / threadsPerCore));
    ofHost.set(host, own);
  }
  const all = [...ofHost.values()];
  const numbers = [...new Set(all.flatMap((own) => [...own]))].sort((a, b) => a - b);
  return { numbers, most: all.reduce((most, { size }) => Math.max(most, size), 0) };
}

/** A line of ranks whose host is a number, as `explicitResources` writes it. */
const setPattern = /^rank: (\S+): \{ host: (\d+); cpu: (\S+?)(?:; gpu: (\S+))? \}/gm;

function mapGroups(text: string, map: (number: number) => number): string {
  return groupsOf(text)
    .map((group) => `{${ranges(group.map(map))}}`)
    .join(',');
}

function groupsOf(text: string): number[][] {
  return [...text.matchAll(/\{([^}]*)\}/g)].map(([, inner = '']) =>
    inner.split(',').flatMap((part) => {
      const [first = 0, last = first] = part.split('-').map(Number);
      return Array.from({ length: last - first + 1 }, (_, index) => first + index);
    }),
  );
}

/** Numbers as jsrun takes them: `0-3,8`. */
function ranges(numbers: readonly number[]): string {
  const runs: { first: number; count: number }[] = [];
  for (const number of numbers) {
    const last = runs.at(-1);
    if (last !== undefined && number === last.first + last.count) last.count++;
    else runs.push({ first: number, count: 1 });
  }
  return runs.map(({ first, count }) => range(first, count)).join(',');
}
