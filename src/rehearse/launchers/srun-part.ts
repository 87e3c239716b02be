import { lastOf, type Options } from '../schedulers/slurm/given.js';
import { readSizes, refused } from '../schedulers/slurm/size.js';
import { expandHosts } from '../schedulers/slurm/values.js';
import type { AllocatedNode, Allocation, Rank, Refusal } from '../standins.js';
import { multiProg } from './multi-prog.js';

/** A program of a step, with its options. */
export interface Part {
  readonly options: Options;
  readonly command: readonly string[];
}

/** Surroundings of a part: its first rank, the nodes of the parts before it, and the folder that srun was called in. */
export interface Before {
  readonly first: number;
  readonly used: ReadonlySet<string>;
  readonly cwd: string;
  readFile(path: string): string | undefined;
}

/** Ranks of a part of a step. */
export interface Placed {
  readonly ranks: readonly Rank[];
  readonly fixed: boolean;
  readonly among: readonly string[];
  readonly warnings: readonly string[];
}

type Sizes = Exclude<ReturnType<typeof readSizes>, Refusal>;

/** Ranks of a part on nodes of the job, or srun's refusal. */
export function partOf({ options, command }: Part, allocation: Allocation, before: Before): Placed | Refusal {
  const sizes = readSizes('srun', options);
  if ('stderr' in sizes) return sizes;
  const members = candidatesOf(options, allocation, sizes);
  if ('stderr' in members) return members;
  const { may, hosts } = members;
  const wanted = Math.min(sizes.mostNodes ?? may.length, may.length);
  const nodes = Math.min(wanted, sizes.tasks ?? Number.POSITIVE_INFINITY);
  const tasks = sizes.tasks ?? (sizes.tasksPerNode ?? 1) * nodes;
  // Tasks that are named count more than those of a node.
  const isTooFew = sizes.tasksPerNode !== undefined && sizes.tasksPerNode * nodes < tasks;
  const evenly = Math.ceil(tasks / nodes);
  const onNode = isTooFew ? evenly : Math.min(sizes.tasksPerNode ?? evenly, tasks);
  const fitting = fittingOf(may, options, sizes, { nodes, onNode });
  if ('stderr' in fitting) return fitting;
  const { enough, gpusOnNode } = fitting;
  const fresh = enough.filter(({ name }) => !before.used.has(name));
  const chosen = (fresh.length >= nodes && hosts === undefined ? fresh : enough).slice(0, nodes);
  const programs = options.has('multi-prog') ? multiProg(command, { readFile: before.readFile, tasks }) : undefined;
  if (programs !== undefined && 'stderr' in programs) return programs;
  const perNode = nodesOfTasks(chosen, lastOf(options, 'distribution'), {
    tasks,
    onNode,
    cpus: sizes.cpusPerTask ?? 1,
  });
  const sizeOf = (at: number) => perNode.filter((one) => one === at).length;
  const ranks = perNode.map((at, rank): Rank => {
    const node = chosen[at] as AllocatedNode;
    const local = perNode.slice(0, rank).filter((one) => one === at).length;
    const used = [...new Set(perNode)].sort((one, other) => one - other);
    return rankOf(options, sizes, {
      ...{ node, nodeId: used.indexOf(at), count: sizeOf(at), local, gpusOnNode },
      rank: before.first + rank,
      command: programs?.[rank] ?? command,
      cwd: before.cwd,
    });
  });
  const isFixed = hosts !== undefined && hosts.length >= nodes;
  return {
    ranks,
    fixed: isFixed || options.has('relative'),
    among: (isFixed ? chosen : enough).map(({ name }) => name),
    warnings: isTooFew
      ? [
          `srun: Warning: can't honor --ntasks-per-node set to ${sizes.tasksPerNode} which doesn't match the requested tasks ${tasks} with the number of requested nodes ${nodes}. Ignoring --ntasks-per-node.`,
        ]
      : [],
  };
}

/** Nodes that a part may have, those that its line names first. */
function candidatesOf(
  options: Options,
  allocation: Allocation,
  sizes: Sizes,
): { readonly may: readonly AllocatedNode[]; readonly hosts: readonly string[] | undefined } | Refusal {
  const members = groupsOf(lastOf(options, 'het-group'), allocation);
  if ('stderr' in members) return members;
  const named = lastOf(options, 'nodelist');
  const not = new Set(expandHosts(lastOf(options, 'exclude') ?? ''));
  const hosts = named === undefined ? undefined : expandHosts(named);
  const stranger = hosts?.find((host) => !allocation.nodes.some(({ name }) => name === host));
  if (stranger !== undefined) return unavailable('Requested node configuration is not available');
  const may = members.filter(({ name }) => !not.has(name));
  if (may.length === 0) return refused('srun', "Hostlist is empty!  Can't run job.");
  const relative = Number(lastOf(options, 'relative') ?? 0);
  const least = sizes.nodes ?? 1;
  if (relative > 0 && relative + least > may.length) {
    return refused(
      'srun',
      `--relative and --nodes option incompatible with count of allocated nodes (${relative}+${least}>${may.length})`,
    );
  }
  if (least > may.length) return refused('srun', `Only allocated ${may.length} nodes asked for ${least}`);
  const first = (hosts ?? []).flatMap((host) => may.filter(({ name }) => name === host));
  // A step that names fewer hosts than it has nodes gets others beside them.
  return { may: [...new Set([...first, ...may.slice(relative)])], hosts };
}

/** Nodes with room for the tasks of one of them, and the GPUs that these get there. */
function fittingOf(
  may: readonly AllocatedNode[],
  options: Options,
  sizes: Sizes,
  { nodes, onNode }: { readonly nodes: number; readonly onNode: number },
): { readonly enough: readonly AllocatedNode[]; readonly gpusOnNode: number } | Refusal {
  const cpusPerTask = sizes.cpusPerTask ?? 1;
  const cpus = (options.has('overcommit') ? 1 : onNode) * cpusPerTask;
  const fitting = may.filter((node) => node.cpus >= cpus);
  if (fitting.length < nodes) return unavailable('More processors requested than permitted');
  const ofTasks = sizes.gpusPerTask === undefined ? undefined : sizes.gpusPerTask * onNode;
  const ofAll = sizes.gpus === undefined ? undefined : Math.ceil(sizes.gpus / nodes);
  const gpusOnNode = sizes.gpusPerNode ?? sizes.gres ?? ofTasks ?? ofAll ?? 0;
  if (/^none$/i.test(lastOf(options, 'gres') ?? '') && (sizes.gpusPerNode ?? 0) > 0) {
    return unavailable('Invalid Trackable RESource (TRES) specification');
  }
  const named = Math.max(sizes.gpusPerNode ?? 0, sizes.gres ?? 0, ofAll ?? 0);
  const able = fitting.filter((node) => node.gpus >= named);
  if (able.length < nodes) return unavailable('Invalid generic resource (gres) specification');
  const withTasks = able.filter((node) => node.gpus >= (ofTasks ?? 0));
  if (withTasks.length < nodes) return unavailable('More processors requested than permitted');
  const enough = withTasks.filter((node) => node.memoryMiB >= memoryOf(sizes, node, onNode));
  if (enough.length >= nodes) return { enough, gpusOnNode };
  return unavailable(
    sizes.memoryPerCpu === undefined
      ? 'Memory required by task is not available'
      : 'More processors requested than permitted',
  );
}

/** Memory in MiB that a number of tasks of a part takes on a node. */
function memoryOf({ memory, memoryPerCpu, cpusPerTask = 1 }: Sizes, node: AllocatedNode, tasks: number): number {
  return memory ?? (memoryPerCpu === undefined ? node.memoryMiB : memoryPerCpu * cpusPerTask * tasks);
}

/** Place among the nodes of each task: block by block unless `--distribution` wants another way. */
function nodesOfTasks(
  nodes: readonly AllocatedNode[],
  distribution = 'block',
  { tasks, onNode, cpus }: { readonly tasks: number; readonly onNode: number; readonly cpus: number },
): number[] {
  const [, plane] = /^plane=(\d+)/i.exec(distribution) ?? [];
  if (/^cyclic/i.test(distribution) || plane !== undefined) {
    const width = Math.max(1, Number(plane ?? 1));
    return Array.from({ length: tasks }, (_, task) => Math.floor(task / width) % nodes.length);
  }
  const places: number[] = [];
  for (const [at, node] of nodes.entries()) {
    const even = Math.min(onNode, Math.ceil((tasks - places.length) / (nodes.length - at)));
    const full = Math.min(tasks - places.length, Math.floor(node.cpus / cpus));
    const count = /^pack|,pack/i.test(distribution) ? full : even;
    places.push(...Array.from({ length: count }, () => at));
  }
  return places;
}

interface RankPlace {
  readonly node: AllocatedNode;
  readonly nodeId: number;
  readonly count: number;
  readonly local: number;
  readonly rank: number;
  readonly gpusOnNode: number;
  readonly command: readonly string[];
  readonly cwd: string;
}

function rankOf(
  options: Options,
  sizes: Sizes,
  { node, nodeId, count, local, rank, gpusOnNode, command, cwd }: RankPlace,
): Rank {
  const cpusPerTask = sizes.cpusPerTask ?? 1;
  const own = sizes.gpusPerTask ?? gpusOnNode;
  const firstGpu = sizes.gpusPerTask === undefined ? 0 : local * own;
  const gpuList = Array.from({ length: own }, (_, one) => firstGpu + one).join(',');
  return {
    node: node.name,
    rank,
    command,
    cpus: options.has('overcommit') ? Math.min(cpusPerTask, node.cpus / count) : cpusPerTask,
    gpus: gpusOnNode / count,
    ...(sizes.memory === 0 ? {} : { memoryMiB: memoryOf(sizes, node, count) / count }),
    env: {
      SLURM_PROCID: String(rank),
      SLURM_LOCALID: String(local),
      SLURM_NODEID: String(nodeId),
      SLURMD_NODENAME: node.name,
      SLURM_CPUS_ON_NODE: String(Math.min(node.cpus, cpusPerTask * count)),
      ...(sizes.cpusPerTask === undefined ? {} : { SLURM_CPUS_PER_TASK: String(cpusPerTask) }),
      ...(own > 0
        ? { CUDA_VISIBLE_DEVICES: gpuList, GPU_DEVICE_ORDINAL: gpuList, SLURM_STEP_GPUS: gpuList }
        : { CUDA_VISIBLE_DEVICES: undefined, GPU_DEVICE_ORDINAL: undefined }),
      ...exportedBy(lastOf(options, 'export')),
    },
    inheritsEnv: !/^NONE$/i.test(lastOf(options, 'export') ?? ''),
    readsStdin: true,
    ...(lastOf(options, 'chdir') === undefined ? {} : { cwd: lastOf(options, 'chdir') ?? cwd }),
  };
}

/** Variables that `--export=ALL,NAME=VALUE` sets. */
function exportedBy(text: string | undefined): Record<string, string> {
  return Object.fromEntries(
    (text ?? '').split(',').flatMap((word) => {
      const at = word.indexOf('=');
      return at > 0 ? [[word.slice(0, at), word.slice(at + 1)]] : [];
    }),
  );
}

function unavailable(why: string): Refusal {
  return refused('srun', `Unable to create step for job: ${why}`);
}

/** Nodes of the components of a heterogeneous job that a part names, of the first where it names none. */
function groupsOf(group: string | undefined, { components, nodes }: Allocation): readonly AllocatedNode[] | Refusal {
  if (components.length <= 1) {
    if (group === undefined) return nodes;
    return refused(
      'srun',
      group === '0'
        ? 'No directives to start application on any available hetjob components'
        : `Requested het-group offset exceeds highest hetjob index (${group} > 0)`,
    );
  }
  const chosen = (group ?? '0').split(',').map((word) => components[Number(word)]);
  if (chosen.some((one) => one === undefined)) return refused('srun', `Invalid --het-group: ${group}`);
  const names = new Set(chosen.flatMap((one) => one ?? []));
  return nodes.filter(({ name }) => names.has(name));
}
