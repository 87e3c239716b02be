import { Refused } from '../../refused.js';
import type { Answer, Call, Cluster, JobComponent, JobCondition, JobRequest } from '../../standins.js';
import { indicesOf, namedVariables, printed } from '../words.js';
import { type LsfJob, notSubmitted, readLsf } from './options.js';

const defaultQueue = 'normal';

export function bsub(call: Call, cluster: Cluster): Answer {
  const job = readLsf(call.stdin ?? '', call.argv);
  if (job.command.length === 0 && (call.stdin ?? '').trim() === '')
    throw new Refused('Empty job. Job not submitted.', 255);
  const request = requestOf(job, call, cluster);
  const id = cluster.submit(request);
  const queue = job.options['q'] === undefined ? `default queue <${defaultQueue}>` : `queue <${job.options['q']}>`;
  return printed(`Job <${id}> is submitted to ${queue}.\n`);
}

function requestOf(job: LsfJob, call: Call, cluster: Cluster): JobRequest {
  const { options, command } = job;
  const text =
    command.length > 0
      ? `#!/bin/sh\nexec "$@" ${command.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ')}\n`
      : (call.stdin ?? '');
  const [, plain = '', list, atMost] = /^([^[]*)(?:\[(.*)\](?:%(\d+))?)?$/.exec(options['J'] ?? '') ?? [];
  const onLaunchNode = options['nnodes'] !== undefined || options['csm']?.toLowerCase() === 'y';
  const out = options['oo'] ?? options['o'];
  const request: JobRequest = {
    script: `${plain || 'job'}.lsf`,
    text,
    name: plain || (text.split('\n')[0] ?? 'job'),
    components: componentsOf(job, cluster),
    walltimeSeconds: options['W'] === undefined ? undefined : minutes(options['W'].split('/')[0] ?? '') * 60,
    ...(options['wa'] === undefined
      ? {}
      : {
          warning: {
            signal: `SIG${options['wa'].replace(/^SIG/, '')}` as NodeJS.Signals,
            seconds: minutes(options['wt'] ?? '') * 60,
            to: 'all',
          },
        }),
    limitSignal: 'SIGUSR2',
    ...(list === undefined
      ? {}
      : { array: { indices: indices(list), ...(atMost === undefined ? {} : { atMost: Number(atMost) }) } }),
    after: conditionsOf(options['w'], cluster),
    endsUnrun: options['ti'] !== undefined,
    held: options['H'] !== undefined,
    // Without a file the output comes by mail.
    out: out ?? '/dev/null',
    err: options['eo'] ?? options['e'] ?? out ?? '/dev/null',
    appends: options['oo'] === undefined,
    env: environmentOf(options['env'], call),
    cwd: call.cwd,
    startsIn: options['cwd'] ?? call.cwd,
    onLaunchNode,
    ...(options['q'] === undefined ? {} : { queue: options['q'] }),
    ...(options['P'] === undefined ? {} : { account: options['P'] }),
    ignored: [],
  };
  const size = request.array?.indices.length ?? 0;
  if (size > 1000) throw notSubmitted('Job array index too large.');
  if (!cluster.fits(request)) throw notSubmitted('Too many processors requested.');
  return request;
}

/** Minutes of `HH:MM` or `MM`. */
function minutes(text: string): number {
  return text.split(':').reduce((sum, part) => sum * 60 + Number(part), 0);
}

function indices(list: string): number[] {
  return list.split(',').flatMap((one) => {
    const [, first, last = first, step = '1'] = /^(\d+)(?:-(\d+)(?::(\d+))?)?$/.exec(one) ?? [];
    return indicesOf(Number(first), Number(last), Number(step));
  });
}

/** All of the submitter's environment unless `-env` says less. */
function environmentOf(text: string | undefined, call: Call): Record<string, string> {
  const [first = 'all', ...rest] = (text ?? 'all').split(',').map((one) => one.trim());
  const base = /^all$/i.test(first) ? call.env : {};
  const named = /^(all|none)$/i.test(first) ? rest : [first, ...rest];
  return {
    ...base,
    ...namedVariables(
      named.filter((one) => !one.startsWith('~')),
      call.env,
      () => undefined,
    ),
    LS_SUBCWD: call.cwd,
    LSB_SUB_HOST: call.host,
  };
}

const kinds: Readonly<Record<string, JobCondition['on']>> = {
  done: 'ok',
  ended: 'any',
  exit: 'notok',
  started: 'start',
};

function conditionsOf(text: string | undefined, cluster: Cluster): JobCondition[] {
  if (text === undefined) return [];
  return text.split('&&').map((term) => {
    const [, kind = 'done', quoted] =
      /^\s*(?:(done|ended|exit|started)\s*\(\s*)?("?[^()",]+(?:\[\*\])?"?)(?:\s*,[^)]*)?\)?\s*$/.exec(term) ?? [];
    const [, name = '', star] = /^"?([^"[]+?)(\[\*\])?"?$/.exec(quoted?.trim() ?? '') ?? [];
    const job = cluster.jobs.findLast((one) => one.id === name || one.request.name === name);
    if (quoted === undefined) throw notSubmitted('Bad dependency condition syntax.');
    if (job === undefined) throw notSubmitted(`${name}: No matching job found.`);
    return { jobId: job.id, on: kinds[kind] ?? 'ok', ...(star === undefined ? {} : { elementwise: true }) };
  });
}

/** Nodes: whole ones by `-nnodes`, else slots, so many a host. */
function componentsOf({ options, requirements }: LsfJob, cluster: Cluster): JobComponent[] {
  const [node] = cluster.nodes;
  if (node === undefined) return [];
  const whole = { cpusPerNode: node.cpus, gpusPerNode: node.gpus, memoryMiB: node.memoryMiB, exclusive: true };
  if (options['nnodes'] !== undefined) return [{ ...whole, nodes: Number(options['nnodes']) }];
  const compound = requirements.find((one) => one.includes('{'));
  if (compound !== undefined) {
    return compound.split('+').flatMap((term) => {
      const [, count = '1', text = ''] = /(\d+)\s*\*\s*\{(.*)\}/s.exec(term) ?? [];
      // The launch node of an expert's request is no node of the job.
      return /select\[\s*LN\s*\]/.test(text) ? [] : [componentOf(Number(count), text, options, cluster)];
    });
  }
  return [componentOf(Number(options['n']?.split(',')[0] ?? 1), requirements.join(' '), options, cluster)];
}

function componentOf(slots: number, text: string, options: LsfJob['options'], cluster: Cluster): JobComponent {
  const node = cluster.nodes[0];
  const ptile = /span\[[^\]]*ptile=(\d+)/.exec(text)?.[1];
  const oneHost = /span\[\s*hosts=1/.test(text);
  const perNode = ptile === undefined ? (oneHost ? slots : Math.min(slots, node?.cpus ?? slots)) : Number(ptile);
  const nodes = Math.ceil(slots / perNode);
  const cpus = Math.min(slots, perNode);
  const [, amount, of] = /num=(\d+)(?:\/(task|host))?/.exec(options['gpu'] ?? '') ?? [];
  const asked = /ngpus\w*=(\d+)/.exec(text)?.[1];
  const gpus = asked !== undefined ? Number(asked) : Number(amount ?? 0) * (of === 'task' ? cpus : 1);
  const named = [...text.matchAll(/hname\s*==\s*'([^']+)'/g)].flatMap(([, host]) => host ?? []);
  const excluded = [...text.matchAll(/hname\s*!=\s*'([^']+)'/g)].flatMap(([, host]) => host ?? []);
  const list = (options['m'] ?? '').split(/\s+/).filter((one) => one !== '');
  const allowed = list.some((one) => /[+]|^others$/.test(one)) ? [] : list;
  const only = named.length > 0 ? named : allowed;
  return {
    nodes,
    cpusPerNode: cpus,
    gpusPerNode: gpus,
    memoryMiB: memoryOf(text),
    exclusive: options['x'] !== undefined,
    tasks: slots,
    tasksPerNode: cpus,
    ...(only.length === 0 ? {} : { onlyOn: only }),
    ...(excluded.length === 0 ? {} : { notOn: excluded }),
  };
}

/** MiB of `rusage[mem=64]`, in the unit of the site, which is MB unless it says so. */
function memoryOf(text: string): number {
  const [, number = '0', unit = 'MB'] = /rusage\[[^\]]*\bmem=(\d+)\s*([KMGT]B?)?/i.exec(text) ?? [];
  return Math.ceil(Number(number) * ({ K: 1 / 1024, M: 1, G: 1024, T: 1_048_576 }[unit[0]?.toUpperCase() ?? 'M'] ?? 1));
}
