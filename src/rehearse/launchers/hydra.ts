import { Refused, refusedOr } from '../refused.js';
import type { Allocation, Call, Launch, LauncherStandIn } from '../standins.js';
import { flags, type KnownOption, type LaunchedProgram, type LauncherGrammar, readLaunch, valued } from './grammar.js';
import { hostFileLines, nodeNamed, type Place, ranksAt } from './ranks.js';

const once = (options: readonly KnownOption[]): KnownOption[] => options.map((one) => ({ ...one, once: true }));
const levels = 'hwthread|core|socket|package|numa|numanode|machine|l[1-5]i?cache';

function refused(...lines: readonly string[]): Refused {
  return new Refused(lines.map((line) => `[mpiexec] ${line}`).join('\n'), 255);
}

/** MPICH's hydra, 4.0. Numbers that are none count as 0, and 0 tasks as one. */
export const hydra: LauncherGrammar = {
  style: 'any dashes, joined',
  parts: true,
  refusesTwice: true,
  options: [
    ...valued('n|np wdir'),
    ...once([{ names: ['ppn'], value: /^[1-9]\d*$/ }]),
    ...once(valued('hosts|host f|hostfile|machinefile|machine')),
    {
      names: ['bind-to', 'binding'],
      once: true,
      value: new RegExp(`^(none|rr|user:[\\d,+a-z-]+|(${levels})(:\\d+)?)$`),
    },
    ...once(
      valued('map-by membind iface launcher|bootstrap launcher-exec|bootstrap-exec prepend-pattern outfile-pattern'),
    ),
    ...once(valued('errfile-pattern nameserver localhost topolib pmi-port gpus-per-proc configfile')),
    { names: ['genv'], value: /^[\s\S]*$/, words: 2, repeats: true, once: true },
    { names: ['env'], value: /^[\s\S]*$/, words: 2, repeats: true },
    ...once(valued('genvlist')),
    ...once(flags('genvnone|genvall l|prepend-rank')),
    ...valued('envlist'),
    ...flags('envnone|envall'),
    { names: ['usize'], once: true, value: /^(SYSTEM|INFINITE|\d+)$/i },
    { names: ['order-nodes'], once: true, value: /^(ascending|descending|up|down)$/i },
    { names: ['demux'], once: true, value: /^(poll|select)$/ },
    { names: ['rmk'], once: true, value: /^(user|slurm|ll|lsf|sge|pbs|cobalt)$/ },
    ...once(
      flags('enable-x|disable-x verbose|v|debug info|version|V print-all-exitcodes profile disable-auto-cleanup'),
    ),
    ...once(flags('disable-hostname-propagation skip-launch-node')),
  ],
  refusal: (fault, option, value) => {
    const bare = option.replace(/^-+/, '').replace(/=.*/s, '');
    if (fault === 'unknown')
      return refused(`match_arg: unrecognized argument ${bare}`, 'main: error parsing parameters');
    if (fault === 'twice') return refused(`duplicate setting: ${bare}`, 'main: error parsing parameters');
    if (fault === 'missing') return refused('missing command line argument, add -h for help');
    // It divides by the number.
    if (bare === 'ppn') return new Refused('Floating point exception', 136);
    if (bare === 'bind-to')
      return refused(`unrecognized directive "${value}"`, 'unable to initialize process topology');
    return refused(`invalid value of ${bare}: ${value}`);
  },
  check: (programs) => {
    // It dies of it.
    const missing = programs.some(({ command }) => command.length === 0);
    if (missing && programs.length > 1) throw new Refused('Segmentation fault', 139);
    if (missing && programs[0]?.options['info'] === undefined) throw refused('no executable provided');
    const [first] = programs;
    const bound = first?.options['bind-to'] ?? 'none';
    const map = first?.options['map-by'];
    if (map !== undefined && !/^(none|user)/.test(bound) && !new RegExp(`^(${levels})(:\\d+)?$`).test(map)) {
      throw refused(`unrecognized directive "${map}"`, 'unable to initialize process topology');
    }
    const hosts = programs.flatMap(({ options }) => options['hosts'] ?? []);
    if (hosts.length > 0 && programs.some(({ options }) => options['f'] !== undefined)) {
      throw refused('duplicate host file or host list setting');
    }
    return [
      ...programs.flatMap(({ options: { n = 'none' } }) =>
        /^[1-9]\d*$/.test(n) ? [] : [`a number of tasks that is ${n}`],
      ),
      ...hosts.flatMap((one) => (/(^|,)(,|$)/.test(one) ? [`a host without a name: ${one}`] : [])),
    ];
  },
};

interface Host {
  readonly name: string;
  readonly slots: number;
}

function hostsOf(call: Call, programs: readonly LaunchedProgram[]): Host[] | undefined {
  const given = (name: string) => programs.map(({ options }) => options[name]).find((one) => one !== undefined);
  const [list, file] = [given('hosts'), given('f')];
  if (file === undefined) {
    const names = (list ?? '').split(',').filter((one) => one !== '');
    return names.length === 0 ? undefined : names.map(hostOf);
  }
  const text = call.readFile(file);
  if (text === undefined) throw refused(`HYDU_parse_hostfile: unable to open host file: ${file}`);
  return merged(hostFileLines(text).map((line) => hostOf(line.split(/\s+/)[0] ?? '')));
}

function hostOf(text: string): Host {
  const [name = '', slots = '1'] = text.split(':');
  // It divides by the number.
  if (!/^[1-9]/.test(slots)) throw new Refused('Floating point exception', 136);
  return { name, slots: Number.parseInt(slots, 10) };
}

function merged(hosts: readonly Host[]): Host[] {
  return [...new Set(hosts.map(({ name }) => name))].map((name) => ({
    name,
    slots: hosts.filter((one) => one.name === name).reduce((sum, { slots }) => sum + slots, 0),
  }));
}

/** Hosts of the scheduler, where it knows it: those of Slurm, PBS, LSF and Grid Engine. */
function byScheduler(call: Call, allocation: Allocation | undefined): Host[] {
  const { PBS_NODEFILE: pbs, PE_HOSTFILE: sge, LSB_MCPU_HOSTS: lsf, SLURM_JOB_ID: slurm } = call.env;
  if (pbs !== undefined) return merged(hostFileLines(call.readFile(pbs) ?? '').map(hostOf));
  if (sge !== undefined) {
    const rows = hostFileLines(call.readFile(sge) ?? '').map((line) => line.split(/\s+/));
    return merged(rows.map(([name = '', slots = '1']) => ({ name, slots: Number(slots) })));
  }
  if (lsf !== undefined) {
    const words = lsf.split(/\s+/);
    return words.flatMap((name, index) => (index % 2 === 0 ? { name, slots: Number(words[index + 1] ?? 1) } : []));
  }
  if (slurm !== undefined && allocation !== undefined) {
    return allocation.nodes.map(({ name, cpus }) => ({ name, slots: cpus }));
  }
  return [{ name: call.host, slots: 1 }];
}

/** Tasks fill the slots of a host, then those of the next one; once all are full they begin again. */
function placesOf(programs: readonly LaunchedProgram[], hosts: readonly Host[]): Place[] {
  const ppn = Number(programs.map(({ options }) => options['ppn']).find((one) => one !== undefined) ?? 0);
  const turn = hosts.flatMap(({ name, slots }) => Array.from({ length: ppn || slots }, () => name));
  let next = 0;
  return programs.flatMap(({ options }, program) => {
    const tasks = Math.max(1, Number.parseInt(options['n'] ?? '1', 10) || 1);
    return Array.from({ length: tasks }, () => ({ node: turn[next++ % turn.length] ?? '', program }));
  });
}

/** MPICH's mpiexec: tasks have the environment of their caller. It ends all when a signal ends one; an exit code ends nothing. */
export const mpiexec: LauncherStandIn = (call, allocation) =>
  refusedOr((): Launch => {
    const { programs } = readLaunch(hydra, call.argv);
    const [first] = programs;
    if (first?.options['info'] !== undefined) throw new Refused('HYDRA build details:\n    Version: 4.0.2', 0);
    const hosts = hostsOf(call, programs) ?? byScheduler(call, allocation);
    const strange = hosts.find(({ name }) => nodeNamed(allocation, name) === undefined && name !== call.host);
    if (strange !== undefined) throw refused(`unable to reach host ${strange.name}`, 'error waiting for completion');
    const places = placesOf(programs, hosts);
    const given = (name: string) => programs.map(({ options }) => options[name]).find((one) => one !== undefined);
    const [none, list] = [given('genvnone') === 'genvnone', given('genvlist')];
    const ranks = ranksAt(places, programs, (one) => {
      const mine = programs[one.program] as LaunchedProgram;
      const own = [...(first?.all['genv'] ?? []), ...(mine.all['env'] ?? [])].map((text): [string, string] => {
        const at = text.indexOf(' ');
        return [text.slice(0, at), text.slice(at + 1)];
      });
      const named = (list ?? '').split(',').map((name): [string, string | undefined] => [name, call.env[name]]);
      const wdir = mine.options['wdir'];
      return {
        cpus: 1,
        gpus: 0,
        inheritsEnv: one.node === call.host || !(none || list !== undefined),
        ...(wdir === undefined ? {} : { cwd: wdir }),
        env: {
          ...(list === undefined ? {} : Object.fromEntries(named)),
          ...Object.fromEntries(own),
          PMI_RANK: String(one.rank),
          PMI_SIZE: String(one.size),
          MPI_LOCALRANKID: String(one.localRank),
          MPI_LOCALNRANKS: String(one.localSize),
        },
      };
    });
    return {
      ranks,
      fixedNodes: true,
      endsOthers: 'on signal',
      overlaps: true,
      waits: true,
      exitCode: 'or of all',
      missing: ({ command }) => refused(`execvp error on file ${command[0]} (No such file or directory)`),
    };
  });
