/** An option as a launcher's own parser has it. */
interface KnownOption {
  /** All of its names, with their dashes. */
  readonly names: readonly string[];
  /** Pattern of its value; absent for a flag. */
  readonly value?: RegExp;
  /** It may come again. */
  readonly repeats?: true;
  /** It is of the whole line: it stands before the first program. */
  readonly once?: true;
  /** Number of words of its value, where they are two. */
  readonly words?: 2;
}

/** The words of one program of a launch, and its options by the first of their names. */
export interface LaunchedProgram {
  readonly options: Readonly<Record<string, string>>;
  readonly command: readonly string[];
}

/** Option parsers of launchers: their options, whether `--name=value` is read, and what their programs are parted by. */
export interface LauncherGrammar {
  readonly options: readonly KnownOption[];
  readonly joins: boolean;
  readonly parts: boolean;
  /** Refuses options that do not go together. */
  check?(programs: readonly LaunchedProgram[]): void;
}

const any = /^[\s\S]+$/;
const count = /^[1-9]\d*$/;
/** Hosts, or what the runtime and the shell fill in. */
const hosts = /^(\{hosts\}|"?\$.*|[A-Za-z0-9][\w.-]*(,[A-Za-z0-9][\w.-]*)*)$/;
const hostSlots = /^(\{hosts(:[1-9]\d*)?\}|"?\$.*|[A-Za-z][\w.-]*(:[1-9]\d*)?(,[A-Za-z][\w.-]*(:[1-9]\d*)?)*)$/;
const numbers = /^\d+(-\d+)?(,\d+(-\d+)?)*$/;

function refuse(problem: string): never {
  throw new Error(problem);
}

/** Open MPI 4: orterun's options. Hosts are given in slots, and more tasks than slots are refused. */
export const openMpi: LauncherGrammar = {
  joins: false,
  parts: true,
  options: [
    { names: ['-np', '-n', '-c', '--np', '--n'], value: count },
    {
      names: ['--map-by'],
      once: true,
      value:
        /^(slot|hwthread|core|L[123]cache|socket|numa|board|node|seq|ppr:[1-9]\d*:(node|socket|numa|core|hwthread))(:(PE=[1-9]\d*|SPAN|NOOVERSUBSCRIBE))*$/,
    },
    {
      names: ['--bind-to'],
      once: true,
      value: /^(none|hwthread|core|l[123]cache|socket|numa|board|cpu-list(:ordered)?)(:overload-allowed)?$/,
    },
    { names: ['--cpu-list', '--cpu-set'], once: true, value: numbers },
    { names: ['--host', '-host', '-H'], value: hostSlots },
    { names: ['--hostfile', '-hostfile', '--machinefile', '-machinefile'], value: any },
    { names: ['-x'], value: /^[^=\s]+(=[\s\S]*)?$/, repeats: true },
    { names: ['--mca', '-mca'], value: any, words: 2, repeats: true },
    { names: ['--oversubscribe'], once: true },
    { names: ['--tag-output'], once: true },
    { names: ['--wdir', '-wdir'], value: any },
  ],
  check: (programs) => {
    for (const { options } of programs) {
      if (options['-np'] === undefined) refuse('no number of tasks');
      const perNode = Number(/^ppr:(\d+):node/.exec(options['--map-by'] ?? '')?.[1] ?? 1);
      const host = options['--host'] ?? '';
      const slots = host.startsWith('"')
        ? [perNode]
        : host.split(',').map((one) => Number(/:(\d+)\}?$/.exec(one)?.[1] ?? 1));
      if (host !== '' && slots.some((one) => one < perNode)) refuse(`${perNode} tasks a host, and slots for fewer`);
      const isNamed = host !== '' && !/[{$]/.test(host);
      if (isNamed && slots.reduce((sum, one) => sum + one, 0) < Number(options['-np'])) refuse('not enough slots');
      if (options['--cpu-list'] !== undefined && options['--bind-to']?.startsWith('cpu-list') !== true) {
        refuse('a list of CPUs that nothing is bound to');
      }
    }
  },
};

/** MPICH's hydra, 4.0. Options of the whole line begin with one dash, as the others do. */
export const hydra: LauncherGrammar = {
  joins: false,
  parts: true,
  options: [
    { names: ['-n', '-np'], value: count },
    { names: ['-ppn', '-perhost'], value: count, once: true },
    { names: ['-hosts', '-host'], value: hostSlots, once: true },
    { names: ['-f', '-hostfile', '-machinefile'], value: any, once: true },
    {
      names: ['-bind-to', '-binding'],
      once: true,
      value: /^(none|user:\d+(\+\d+)*(,\d+(\+\d+)*)*|(hwthread|core|socket|numa|machine)(:\d+)?)$/,
    },
    { names: ['-map-by'], once: true, value: /^(hwthread|core|socket|numa|machine)(:\d+)?$/ },
    { names: ['-genv'], value: any, words: 2, repeats: true, once: true },
    { names: ['-env'], value: any, words: 2, repeats: true },
    { names: ['-genvlist'], value: any, once: true },
    { names: ['-l', '-prepend-rank'], once: true },
    { names: ['-launcher'], value: any, once: true },
    { names: ['-wdir'], value: any },
  ],
  check: (programs) => {
    for (const { options } of programs) if (options['-n'] === undefined) refuse('no number of tasks');
  },
};

/** HPE's PALS: mpiexec of Cray EX. */
export const pals: LauncherGrammar = {
  joins: true,
  parts: true,
  options: [
    { names: ['--np', '-n', '-np'], value: count },
    { names: ['--ppn', '-ppn', '-N'], value: count },
    { names: ['--depth', '-d'], value: count },
    { names: ['--hosts', '--hostlist'], value: hosts, once: true },
    { names: ['--hostfile'], value: any, once: true },
    {
      names: ['--cpu-bind'],
      once: true,
      value: /^(none|depth|core|numa|socket|thread|list:\d+(-\d+)?([,:]\d+(-\d+)?)*)$/,
    },
    { names: ['--gpu-bind'], value: /^(none|list:\d+([,:]\d+)*)$/, once: true },
    { names: ['--mem-bind'], value: /^(none|local|list:\d+([,:]\d+)*)$/, once: true },
    { names: ['--env'], value: any, repeats: true },
    { names: ['--abort-on-failure', '--no-abort-on-failure'], once: true },
    { names: ['--label', '-l'], once: true },
  ],
  check: (programs) => {
    for (const { options } of programs) {
      if (options['--np'] === undefined) refuse('no number of tasks');
      if (Number(options['--ppn'] ?? 1) > Number(options['--np'])) refuse('more tasks a node than tasks');
    }
  },
};

/** Cray XC's aprun. */
export const aprun: LauncherGrammar = {
  joins: true,
  parts: true,
  options: [
    { names: ['--pes', '-n'], value: count },
    { names: ['--pes-per-node', '-N'], value: count },
    { names: ['--cpus-per-pe', '-d'], value: count },
    { names: ['--memory-per-pe', '-m'], value: /^[1-9]\d*[kmg]?(hs?)?$/i },
    { names: ['--node-list', '-L'], value: numbers, once: true },
    { names: ['--exclude-node-list', '-E'], value: numbers, once: true },
    { names: ['--cpu-binding', '-cc'], value: /^(none|cpu|depth|numa_node|\d+(-\d+)?([,:]\d+(-\d+)?)*)$/, once: true },
    { names: ['--cpus-per-cu', '-j'], value: count },
    { names: ['--pes-per-numa-node', '-S'], value: count },
    { names: ['--environment-override', '-e'], value: any, repeats: true },
    { names: ['--quiet', '-q'], once: true },
  ],
  check: (programs) => {
    for (const { options } of programs) {
      if (options['--pes'] === undefined) refuse('no number of tasks');
      if (Number(options['--pes-per-node'] ?? 1) > Number(options['--pes'])) refuse('more tasks a node than tasks');
    }
  },
};

/** IBM's jsrun: tasks in resource sets, or placed by an explicit resource file; one program. */
export const jsrun: LauncherGrammar = {
  joins: true,
  parts: false,
  options: [
    { names: ['--nrs', '-n'], value: count },
    { names: ['--tasks_per_rs', '-a'], value: count },
    { names: ['--cpu_per_rs', '-c'], value: /^([1-9]\d*|ALL_CPUS)$/ },
    { names: ['--gpu_per_rs', '-g'], value: /^(\d+|ALL_GPUS)$/ },
    { names: ['--rs_per_host', '-r'], value: count },
    { names: ['--rs_per_socket', '-K'], value: count },
    { names: ['--np', '-p'], value: count },
    { names: ['--memory_per_rs', '-m'], value: count },
    { names: ['--bind', '-b'], value: /^(none|rs|packed(:(smt:)?[1-9]\d*)?)$/ },
    { names: ['--launch_distribution', '-d'], value: /^(packed|cyclic|plane:[1-9]\d*)$/ },
    { names: ['--latency_priority', '-l'], value: /^(cpu|gpu|memory)-(cpu|gpu|memory)$/i },
    { names: ['--exit_on_error', '-X'], value: /^[01]$/ },
    { names: ['--erf_input', '-U'], value: any },
    { names: ['--env', '-E'], value: any, repeats: true },
    { names: ['--smpiargs', '-M'], value: any },
    { names: ['--stdio_mode', '-e'], value: /^(individual|collected|prepended)$/ },
  ],
  check: ([program]) => {
    const options = program?.options ?? {};
    const sized = [
      '--nrs',
      '--tasks_per_rs',
      '--cpu_per_rs',
      '--gpu_per_rs',
      '--rs_per_host',
      '--memory_per_rs',
      '--np',
    ];
    if (options['--erf_input'] !== undefined) {
      if ([...sized, '--bind'].some((name) => options[name] !== undefined))
        refuse('resource sets beside a file of them');
      return;
    }
    if (options['--np'] !== undefined && options['--nrs'] !== undefined) refuse('--np and --nrs');
    if (options['--np'] === undefined && options['--nrs'] === undefined) refuse('no number of sets');
    const cpus = Number(options['--cpu_per_rs'] ?? 1);
    const bound = Number(/^packed:(\d+)$/.exec(options['--bind'] ?? '')?.[1] ?? 1);
    if (bound * Number(options['--tasks_per_rs'] ?? 1) > cpus) refuse('more CPUs bound than the set has');
  },
};

/**
 * Reads the words after a launcher as it does: options up to the first other word, which is the program.
 *
 * @throws Error for what the launcher refuses, and for an option that is there twice.
 */
export function readLaunch(grammar: LauncherGrammar, words: readonly string[]): LaunchedProgram[] {
  const parts: string[][] = [[]];
  for (const word of words) {
    if (grammar.parts && word === ':') parts.push([]);
    else parts.at(-1)?.push(word);
  }
  const programs = parts.map((part, index) => readProgram(grammar, part, index === 0));
  grammar.check?.(programs);
  if (programs.length > 1 && programs.some(({ command }) => command.length === 0)) refuse('a program is missing');
  return programs;
}

function readProgram(grammar: LauncherGrammar, words: readonly string[], isFirst: boolean): LaunchedProgram {
  const options: Record<string, string> = {};
  const left = [...words];
  while (left[0]?.startsWith('-')) {
    const word = left.shift() as string;
    const [, name = word, joined] = (grammar.joins ? /^(--[^=]+)(?:=([\s\S]*))?$/.exec(word) : null) ?? [];
    const option = grammar.options.find(({ names }) => names.includes(name)) ?? refuse(`no such option: ${word}`);
    const first = option.names[0] as string;
    if (option.once === true && !isFirst) refuse(`${name} is of the whole line`);
    if (options[first] !== undefined && option.repeats !== true) refuse(`${name} is there twice`);
    if (option.value === undefined && joined !== undefined) refuse(`${name} takes no value`);
    const values =
      option.value === undefined ? [] : joined === undefined ? left.splice(0, option.words ?? 1) : [joined];
    if (option.value !== undefined && values.length < (option.words ?? 1)) refuse(`${name} needs a value`);
    for (const value of values) if (option.value?.test(value) === false) refuse(`${name} cannot be ${value}`);
    options[first] = [options[first], values.join(' ')].filter((one) => one !== undefined).join(',');
  }
  return { options, command: left };
}

/** Launch lines of a script by a launcher's program: the words after it, without quotes and redirections. */
export function launchLines(script: string, program: string): string[][] {
  return script
    .replace(/ \\\n\s*/g, ' ')
    .split('\n')
    .flatMap((line) => {
      const words = (line.match(/(?:"(?:[^"\\]|\\.)*"|'[^']*'|[^\s"'])+/g) ?? []).map((word) =>
        word.replace(/^'([^']*)'$/, '$1'),
      );
      const at = words.indexOf(program);
      if (at < 0 || !/^\s*(\d+\) )?runtime (up|launch|hold)\b/.test(line)) return [];
      const end = words.findIndex((word, place) => place > at && /^(&|;;|\|\||<|>)/.test(word));
      return [words.slice(at + 1, end < 0 ? undefined : end)];
    });
}
