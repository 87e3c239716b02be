import { Refused, refusedOr } from '../refused.js';
import type { Allocation, Launch, LauncherStandIn, Rank } from '../standins.js';
import { flags, type LaunchedProgram, type LauncherGrammar, readLaunch, valued } from './grammar.js';
import { numbersOf, type Place, ranksAt } from './ranks.js';

const count = /^[1-9]\d*$/;
const numbers = /^\d+(-\d+)?(,\d+(-\d+)?)*$/;

function refused(text: string): Refused {
  return new Refused(`apsched: ${text}`, 1);
}

/** Cray XC's aprun. */
export const aprun: LauncherGrammar = {
  style: 'getopt',
  parts: true,
  refusesTwice: false,
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
    { names: ['--specialized-cpus', '-r'], value: /^\d+$/, once: true },
    { names: ['--access-mode', '-F'], value: /^(e|s|exclusive|share)$/i, once: true },
    { names: ['--environment-override', '-e'], value: /^[^=]+=[\s\S]*$/, repeats: true },
    ...valued('--architecture|-a --sync-output|-T_ --protection-domain|-p --cpu-binding-file|-cp --debug|-D'),
    ...valued('--reconnect|-C_ --pgovernor --p-state --node-list-file|-l --mpmd-env'),
    ...flags(
      '--quiet|-q --bypass-app-transfer|-b --batch-args|-B --strict-memory-containment|-ss --sync|-T --relaunch|-R',
    ),
    ...flags('--version|-V --help|-h --zone-sort|-z'),
  ],
  refusal: (fault, option, value) => {
    if (fault === 'missing')
      return new Refused(`aprun: option requires an argument -- '${option.replace(/^-+/, '')}'`, 1);
    if (fault === 'value') return new Refused(`aprun: ${option} ${value} is not valid`, 1);
    return new Refused(`aprun: unrecognized option '${option}'`, 1);
  },
  check: (programs) => {
    if (programs.some(({ command }) => command.length === 0))
      throw new Refused('aprun: no executable name supplied', 1);
    for (const { options } of programs) {
      const perNode = Number(options['--pes-per-node'] ?? 1);
      if (perNode > Number(options['--pes'] ?? 1)) throw new Refused('aprun: -N value cannot exceed -n value', 1);
    }
    return programs.some(({ options }) => options['--pes'] === undefined) ? ['no number of tasks'] : [];
  },
};

/** Number of a node: `nid00012` is 12, others are told by the digits in their names. */
export function nodeId(name: string): number {
  return Number(/\d+/.exec(name)?.[0] ?? 0);
}

/** Names of the nodes that a launch may use. */
function candidates(allocation: Allocation, first: LaunchedProgram | undefined): string[] {
  const { '--node-list': only, '--exclude-node-list': without } = first?.options ?? {};
  const names = allocation.nodes.map(({ name }) => name);
  const listed = only === undefined ? undefined : numbersOf(only);
  const strange = listed?.find((id) => !names.some((name) => nodeId(name) === id));
  if (strange !== undefined) throw refused(`claim exceeds reservation's nodes (node ${strange} is not reserved)`);
  const excluded = without === undefined ? [] : numbersOf(without);
  return names.filter((name) => (listed ?? [nodeId(name)]).includes(nodeId(name)) && !excluded.includes(nodeId(name)));
}

/** Cray's aprun: each launch has nodes of its own as a whole, and waits until there are enough. One rank that fails ends all. */
export const aprunStandIn: LauncherStandIn = (call, allocation) =>
  refusedOr((): Launch => {
    const { programs } = readLaunch(aprun, call.argv);
    if (allocation === undefined) throw refused('no reservation: aprun runs in a job');
    const [first] = programs;
    const names = candidates(allocation, first);
    const cpus = Math.min(...allocation.nodes.map((one) => one.cpus));
    let next = 0;
    const places = programs.flatMap(({ options }, program): Place[] => {
      const tasks = Number(options['--pes'] ?? 1);
      const depth = Number(options['--cpus-per-pe'] ?? 1);
      const perNode = Number(options['--pes-per-node'] ?? Math.min(tasks, Math.max(1, Math.floor(cpus / depth))));
      if (perNode * depth > cpus) throw refused(`claim exceeds node's CPUs (${perNode} x ${depth} of ${cpus})`);
      const wanted = Math.ceil(tasks / perNode);
      if (next + wanted > names.length) throw refused("claim exceeds reservation's node-count");
      const own = names.slice(next, next + wanted);
      next += wanted;
      return Array.from({ length: tasks }, (_, task) => ({ node: own[Math.floor(task / perNode)] ?? '', program }));
    });
    const ranks = ranksAt(places, programs, (one): Pick<Rank, 'cpus' | 'gpus' | 'env' | 'memoryMiB'> => {
      const mine = programs[one.program];
      const memory = memoryOf(mine?.options['--memory-per-pe']);
      const own = (first?.all['--environment-override'] ?? []).map((text) => {
        const at = text.indexOf('=');
        return [text.slice(0, at), text.slice(at + 1)];
      });
      return {
        cpus: Number(mine?.options['--cpus-per-pe'] ?? 1),
        // The launch has its nodes as a whole.
        gpus: 0,
        ...(memory === undefined ? {} : { memoryMiB: memory }),
        env: {
          ...Object.fromEntries(own),
          ALPS_APP_PE: String(one.rank),
          ALPS_APP_DEPTH: mine?.options['--cpus-per-pe'] ?? '1',
          ALPS_APP_ID: allocation.jobId,
          PMI_RANK: undefined,
        },
      };
    });
    const [whole] = allocation.nodes;
    return {
      ranks,
      fixedNodes: first?.options['--node-list'] !== undefined,
      among: names,
      ...(whole === undefined ? {} : { holds: { cpus: whole.cpus, gpus: whole.gpus, memoryMiB: whole.memoryMiB } }),
      endsOthers: 'on failure',
      overlaps: false,
      waits: true,
    };
  });

function memoryOf(text: string | undefined): number | undefined {
  const [, number, unit = 'm'] = /^(\d+)([kmg]?)/i.exec(text ?? '') ?? [];
  if (number === undefined) return undefined;
  return Number(number) * ({ k: 1 / 1024, g: 1024 }[unit.toLowerCase()] ?? 1);
}
