import type { JobComponent, NodeShape, Refusal } from '../../standins.js';
import { refusalOfValues } from './checks.js';
import { lastOf, type Options } from './given.js';
import { readCount, readGpus, readMemory, readNodes } from './values.js';

/** Counts, memory in MiB and GPUs that options ask for, or the refusal of a value that Slurm does not take. */
export function readSizes(command: string, options: Options) {
  const refusal = refusalOfValues(command, options);
  if (refusal !== undefined) return refusal;
  const read = <Value>(name: string, reader: (text: string) => Value | undefined) => {
    const text = lastOf(options, name);
    return text === undefined ? undefined : reader(text);
  };
  const nodes = read('nodes', readNodes);
  const sizes = {
    nodes: nodes?.least,
    mostNodes: nodes?.most,
    tasks: read('ntasks', readCount),
    tasksPerNode: read('ntasks-per-node', readCount),
    cpusPerTask: read('cpus-per-task', readCount),
    memory: read('mem', readMemory),
    memoryPerCpu: read('mem-per-cpu', readMemory),
    gpus: read('gpus', (text) => readGpus(text, false)),
    gpusPerNode: read('gpus-per-node', (text) => readGpus(text, false)),
    gpusPerTask: read('gpus-per-task', (text) => readGpus(text, false)),
    gres: read('gres', (text) => readGpus(text, true)),
  };
  const isUnknown = (['gpus', 'gpus-per-node', 'gpus-per-task', 'gres'] as const).some(
    (name) => options.has(name) && sizes[gpuFields[name]] === undefined,
  );
  return isUnknown ? refused(command, 'Invalid generic resource (gres) specification') : sizes;
}

const gpuFields = {
  gpus: 'gpus',
  'gpus-per-node': 'gpusPerNode',
  'gpus-per-task': 'gpusPerTask',
  gres: 'gres',
} as const;

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
