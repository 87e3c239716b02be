import { Refused, refusedOr } from '../refused.js';
import type { Allocation, Call, Launch, LauncherStandIn, Rank } from '../standins.js';
import { hostFileLines, nodeNamed } from './ranks.js';

/** A command on each of these nodes, in their order. */
function onEach(nodes: readonly string[], command: readonly string[], more: Partial<Rank>): Rank[] {
  return nodes.map((node, rank) => ({
    node,
    rank,
    command,
    cpus: 1,
    gpus: 0,
    env: {},
    readsStdin: rank === 0,
    ...more,
  }));
}

function launched(ranks: readonly Rank[], exitCode: Launch['exitCode'] & string): Launch {
  return { ranks, fixedNodes: true, endsOthers: 'never', overlaps: true, waits: true, exitCode };
}

function inJob(allocation: Allocation | undefined, name: string): Allocation {
  if (allocation === undefined) throw new Refused(`${name}: not in a job`, 255);
  return allocation;
}

/** IBM LSF's `blaunch [-n] [-u FILE | -z "HOSTS" | HOST] COMMAND`: the environment goes along. */
export const blaunch: LauncherStandIn = (call, allocation) =>
  refusedOr((): Launch => {
    const job = inJob(allocation, 'blaunch');
    const words = [...call.argv];
    let hosts: string[] | undefined;
    let reads = true;
    while (words[0]?.startsWith('-')) {
      const option = words.shift();
      if (option === '-n') reads = false;
      else if (option === '-z') hosts = (words.shift() ?? '').split(/\s+/).filter((one) => one !== '');
      else if (option === '-u') hosts = hostFileLines(fileOf(call, words.shift() ?? '', 'blaunch'));
      else if (option === '-use-login-shell' || option === '-no-shell') continue;
      else throw new Refused(`blaunch: illegal option -- ${option?.slice(1)}`, 255);
    }
    hosts ??= words.splice(0, 1);
    if (words.length === 0 || hosts.length === 0)
      throw new Refused('Usage: blaunch [-n] [-u host_file | -z host_name ... | host_name] command', 255);
    const nodes = hosts.map((host) => {
      const node = nodeNamed(job, host);
      if (node === undefined) throw new Refused(`blaunch: Host <${host}> is not in the job's allocation`, 255);
      return node.name;
    });
    return launched(
      onEach(nodes, words, { readsStdin: false }).map((one) => ({ ...one, readsStdin: reads && one.rank === 0 })),
      'highest',
    );
  });

function fileOf(call: Call, path: string, name: string): string {
  const text = call.readFile(path);
  if (text === undefined) throw new Refused(`${name}: cannot open ${path}`, 255);
  return text;
}

/** PBS's `pbsdsh [-c N | -n N] [-o] [-s] [-v] [--] COMMAND`: once a line of the node file, without the caller's environment; it exits with 0. */
export const pbsdsh: LauncherStandIn = (call, allocation) =>
  refusedOr((): Launch => {
    inJob(allocation, 'pbsdsh');
    const words = [...call.argv];
    const lines = hostFileLines(fileOf(call, call.env['PBS_NODEFILE'] ?? '', 'pbsdsh'));
    let nodes = lines;
    while (words[0]?.startsWith('-')) {
      const option = words.shift();
      if (option === '--') break;
      if (option === '-n' || option === '-c') {
        const value = words.shift() ?? '';
        if (!/^\d+$/.test(value)) throw new Refused(`pbsdsh: ${option} must be followed by a number`, 1);
        nodes = option === '-n' ? lines.slice(Number(value), Number(value) + 1) : lines.slice(0, Number(value));
        if (nodes.length === 0) throw new Refused('pbsdsh: only so many nodes were available', 1);
      } else if (!['-o', '-s', '-v'].includes(option ?? '')) {
        throw new Refused('Usage: pbsdsh [-c copies][-o][-s][-v] -- program [args]...]', 1);
      }
    }
    if (words.length === 0) throw new Refused('Usage: pbsdsh [-c copies][-o][-s][-v] -- program [args]...]', 1);
    const ranks = onEach(nodes, words, { inheritsEnv: false, readsStdin: false });
    return launched(
      ranks.map((one) => ({
        ...one,
        env: { PBS_JOBID: call.env['PBS_JOBID'], PBS_TASKNUM: String(one.rank + 2), PBS_NODENUM: String(one.rank) },
      })),
      'always 0',
    );
  });

/** `pbs_tmrsh HOST COMMAND…` of PBS, `qrsh -inherit HOST COMMAND…` of Grid Engine, `lsrun -m HOST COMMAND…`: one process on a node of the job. */
export const remoteShell: LauncherStandIn = (call, allocation) =>
  refusedOr((): Launch => {
    const job = inJob(allocation, call.name);
    const words = [...call.argv];
    const before = { qrsh: '-inherit', lsrun: '-m', pbs_tmrsh: undefined }[call.name];
    if (before !== undefined && words.shift() !== before)
      throw new Refused(`${call.name}: no ${before} HOST: jobs start no other jobs`, 1);
    while (call.name === 'qrsh' && words[0]?.startsWith('-')) words.shift();
    const [host = '', ...command] = words;
    const node = nodeNamed(job, host);
    if (node === undefined) throw new Refused(`${call.name}: host "${host}" is no part of this job`, 254);
    if (command.length === 0) throw new Refused(`${call.name}: no command`, 1);
    return launched(onEach([node.name], command, { inheritsEnv: call.name !== 'pbs_tmrsh' }), 'highest');
  });
