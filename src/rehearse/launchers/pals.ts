import { Refused, refusedOr } from '../refused.js';
import type { AllocatedNode, Allocation, Call, Launch, LauncherStandIn } from '../standins.js';
import { flags, type LaunchedProgram, type LauncherGrammar, readLaunch, valued } from './grammar.js';
import { hostFileLines, nodeNamed, type Place, ranksAt } from './ranks.js';

const count = /^[1-9]\d*$/;
const names = /^[A-Za-z0-9][\w.-]*(,[A-Za-z0-9][\w.-]*)*$/;

function refused(text: string): Refused {
  return new Refused(`mpiexec: ${text}`, 1);
}

/** HPE's PALS: mpiexec of Cray EX. */
export const pals: LauncherGrammar = {
  style: 'getopt',
  parts: true,
  refusesTwice: false,
  options: [
    { names: ['--np', '-n', '-np'], value: count },
    { names: ['--ppn', '-ppn', '-N'], value: count },
    { names: ['--depth', '-d'], value: count },
    { names: ['--hosts', '--hostlist', '--host'], value: names, once: true },
    { names: ['--hostfile', '-f'], value: /^.+$/s, once: true },
    { names: ['--exclude-hosts'], value: names, once: true },
    {
      names: ['--cpu-bind'],
      once: true,
      value: /^(verbose,)?(none|depth|core|numa|socket|thread|(list|mask):[\da-fx]+(-\d+)?([,:][\da-fx]+(-\d+)?)*)$/,
    },
    { names: ['--gpu-bind'], value: /^(none|closest|list:\d+(-\d+)?([,:]\d+(-\d+)?)*)$/, once: true },
    { names: ['--mem-bind'], value: /^(none|local|list:\d+([,:]\d+)*)$/, once: true },
    { names: ['--env', '-env', '-x'], value: /^[\s\S]+$/, repeats: true },
    { names: ['--genv'], value: /^[\s\S]+$/, repeats: true },
    ...valued('--envlist --wdir|-wdir --line-buffer-size --pmi --rlimits --exclusive-port --procinfo --stdin'),
    ...flags('--envall --envnone --genvall --genvnone --label|-l --line-buffer --no-line-buffer --version --help|-h'),
    ...flags('--abort-on-failure|--no-abort-on-failure --exclusive --transfer|--no-transfer --verbose|-v'),
  ],
  refusal: (fault, option, value) => {
    if (fault === 'missing') return refused(`option requires an argument -- '${option.replace(/^-+/, '')}'`);
    if (fault === 'value') return refused(`invalid argument to ${option}: ${value}`);
    if (fault === 'flag') return refused(`option '${option}' doesn't allow an argument`);
    return refused(`unrecognized option '${option}'`);
  },
  check: (programs) => {
    if (programs.some(({ command }) => command.length === 0)) throw refused('no executable given');
    for (const { options } of programs) {
      if (Number(options['--ppn'] ?? 1) > Number(options['--np'] ?? 1)) throw refused('ppn is greater than np');
    }
    return programs.some(({ options }) => options['--np'] === undefined) ? ['no number of tasks'] : [];
  },
};

/** Nodes of a launch: the hosts that it names, else those of the node file. */
function nodesOf(call: Call, allocation: Allocation, first: LaunchedProgram | undefined): readonly AllocatedNode[] {
  const { '--hosts': list, '--hostfile': file, '--exclude-hosts': without } = first?.options ?? {};
  const text = file === undefined ? undefined : call.readFile(file);
  if (file !== undefined && text === undefined) throw refused(`cannot open host file ${file}`);
  const hosts =
    list?.split(',') ?? (text === undefined ? allocation.nodes.map(({ name }) => name) : hostFileLines(text));
  const excluded = without?.split(',') ?? [];
  return [...new Set(hosts)]
    .filter((host) => !excluded.includes(host))
    .map((host) => nodeNamed(allocation, host) ?? fail(`host ${host} is not in the job`));
}

function fail(text: string): never {
  throw refused(text);
}

/** Each program has hosts of its own, which follow those of the one before. */
function placesOf(programs: readonly LaunchedProgram[], nodes: readonly AllocatedNode[]): Place[] {
  let next = 0;
  return programs.flatMap(({ options }, program) => {
    const tasks = Number(options['--np'] ?? 1);
    const perNode = Number(options['--ppn'] ?? Math.ceil(tasks / Math.max(1, nodes.length - next)));
    const wanted = Math.ceil(tasks / perNode);
    const own = nodes.slice(next, next + wanted);
    if (own.length < wanted) throw refused(`not enough hosts: ${tasks} ranks of ${perNode} a host need ${wanted}`);
    next += wanted;
    const depth = Number(options['--depth'] ?? 1);
    for (const { name, cpus } of own) {
      if (perNode * depth > cpus)
        throw refused(`${perNode} ranks of depth ${depth} do not fit on ${name} (${cpus} CPUs)`);
    }
    return Array.from({ length: tasks }, (_, task) => ({ node: own[Math.floor(task / perNode)]?.name ?? '', program }));
  });
}

/** PALS's mpiexec: it holds no CPUs, and ends all ranks when one fails unless it is told not to. */
export const palsMpiexec: LauncherStandIn = (call, allocation) =>
  refusedOr((): Launch => {
    const { programs } = readLaunch(pals, call.argv);
    if (allocation === undefined) throw refused('not in a job');
    const [first] = programs;
    const places = placesOf(programs, nodesOf(call, allocation, first));
    const all = first?.options['--envnone'] === undefined && first?.options['--genvnone'] === undefined;
    const aborts = (first?.options['--abort-on-failure'] ?? 'abort-on-failure') === 'abort-on-failure';
    const ranks = ranksAt(places, programs, (one) => {
      const mine = programs[one.program];
      const words = [...(first?.all['--genv'] ?? []), ...(mine?.all['--env'] ?? [])];
      const wdir = mine?.options['--wdir'];
      return {
        cpus: Number(mine?.options['--depth'] ?? 1),
        gpus: 0,
        inheritsEnv: all,
        ...(wdir === undefined ? {} : { cwd: wdir }),
        env: {
          ...Object.fromEntries(
            words.map((word) => {
              const [, name = word, value = call.env[word]] = /^([^=]+)=(.*)$/s.exec(word) ?? [];
              return [name, value];
            }),
          ),
          PALS_RANKID: String(one.rank),
          PALS_LOCAL_RANKID: String(one.localRank),
          PALS_LOCAL_SIZE: String(one.localSize),
          PALS_NODEID: String(one.nodeIndex),
          PALS_DEPTH: mine?.options['--depth'] ?? '1',
          PALS_APID: `${allocation.jobId}-app`,
          PMI_RANK: String(one.rank),
          PMI_SIZE: String(one.size),
          PMI_LOCAL_RANK: String(one.localRank),
          PMI_LOCAL_SIZE: String(one.localSize),
        },
      };
    });
    return { ranks, fixedNodes: true, endsOthers: aborts ? 'on failure' : 'never', overlaps: true, waits: true };
  });
