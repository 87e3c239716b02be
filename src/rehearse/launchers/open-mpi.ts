import { Refused, refusedOr } from '../refused.js';
import type { Call, Launch, LauncherStandIn, Rank } from '../standins.js';
import { type Fault, flags, type LaunchedProgram, type LauncherGrammar, readLaunch, valued } from './grammar.js';
import { hostsOf, placesOf } from './open-mpi-map.js';
import { ranksAt } from './ranks.js';

const program = 'mpirun';
const rule = '-'.repeat(74);

/** A text of Open MPI's help files: they stand between rules. */
export function helpText(...lines: readonly string[]): Refused {
  return new Refused([rule, ...lines, rule].join('\n'), 1);
}

const number = /^-?\d+$/;
const objects =
  'slot|hwthread|core|l[123]cache|socket|numa|board|node|seq|dist(:\\w+)?|ppr:[^:]*:(node|socket|numa|core|hwthread|l[123]cache|board)';
const modifiers = 'pe=\\d+|span|noversubscribe|nooversubscribe|oversubscribe';
const mapping = new RegExp(`^(${objects})(:(${modifiers})(,(${modifiers}))*)*$`, 'i');
const binding =
  /^(none|hwthread|core|l[123]cache|socket|numa|board|cpu-?list(:ordered)?|cpuset)(:(overload-allowed|if-supported))*$/i;

/** Open MPI 4: orterun's options. Hosts are given in slots, and more tasks than slots are refused. */
export const openMpi: LauncherGrammar = {
  style: 'any dashes',
  parts: true,
  refusesTwice: false,
  options: [
    { names: ['np', 'n', 'c'], value: number },
    { names: ['map-by'], once: true, value: mapping },
    { names: ['bind-to'], once: true, value: binding },
    { names: ['rank-by'], once: true, value: /^(slot|hwthread|core|l[123]cache|socket|numa|board|node)(:\w+)*$/i },
    { names: ['N', 'npernode', 'ppr'], once: true, value: /^\d+(:\w+)?$/ },
    ...valued('cpu-list|cpu-set').map((one) => ({ ...one, once: true as const })),
    ...valued('host|H hostfile|machinefile wdir|wd path'),
    { names: ['x'], value: /^[^=\s]+(=[\s\S]*)?$/, repeats: true },
    { names: ['mca'], value: /^[\s\S]*$/, words: 2, repeats: true },
    { names: ['gmca'], value: /^[\s\S]*$/, words: 2, repeats: true },
    ...flags('oversubscribe nooversubscribe pernode nolocal').map((one) => ({ ...one, once: true as const })),
    { names: ['timeout'], value: number },
    { names: ['max-restarts'], value: number },
    ...flags('tag-output timestamp-output allow-run-as-root display-map display-allocation display-devel-map'),
    ...flags('display-devel-allocation display-diffable-map display-topo report-bindings q|quiet v|verbose'),
    ...flags('V|version bycore bynode byslot bind-to-core bind-to-socket continuous d|debug-devel debug'),
    ...flags('debug-daemons debug-daemons-file disable-recovery enable-recovery do-not-launch do-not-resolve dvm'),
    ...flags('enable-instant-on-support fwd-mpirun-port get-stack-traces index-argv-by-rank leave-session-attached'),
    ...flags('merge-stderr-to-stdout noprefix novm output-proctable report-child-jobs-separately s|preload-binary'),
    ...flags('report-state-on-timeout set-cwd-to-session-dir show-progress tv use-hwthread-cpus use-regexp xml'),
    ...valued('am app cf|cartofile cpus-per-proc|cpus-per-rank debugger default-hostfile hnp launch-agent'),
    ...valued('max-vm-size npersocket ompi-server output-filename personality prefix preload-files report-events'),
    ...valued('report-pid report-uri rf|rankfile stdin tune xml-file xterm'),
  ],
  refusal: (fault, option, value) => refusal(fault, option, value),
  check: (programs) => {
    if (programs.at(-1)?.command.length === 0 && programs.length > 1 && noOptions(programs.at(-1))) {
      return check(programs.slice(0, -1));
    }
    return check(programs);
  },
};

function noOptions(one: LaunchedProgram | undefined): boolean {
  return Object.keys(one?.all ?? {}).length === 0;
}

function refusal(fault: Fault, option: string, value: string | undefined): Refused {
  const bare = option.replace(/^-+/, '');
  if (fault === 'value' && (bare === 'map-by' || bare === 'bind-to' || bare === 'rank-by')) {
    if (bare === 'map-by' && /^ppr:[^:]*$/i.test(value ?? '')) {
      return helpText(
        "The mapping request contains a pattern that doesn't match",
        'the required syntax of #:object',
        '',
        `  Pattern: ${value}`,
      );
    }
    const kind = { 'map-by': 'mapping', 'bind-to': 'binding', 'rank-by': 'ranking' }[bare];
    return helpText(`The specified ${kind} policy is not recognized:`, '', `  Policy: ${value}`);
  }
  if (fault === 'value') {
    return helpText(
      'Open MPI has detected that a parameter given to a command line',
      'option does not match the expected format:',
      '',
      `  Option: ${bare}`,
      `  Param:  ${value}`,
    );
  }
  if (fault === 'no program') {
    return helpText(`No executable was specified on the ${program} command line.`, '', 'Aborting.');
  }
  return new Refused(`${program}: Error: unknown option "${option}"\nType '${program} --help' for usage.`, 1);
}

function check(programs: readonly LaunchedProgram[]): readonly string[] {
  if (programs.some(({ command }) => command.length === 0)) throw refusal('no program', '', undefined);
  const negative = programs.find(({ options }) => Number(options['np'] ?? 0) < 0);
  if (negative !== undefined) {
    throw helpText(
      `${program} has detected that one or more applications was given a negative`,
      'number of processes to run:',
      '',
      `  Application:  ${negative.command[0]}`,
      `  Num procs:    ${negative.options['np']}`,
    );
  }
  const doubts = programs.flatMap(({ options }) => {
    const binds = options['bind-to']?.toLowerCase().startsWith('cpu-list') === true;
    return [
      ...(options['np'] === undefined ? ['no number of tasks'] : []),
      ...(options['cpu-list'] !== undefined && !binds ? ['a list of CPUs that nothing is bound to'] : []),
    ];
  });
  // Hosts that are all named say how many tasks they take, whatever job it is.
  if (programs.every(({ options }) => /^[\w.,:-]+$/.test(options['host'] ?? ''))) placesOf(programs, () => []);
  return doubts;
}

/** Values of a remote rank's environment: Open MPI hands on what is named by `-x`, and what it needs itself. */
function handedOn(call: Call, { all }: LaunchedProgram): Record<string, string> {
  const named = (all['x'] ?? []).map((text): [string, string | undefined] => {
    const [, name = text, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
    return [name, value ?? call.env[name]];
  });
  const own = Object.entries(call.env).filter(([name]) => name.startsWith('OMPI_MCA_') || name === 'LD_LIBRARY_PATH');
  return Object.fromEntries([...own, ...named].filter((one): one is [string, string] => one[1] !== undefined));
}

/** Open MPI's mpirun: it asks nobody for CPUs, and ends all when one ends with an error. */
export const mpirun: LauncherStandIn = (call, allocation) =>
  refusedOr((): Launch => {
    if (call.argv.length === 1 && ['-V', '--version', '-h', '--help'].includes(call.argv[0] as string)) {
      throw new Refused('mpirun (Open MPI) 4.1.4', 0);
    }
    const programs = readLaunch(openMpi, call.argv).programs.filter(({ command }) => command.length > 0);
    const places = placesOf(programs, (one) => hostsOf(call, allocation, one, programs));
    const [first] = programs;
    const pe = Number(/:pe=(\d+)/i.exec(first?.options['map-by'] ?? '')?.[1] ?? 1);
    const ranks = ranksAt(places, programs, (one): Pick<Rank, 'cpus' | 'gpus' | 'env' | 'inheritsEnv'> => {
      const mine = programs[one.program] as LaunchedProgram;
      return {
        cpus: pe,
        gpus: 0,
        inheritsEnv: one.node === call.host,
        ...(mine.options['wdir'] === undefined ? {} : { cwd: mine.options['wdir'] }),
        env: {
          ...handedOn(call, mine),
          OMPI_COMM_WORLD_RANK: String(one.rank),
          OMPI_COMM_WORLD_SIZE: String(one.size),
          OMPI_COMM_WORLD_LOCAL_RANK: String(one.localRank),
          OMPI_COMM_WORLD_LOCAL_SIZE: String(one.localSize),
          OMPI_COMM_WORLD_NODE_RANK: String(one.localRank),
          OMPI_UNIVERSE_SIZE: String(one.size),
          OMPI_APP_CTX_NUM_PROCS: programs
            .map((_, index) => places.filter(({ program: of }) => of === index).length)
            .join(' '),
          OMPI_NUM_APP_CTX: String(programs.length),
          OMPI_COMMAND: mine.command[0] ?? '',
          PMIX_RANK: String(one.rank),
          PMIX_NAMESPACE: `${allocation?.jobId.replace(/\D/g, '') ?? 0}01`,
        },
      };
    });
    const warnings = programs
      .flatMap(({ all }) => all['x'] ?? [])
      .filter((name) => !name.includes('=') && call.env[name] === undefined)
      .map((name) => `Warning: could not find environment variable "${name}"`);
    return {
      ranks,
      fixedNodes: true,
      endsOthers: 'on failure',
      overlaps: true,
      waits: true,
      exitCode: 'first failure',
      warnings,
      missing: ({ node, command }) => ({
        code: 134,
        stderr: `${rule}\nmpirun was unable to find the specified executable file, and therefore\ndid not launch the job.\n\nNode:       ${node}\nExecutable: ${command[0]}\n${rule}\n`,
      }),
    };
  });
