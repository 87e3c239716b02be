import type { JobComponent, NodeShape, Refusal } from '../../standins.js';
import { readCount, readGpus, readMemory, readNodes } from './values.js';

/** Options by their long names; the last of each counts. */
export type Options = ReadonlyMap<string, readonly string[]>;

export function lastOf(options: Options, name: string): string | undefined {
  return options.get(name)?.at(-1);
}

function malformed(command: string, what: string, value: string): Refusal {
  return { stderr: `${command}: error: Invalid ${what}: ${value}\n`, code: 255 };
}

/** Counts, memory and GPUs that options ask for, or the refusal of a malformed one. */
export function readSizes(command: string, options: Options) {
  const read = <Value>(name: string, what: string, reader: (text: string) => Value | undefined) => {
    const text = lastOf(options, name);
    if (text === undefined) return undefined;
    const value = reader(text);
    if (value === undefined) throw new Malformed(malformed(command, what, text));
    return value;
  };
  try {
    const sizes = {
      nodes: read('nodes', 'node count', readNodes)?.least,
      tasks: read('ntasks', 'number of tasks', readCount),
      tasksPerNode: read('ntasks-per-node', 'ntasks per node', readCount),
      cpusPerTask: read('cpus-per-task', 'number of cpus per task', readCount),
      memory: read('mem', 'memory specification', readMemory),
      memoryPerCpu: read('mem-per-cpu', 'memory specification', readMemory),
      gpus: read('gpus', 'number of GPUs', (text) => readGpus(text, false)),
      gpusPerNode: read('gpus-per-node', 'number of GPUs', (text) => readGpus(text, false)),
      gpusPerTask: read('gpus-per-task', 'number of GPUs', (text) => readGpus(text, false)),
      gres: read('gres', 'generic resource (gres) specification', (text) => readGpus(text, true)),
    };
    if (sizes.memory !== undefined && sizes.memoryPerCpu !== undefined) {
      return refused(command, '--mem, --mem-per-cpu, and --mem-per-gpu are mutually exclusive.', 255);
    }
    return sizes;
  } catch (error) {
    if (error instanceof Malformed) return error.refusal;
    throw error;
  }
}

class Malformed extends Error {
  constructor(readonly refusal: Refusal) {
    super(refusal.stderr);
  }
}

export function refused(command: string, sentence: string, code = 1): Refusal {
  return { stderr: `${command}: error: ${sentence}\n`, code };
}

/** Nodes of one kind that a job's options ask for, on nodes of a shape. */
export function componentOf(command: string, options: Options, shape: NodeShape): JobComponent | Refusal {
  const sizes = readSizes(command, options);
  if ('stderr' in sizes) return sizes;
  const { tasks, tasksPerNode } = sizes;
  const cpusPerTask = sizes.cpusPerTask ?? 1;
  const fitting = Math.max(1, Math.floor(shape.cpus / cpusPerTask));
  const nodes = sizes.nodes ?? (tasks === undefined ? 1 : Math.ceil(tasks / (tasksPerNode ?? fitting)));
  const onNode = tasksPerNode ?? Math.ceil((tasks ?? nodes) / nodes);
  const exclusive = options.has('exclusive') && !/^(user|mcs)$/.test(lastOf(options, 'exclusive') ?? '');
  const wanted = onNode * cpusPerTask;
  const cpus = exclusive ? Math.max(shape.cpus, wanted) : ceilTo(wanted, shape.threadsPerCore);
  const gpus =
    sizes.gpusPerNode ??
    sizes.gres ??
    (sizes.gpusPerTask === undefined ? undefined : sizes.gpusPerTask * onNode) ??
    (sizes.gpus === undefined ? undefined : Math.ceil(sizes.gpus / nodes)) ??
    0;
  const memory = sizes.memory === 0 ? shape.memoryMiB : (sizes.memory ?? (sizes.memoryPerCpu ?? 0) * cpus);
  return {
    nodes,
    cpusPerNode: cpus,
    gpusPerNode: exclusive ? Math.max(gpus, shape.gpus) : gpus,
    memoryMiB: memory === 0 ? Math.floor((shape.memoryMiB * Math.min(cpus, shape.cpus)) / shape.cpus) : memory,
    exclusive,
    ...(tasks === undefined ? {} : { tasks }),
    ...(tasksPerNode === undefined ? {} : { tasksPerNode }),
    ...(sizes.cpusPerTask === undefined ? {} : { cpusPerTask }),
  };
}

function ceilTo(value: number, step: number): number {
  return Math.ceil(value / step) * step;
}
