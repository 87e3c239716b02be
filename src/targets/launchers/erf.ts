import type { LaunchProgram, LaunchStep } from '../target.js';
import type { Programs } from './programs.js';

/** Name of the file in the entity's directory. */
export const erfName = 'simwright.erf';

/**
 * jsrun's explicit resource file: every rank with its host and its CPUs. Programs have hosts of their own, one after the other, as
 * srun gives them. A single program stays on the command line, where the runtime fills in its words.
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
  // Numbers count from 1: those of the group follow those of the groups before it.
  let host = 1 + (programs[0].step.group?.first ?? 0);
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
function cpusOf({ cpuBind, cpusPerTask, cpusOfStores = 0, threadsPerCore = 1 }: LaunchStep, task: number): string {
  const first = cpuBind?.[task % cpuBind.length] ?? cpusOfStores + task * cpusPerTask;
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
