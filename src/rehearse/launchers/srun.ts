import { parseOptions } from '../getopt.js';
import { srunOptions } from '../schedulers/slurm/options.js';
import { lastOf, type Options, readSizes, refused } from '../schedulers/slurm/size.js';
import { expandHosts, foldCounts, foldHosts } from '../schedulers/slurm/values.js';
import {
  type AllocatedNode,
  type Allocation,
  isRefusal,
  type Launch,
  type LauncherStandIn,
  type Rank,
  type Refusal,
} from '../standins.js';

/** Variables that srun reads as options, which the command line overrides. */
const variables: readonly (readonly [variable: string, option: string])[] = [
  ['SLURM_NNODES', 'nodes'],
  ['SLURM_JOB_NUM_NODES', 'nodes'],
  ['SLURM_NTASKS', 'ntasks'],
  ['SLURM_NPROCS', 'ntasks'],
  ['SLURM_NTASKS_PER_NODE', 'ntasks-per-node'],
  ['SLURM_GPUS', 'gpus'],
  ['SLURM_GPUS_PER_NODE', 'gpus-per-node'],
  ['SLURM_GPUS_PER_TASK', 'gpus-per-task'],
  ['SLURM_GRES', 'gres'],
  ['SLURM_MEM_PER_NODE', 'mem'],
  ['SLURM_MEM_PER_CPU', 'mem-per-cpu'],
  ['SLURM_EXPORT_ENV', 'export'],
  ['SLURM_OVERLAP', 'overlap'],
  ['SLURM_EXACT', 'exact'],
  ['SLURM_KILL_BAD_EXIT', 'kill-on-bad-exit'],
  ['SLURM_HET_GROUP', 'het-group'],
];

/** Options that exclude each other: a size from the environment does not stand beside another one from the command line. */
const rivals: readonly (readonly string[])[] = [
  ['mem', 'mem-per-cpu', 'mem-per-gpu'],
  ['gpus', 'gpus-per-node', 'gpus-per-task', 'gres'],
];

/** A program of a step, with its options. */
interface Part {
  readonly options: Options;
  readonly command: readonly string[];
}

/** srun of Slurm 22.05 inside a job. */
export const srun: LauncherStandIn = ({ argv, env, cwd, readFile }, allocation) => {
  if (allocation === undefined)
    return refused('srun', 'Unable to allocate resources: this rehearsal has srun inside jobs only');
  const parts: Part[] = [];
  for (const words of splitAt(argv, ':')) {
    const parsed = parseOptions('srun', words, srunOptions);
    if ('refused' in parsed)
      return { stderr: `${parsed.refused}\nTry "srun --help" for more information\n`, code: 255 };
    parts.push({ options: withVariables(parsed.options, env, parts.length), command: parsed.rest });
  }
  const [first] = parts;
  if (first === undefined || parts.some(({ command }) => command.length === 0)) {
    return refused('srun', 'No command given to execute.', 255);
  }
  return launchOf(parts, allocation, { cwd, env, readFile });
};

/** A command line's words between separators; a separator is none inside a program's own words, where the line has options of srun behind it. */
function splitAt(words: readonly string[], separator: string): string[][] {
  const parts: string[][] = [[]];
  for (const word of words) {
    if (word === separator) parts.push([]);
    else parts.at(-1)?.push(word);
  }
  return parts;
}

function withVariables(given: Options, env: Readonly<Record<string, string>>, place: number): Options {
  const options = new Map(given);
  const named = new Set(rivals.filter((group) => group.some((one) => given.has(one))).flat());
  const gpusOfJob = (option: string) => !(option.startsWith('gpus') && given.has('gpus-per-node'));
  for (const [variable, option] of variables) {
    const value = env[variable];
    if (value === undefined || options.has(option) || (place > 0 && option === 'het-group')) continue;
    if (named.has(option) && !(option === 'gpus-per-node' && gpusOfJob(option))) continue;
    // A number of nodes of its own makes the job's number of tasks meaningless.
    options.set(option, [value]);
  }
  return options;
}

interface Place {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readFile(path: string): string | undefined;
}

function launchOf(parts: readonly Part[], allocation: Allocation, place: Place): Launch | Refusal {
  const ranks: Rank[] = [];
  const used = new Set<string>();
  let overlaps = false;
  let fixed = parts.length > 1;
  let whole = false;
  const among = new Set<string>();
  for (const part of parts) {
    const own = partOf(part, allocation, { ...place, first: ranks.length, used });
    if (isRefusal(own)) return own;
    ranks.push(...own.ranks);
    for (const rank of own.ranks) used.add(rank.node);
    for (const node of own.among) among.add(node);
    overlaps ||= part.options.has('overlap');
    whole ||= !part.options.has('exact') && !part.options.has('overlap');
    fixed ||= own.fixed;
  }
  const [{ options } = { options: new Map() as Options }] = parts;
  const group = [...used];
  const nodes = group.length;
  const total = ranks.length;
  const perNode = group.map((node) => ranks.filter((rank) => rank.node === node).length);
  const kills = options.has('kill-on-bad-exit') && lastOf(options, 'kill-on-bad-exit') !== '0';
  const [node] = allocation.nodes;
  return {
    name: lastOf(options, 'job-name') ?? ranks[0]?.command[0]?.split('/').at(-1) ?? 'srun',
    ranks: ranks.map((rank) => ({
      ...rank,
      env: {
        ...rank.env,
        SLURM_NTASKS: String(total),
        SLURM_NPROCS: String(total),
        SLURM_STEP_NUM_TASKS: String(total),
        SLURM_STEP_NUM_NODES: String(nodes),
        SLURM_NNODES: String(nodes),
        SLURM_STEP_NODELIST: foldHosts(group),
        SLURM_STEP_TASKS_PER_NODE: foldCounts(perNode),
        SLURM_TASKS_PER_NODE: foldCounts(perNode),
      },
    })),
    fixedNodes: fixed,
    among: [...among],
    ...(whole && node !== undefined && !overlaps
      ? { holds: { cpus: Math.max(...allocation.nodes.map(({ cpus }) => cpus)), gpus: 0, memoryMiB: 0 } }
      : {}),
    endsOthers: kills ? 'on failure' : 'never',
    overlaps,
    waits:
      lastOf(options, 'immediate') === undefined
        ? true
        : refused('srun', 'Unable to create step for job: Requested nodes are busy'),
    exitCode: 'highest',
    onTerminate: 'kills',
    missing: ({ command: [program = ''] }) => ({
      stderr: `slurmstepd: error: execve(): ${program}: No such file or directory\nsrun: error: ${ranks[0]?.node}: task 0: Exited with exit code 2\n`,
      code: 2,
    }),
  };
}

interface Placed {
  readonly ranks: readonly Rank[];
  readonly fixed: boolean;
  readonly among: readonly string[];
}

function partOf(
  { options, command }: Part,
  allocation: Allocation,
  { first, used, cwd, env, readFile }: Place & { first: number; used: ReadonlySet<string> },
): Placed | Refusal {
  const sizes = readSizes('srun', options);
  if ('stderr' in sizes) return sizes;
  const group = lastOf(options, 'het-group');
  const members = groupsOf(group, allocation);
  if (members === undefined) return refused('srun', `Invalid --het-group: ${group}`);
  const named = lastOf(options, 'nodelist');
  const not = new Set(expandHosts(lastOf(options, 'exclude') ?? ''));
  const hosts = named === undefined ? undefined : expandHosts(named);
  const stranger = hosts?.find((host) => !allocation.nodes.some(({ name }) => name === host));
  if (stranger !== undefined) return unavailable(`Requested node configuration is not available`);
  const may = members.filter(({ name }) => !not.has(name));
  const nodes = Math.min(sizes.nodes ?? may.length, sizes.tasks ?? Number.POSITIVE_INFINITY);
  const tasks = sizes.tasks ?? (sizes.tasksPerNode ?? 1) * nodes;
  const onNode = Math.min(sizes.tasksPerNode ?? Math.ceil(tasks / nodes), tasks);
  const cpusPerTask = sizes.cpusPerTask ?? 1;
  if ((sizes.nodes ?? 0) > allocation.nodes.length) {
    return unavailable('More nodes requested than permitted');
  }
  if (nodes > may.length || (hosts !== undefined && hosts.length < nodes && hosts.length > 0 && may.length < nodes)) {
    return unavailable('Requested node configuration is not available');
  }
  if (onNode * nodes < tasks) return unavailable('More processors requested than permitted');
  // Those named come first; a step that names fewer than it has nodes gets others beside them.
  const candidates = [...(hosts ?? []).flatMap((host) => may.filter(({ name }) => name === host)), ...may].filter(
    (one, at, all) => all.findIndex(({ name }) => name === one.name) === at,
  );
  const fitting = candidates.filter((node) => {
    const onThis = Math.min(onNode, tasks);
    return node.cpus >= onThis * cpusPerTask;
  });
  if (fitting.length < nodes) return unavailable('More processors requested than permitted');
  const gpusOnNode =
    sizes.gpusPerNode ??
    sizes.gres ??
    (sizes.gpusPerTask === undefined ? undefined : sizes.gpusPerTask * onNode) ??
    (sizes.gpus === undefined ? undefined : Math.ceil(sizes.gpus / nodes)) ??
    0;
  const able = fitting.filter((node) => node.gpus >= gpusOnNode);
  if (able.length < nodes) return unavailable('Invalid generic resource (gres) specification');
  const memoryOf = (node: AllocatedNode, onThis: number) =>
    sizes.memory ?? (sizes.memoryPerCpu === undefined ? node.memoryMiB : sizes.memoryPerCpu * cpusPerTask * onThis);
  const enough = able.filter((node) => node.memoryMiB >= memoryOf(node, onNode));
  if (enough.length < nodes) return unavailable('Memory required by task is not available');
  const fresh = enough.filter(({ name }) => !used.has(name));
  const chosen = (fresh.length >= nodes && hosts === undefined ? fresh : enough).slice(0, nodes);
  const programs = options.has('multi-prog') ? multiProg(command, { cwd, readFile, tasks }) : undefined;
  if (programs !== undefined && 'stderr' in programs) return programs;
  const ranks: Rank[] = [];
  for (const [nodeId, node] of chosen.entries()) {
    const count = Math.min(onNode, Math.ceil((tasks - ranks.length) / (chosen.length - nodeId)));
    for (let local = 0; local < count; local++) {
      const rank = first + ranks.length;
      const own = sizes.gpusPerTask === undefined ? gpusOnNode : sizes.gpusPerTask;
      const firstGpu = sizes.gpusPerTask === undefined ? 0 : local * own;
      const gpuList = Array.from({ length: own }, (_, one) => firstGpu + one).join(',');
      ranks.push({
        node: node.name,
        rank,
        command: programs?.[ranks.length] ?? command,
        cpus: cpusPerTask,
        gpus: gpusOnNode / count,
        ...(sizes.memory === 0 ? {} : { memoryMiB: memoryOf(node, count) / count }),
        env: {
          SLURM_PROCID: String(rank),
          SLURM_LOCALID: String(local),
          SLURM_NODEID: String(nodeId),
          SLURMD_NODENAME: node.name,
          SLURM_CPUS_ON_NODE: String(cpusPerTask * count),
          ...(sizes.cpusPerTask === undefined ? {} : { SLURM_CPUS_PER_TASK: String(cpusPerTask) }),
          ...(own > 0
            ? { CUDA_VISIBLE_DEVICES: gpuList, GPU_DEVICE_ORDINAL: gpuList, SLURM_STEP_GPUS: gpuList }
            : { CUDA_VISIBLE_DEVICES: undefined, GPU_DEVICE_ORDINAL: undefined }),
          ...exportedBy(lastOf(options, 'export')),
        },
        inheritsEnv: !/^NONE$/i.test(lastOf(options, 'export') ?? ''),
        readsStdin: true,
        ...(lastOf(options, 'chdir') === undefined ? {} : { cwd: lastOf(options, 'chdir') ?? cwd }),
      });
    }
  }
  void env;
  return {
    ranks,
    fixed: hosts !== undefined && hosts.length >= nodes,
    among: (hosts !== undefined && hosts.length >= nodes ? chosen : enough).map(({ name }) => name),
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

function groupsOf(group: string | undefined, { components, nodes }: Allocation): readonly AllocatedNode[] | undefined {
  if (components.length <= 1) return nodes;
  const chosen = (group ?? '0').split(',').map((word) => components[Number(word)]);
  if (chosen.some((one) => one === undefined)) return undefined;
  const names = new Set(chosen.flatMap((one) => one ?? []));
  return nodes.filter(({ name }) => names.has(name));
}

/** Programs of the ranks, in their order, by lines of `RANKS PROGRAM WORDS`. */
function multiProg(
  [file = '', ...rest]: readonly string[],
  { readFile, tasks }: { cwd: string; readFile(path: string): string | undefined; tasks: number },
): string[][] | Refusal {
  const text = readFile(file);
  if (text === undefined) return refused('srun', `open of multi-prog file failed: ${file}`);
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
  const missing = Array.from({ length: tasks }, (_, one) => one).find((one) => programs[one] === undefined);
  return missing === undefined
    ? programs
    : refused('srun', `Configuration file ${file} invalid, no record for task id ${missing}`);
}
