import { Refused, refusedOr } from '../refused.js';
import type { AllocatedNode, Allocation, Call, Launch, LauncherStandIn, Rank } from '../standins.js';
import { readErf } from './erf.js';
import { flags, type LaunchedProgram, type LauncherGrammar, readLaunch, valued } from './grammar.js';
import { nodeNamed, type Place, ranksAt } from './ranks.js';

const count = /^[1-9]\d*$/;

function refused(text: string): Refused {
  return new Refused(`Error: ${text}`, 1);
}

const sized = ['--nrs', '--tasks_per_rs', '--cpu_per_rs', '--gpu_per_rs', '--rs_per_host', '--rs_per_socket', '--np'];

/** IBM's jsrun: tasks in resource sets, or placed by an explicit resource file; one program. */
export const jsrun: LauncherGrammar = {
  style: 'getopt',
  parts: false,
  refusesTwice: false,
  options: [
    { names: ['--nrs', '-n'], value: /^([1-9]\d*|ALL_HOSTS)$/ },
    { names: ['--tasks_per_rs', '-a'], value: count },
    { names: ['--cpu_per_rs', '-c'], value: /^([1-9]\d*|ALL_CPUS)$/ },
    { names: ['--gpu_per_rs', '-g'], value: /^(\d+|ALL_GPUS)$/ },
    { names: ['--rs_per_host', '-r'], value: count },
    { names: ['--rs_per_socket', '-K'], value: count },
    { names: ['--np', '-p'], value: count },
    { names: ['--memory_per_rs', '-m'], value: count },
    { names: ['--bind', '-b'], value: /^(none|rs|(proportional-)?packed(:(smt:)?[1-9]\d*)?)$/ },
    { names: ['--launch_distribution', '-d'], value: /^(packed|cyclic|plane:[1-9]\d*)$/ },
    { names: ['--latency_priority', '-l'], value: /^(cpu|gpu|memory)-(cpu|gpu|memory)$/i },
    { names: ['--exit_on_error', '-X'], value: /^[01]$/ },
    { names: ['--erf_input', '-U'], value: /^.+$/s },
    { names: ['--env', '-E'], value: /^[\s\S]+$/, repeats: true },
    { names: ['--env_eval', '-F'], value: /^[\s\S]+$/, repeats: true },
    { names: ['--smpiargs', '-M'], value: /^[\s\S]*$/ },
    { names: ['--stdio_mode', '-e'], value: /^(individual|collected|prepended)$/ },
    ...valued(
      '--chdir|-h --stdio_input|-t --stdio_stdout|-o --stdio_stderr|-k --allocate_only|-A --use_reservation|-J',
    ),
    ...valued('--appfile|-f --erf_output|-S --pre_post_exec|-P --spawn_rs|-s --data_store|-D --exclude_hosts|-x'),
    ...flags('--immediate|-i --zero_output|-Z --use_spindle|-Q --help|-? --version|-V'),
  ],
  refusal: (fault, option, value) => {
    if (fault === 'missing') return refused(`option requires an argument: ${option}`);
    if (fault === 'value') return refused(`invalid argument for ${option}: ${value}`);
    return refused(`unrecognized option '${option}'`);
  },
  check: ([program]) => {
    const { options = {}, command = [] } = program ?? {};
    if (options['--erf_input'] !== undefined) {
      const beside = [...sized, '--memory_per_rs', '--bind', '--launch_distribution'].find(
        (name) => options[name] !== undefined,
      );
      if (beside !== undefined) throw refused(`${beside} cannot stand beside an explicit resource file`);
      return undefined;
    }
    if (options['--np'] !== undefined && options['--nrs'] !== undefined)
      throw refused('--np and --nrs exclude each other');
    if (command.length === 0) throw refused('no program');
    if (options['--rs_per_host'] !== undefined && options['--rs_per_socket'] !== undefined) {
      throw refused('--rs_per_host and --rs_per_socket exclude each other');
    }
    const cpus = Number(options['--cpu_per_rs'] ?? 1);
    const bound = Number(/packed:(?:smt:)?(\d+)$/.exec(options['--bind'] ?? '')?.[1] ?? 1);
    if (bound * Number(options['--tasks_per_rs'] ?? 1) > cpus)
      throw refused('more CPUs bound than the resource set has');
    return options['--np'] === undefined && options['--nrs'] === undefined ? ['no number of resource sets'] : [];
  },
};

interface Placed {
  readonly places: readonly Place[];
  readonly cpus: readonly number[];
  readonly gpus: readonly number[];
  readonly programs: readonly LaunchedProgram[];
  readonly memoryMiB?: number;
  readonly fixed: boolean;
  readonly warnings?: readonly string[];
}

/** jsrun: sets hold what they ask for, and wait until it is free. One task that fails ends all only where that was asked for. */
export const jsrunStandIn: LauncherStandIn = (call, allocation) =>
  refusedOr((): Launch => {
    const [program] = readLaunch(jsrun, call.argv).programs as [LaunchedProgram];
    if (allocation === undefined) throw refused('JSM daemon is not running: jsrun runs in a job');
    const file = program.options['--erf_input'];
    const placed = file === undefined ? inSets(program, allocation.nodes) : byFile(call, program, file, allocation);
    const ranks = ranksAt(
      placed.places,
      placed.programs,
      (one): Pick<Rank, 'cpus' | 'gpus' | 'env'> & Partial<Rank> => {
        const own = (program.all['--env'] ?? []).map((word) => {
          const [, name = word, value = call.env[word]] = /^([^=]+)=(.*)$/s.exec(word) ?? [];
          return [name, value];
        });
        const chdir = program.options['--chdir'];
        return {
          cpus: placed.cpus[one.rank] ?? 1,
          gpus: placed.gpus[one.rank] ?? 0,
          ...(placed.memoryMiB === undefined ? {} : { memoryMiB: placed.memoryMiB }),
          ...(chdir === undefined ? {} : { cwd: chdir }),
          env: {
            ...Object.fromEntries(own),
            OMPI_COMM_WORLD_RANK: String(one.rank),
            OMPI_COMM_WORLD_SIZE: String(one.size),
            OMPI_COMM_WORLD_LOCAL_RANK: String(one.localRank),
            OMPI_COMM_WORLD_LOCAL_SIZE: String(one.localSize),
            PMIX_RANK: String(one.rank),
            PMIX_NAMESPACE: allocation.jobId,
            JSM_NAMESPACE_RANK: String(one.rank),
            JSM_NAMESPACE_SIZE: String(one.size),
            JSM_NAMESPACE_LOCAL_RANK: String(one.localRank),
          },
        };
      },
    );
    const ends = program.options['--exit_on_error'] === '1';
    return {
      ranks,
      fixedNodes: placed.fixed,
      endsOthers: ends ? 'on failure' : 'never',
      overlaps: false,
      waits: true,
      ...(placed.warnings === undefined ? {} : { warnings: placed.warnings }),
    };
  });

/** Sets of tasks, so many a host, on the first hosts that take them. */
function inSets(program: LaunchedProgram, nodes: readonly AllocatedNode[]): Placed {
  const { options } = program;
  const [first] = nodes;
  if (first === undefined) throw refused('the job has no compute nodes');
  const all = (text: string | undefined, whole: number, usual: number) =>
    text === undefined ? usual : /^\d+$/.test(text) ? Number(text) : whole;
  const isBare = sized.every((name) => options[name] === undefined);
  const cpus = all(options['--cpu_per_rs'], first.cpus, isBare ? first.cpus : 1);
  const gpus = all(options['--gpu_per_rs'], first.gpus, isBare ? first.gpus : 0);
  const tasks = Number(options['--tasks_per_rs'] ?? 1);
  const memory = options['--memory_per_rs'] === undefined ? undefined : Number(options['--memory_per_rs']);
  const fitting = Math.min(
    Math.floor(first.cpus / cpus),
    gpus === 0 ? Number.POSITIVE_INFINITY : Math.floor(first.gpus / gpus),
    memory === undefined ? Number.POSITIVE_INFINITY : Math.floor(first.memoryMiB / memory),
  );
  const perSocket = options['--rs_per_socket'];
  const perHost = Number(options['--rs_per_host'] ?? (perSocket === undefined ? fitting : 2 * Number(perSocket)));
  const sets = all(options['--nrs'] ?? options['--np'], nodes.length * perHost, isBare ? nodes.length : 1);
  if (perHost > fitting || fitting < 1 || sets > perHost * nodes.length) {
    throw refused(
      `It is not possible to satisfy the request: ${sets} resource sets of ${cpus} CPUs and ${gpus} GPUs, ${perHost} a host, on ${nodes.length} hosts`,
    );
  }
  const places = Array.from({ length: sets }, (_, set) =>
    Array.from({ length: tasks }, () => ({ node: nodes[Math.floor(set / perHost)]?.name ?? '', program: 0 })),
  ).flat();
  const share = (whole: number, place: number) => Math.floor(whole / tasks) + (place % tasks < whole % tasks ? 1 : 0);
  return {
    places,
    cpus: places.map((_, rank) => share(cpus, rank)),
    gpus: places.map((_, rank) => share(gpus, rank)),
    programs: [program],
    ...(memory === undefined ? {} : { memoryMiB: Math.floor(memory / tasks) }),
    fixed: false,
  };
}

/** Every rank where a file says. */
function byFile(call: Call, program: LaunchedProgram, path: string, allocation: Allocation): Placed {
  const text = call.readFile(path);
  if (text === undefined) throw refused(`cannot open explicit resource file ${path}`);
  const { ranks, apps, doubts } = readErf(text);
  if (apps.length > 0 && program.command.length > 0)
    throw refused('a program beside those of the explicit resource file');
  if (apps.length === 0 && program.command.length === 0) throw refused('no program');
  const threads = allocation.nodes[0]?.threadsPerCore ?? 1;
  const places = ranks.map(({ host, app = 0, cpus }) => {
    const node = typeof host === 'number' ? allocation.nodes[host - 1] : nodeNamed(allocation, host);
    if (node === undefined) throw refused(`host ${host} is not in the job`);
    const missing = cpus.find((cpu) => cpu >= node.cpus * threads);
    if (missing !== undefined) throw refused(`CPU ${missing} is not on ${node.name}, which has ${node.cpus}`);
    return { node: node.name, program: app };
  });
  return {
    places,
    cpus: held(ranks.map(({ host, cpus }) => ({ host, numbers: cpus }))).map((count) => Math.ceil(count / threads)),
    gpus: held(ranks.map(({ host, gpus }) => ({ host, numbers: gpus }))),
    programs: apps.length > 0 ? apps.map((command) => ({ options: {}, all: {}, command })) : [program],
    fixed: true,
    warnings: doubts.map((one) => `Warning: ${one}`),
  };
}

/** Numbers of CPUs or GPUs that each rank holds: what several have counts for the first of them. */
function held(sets: readonly { readonly host: number | string; readonly numbers: readonly number[] }[]): number[] {
  const seen = new Set<string>();
  return sets.map(({ host, numbers }) => {
    const own = numbers.map((number) => `${host} ${number}`).filter((one) => !seen.has(one));
    for (const one of own) seen.add(one);
    return own.length;
  });
}
