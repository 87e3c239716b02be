import { parseOptions } from '../getopt.js';
import { lastOf, type Options } from '../schedulers/slurm/given.js';
import { srunOptions } from '../schedulers/slurm/options.js';
import { refused } from '../schedulers/slurm/size.js';
import { foldCounts, foldHosts } from '../schedulers/slurm/values.js';
import {
  type Allocation,
  type Call,
  isRefusal,
  type Launch,
  type LauncherStandIn,
  type Rank,
  type Refusal,
} from '../standins.js';
import { type Part, partOf } from './srun-part.js';

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
    return { stderr: 'srun: fatal: No command given to execute.\n', code: 1 };
  }
  if (parts.some(({ options }) => options.has('ntasks-per-gpu')) && env['SLURM_NTASKS_PER_NODE'] !== undefined) {
    const rivals = 'SLURM_NTASKS_PER_NODE is mutually exclusive with --ntasks-per-gpu and SLURM_NTASKS_PER_GPU';
    return { stderr: `srun: fatal: ${rivals}\n`, code: 1 };
  }
  const launch = launchOf(parts, allocation, { cwd, readFile });
  if (!first.options.has('test-only') || isRefusal(launch)) return launch;
  return { stdout: '', stderr: `srun: Job ${allocation.jobId} to start now\n`, code: 0 };
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

function launchOf(
  parts: readonly Part[],
  allocation: Allocation,
  place: Pick<Call, 'cwd' | 'readFile'>,
): Launch | Refusal {
  const ranks: Rank[] = [];
  const used = new Set<string>();
  let overlaps = false;
  let fixed = parts.length > 1;
  let whole = false;
  const among = new Set<string>();
  const warnings: string[] = [];
  for (const part of parts) {
    const own = partOf(part, allocation, { ...place, first: ranks.length, used });
    if (isRefusal(own)) return own;
    ranks.push(...own.ranks);
    warnings.push(...own.warnings);
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
    warnings,
    among: [...among],
    ...(whole && node !== undefined && !overlaps
      ? { holds: { cpus: Math.max(...allocation.nodes.map(({ cpus }) => cpus)), gpus: 0, memoryMiB: 0 } }
      : {}),
    outlivesNodes: options.has('no-kill') && lastOf(options, 'no-kill') !== 'off',
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
