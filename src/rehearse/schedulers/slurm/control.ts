import { optionTable, parseOptions } from '../../getopt.js';
import type { Answer, Call, Cluster } from '../../standins.js';
import { failed, said } from './ask.js';
import { lastOf } from './given.js';
import { clock, expandHosts, foldHosts } from './values.js';
import { elapsedOf, exitWord, moment, nodeList, type Row, reasonOf, rowsOf, rowsOfId, stateWord } from './words.js';

const scancelOptions = optionTable(`
  account=,A batch,b clusters=,M ctld cron full,f help hurry,H interactive,i jobname=,n me name= nodelist=,w partition=,p qos=,q quiet,Q
  reservation=,R sibling= signal=,s state=,t usage user=,u verbose,v version,V wckey=
`);

/** scancel: ends jobs, or sends them a signal. It ends with 0 also where there is no such job. */
export function scancel(call: Call, cluster: Cluster): Answer {
  const parsed = parseOptions('scancel', interleaved(call.argv), scancelOptions);
  if ('refused' in parsed) return failed(`${parsed.refused}\nTry "scancel --help" for more information`);
  const { options, rest } = parsed;
  const word = lastOf(options, 'signal')?.toUpperCase().replace(/^SIG/, '');
  const signal = word === undefined ? undefined : signalNamed(word);
  if (word !== undefined && signal === undefined) return failed(`Unknown job signal: ${word}`);
  const all = rowsOf(cluster.jobs);
  const isMine = options.has('me') || options.has('user');
  const ids = rest.length === 0 && isMine ? cluster.jobs.map(({ id }) => id) : rest;
  if (ids.length === 0) return failed('scancel: error: No job identification provided');
  const errors: string[] = [];
  for (const id of ids.flatMap((text) => text.split(/,(?![^[]*\])/))) {
    const [, jobId = id, step] = /^([^.]+)(?:\.(\d+))?$/.exec(id) ?? [];
    const rows = rowsOfId(all, jobId);
    if (rows.length === 0) errors.push(`scancel: error: Kill job error on job id ${id}: Invalid job id specified`);
    for (const { job, run } of rows) {
      if (signal === undefined && step === undefined) cluster.cancel(job.id, run.index);
      else {
        const to = options.has('full') ? 'all' : options.has('batch') ? 'script' : 'launches';
        cluster.signal(job.id, run.index, signal ?? 'SIGTERM', to, step === undefined ? undefined : Number(step));
      }
    }
  }
  return { stdout: '', stderr: options.has('quiet') ? '' : errors.map((one) => `${one}\n`).join(''), code: 0 };
}

/** scancel takes options behind ids as well. */
function interleaved(words: readonly string[]): string[] {
  return [...words.filter((word) => word.startsWith('-')), ...words.filter((word) => !word.startsWith('-'))];
}

const signals: readonly NodeJS.Signals[] = [
  ...(['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGABRT', 'SIGKILL', 'SIGALRM', 'SIGTERM'] as const),
  ...(['SIGUSR1', 'SIGUSR2', 'SIGCONT', 'SIGSTOP', 'SIGTSTP'] as const),
];

function signalNamed(word: string): NodeJS.Signals | undefined {
  const numbers: Readonly<Record<string, string>> = {
    '1': 'HUP',
    '2': 'INT',
    '9': 'KILL',
    '10': 'USR1',
    '12': 'USR2',
    '15': 'TERM',
  };
  return signals.find((one) => one === `SIG${numbers[word] ?? word}`);
}

const scontrolOptions = optionTable(
  'all,a cluster=,M details,d federation,F future hide help,h local oneliner,o quiet,Q verbose,v version,V',
);

/** scontrol: shows jobs, steps and lists of hosts; releases and requeues. */
export function scontrol(call: Call, cluster: Cluster): Answer {
  const parsed = parseOptions('scontrol', call.argv, scontrolOptions);
  if ('refused' in parsed) return failed(parsed.refused);
  const [verb = '', what = '', id] = parsed.rest;
  const isOneLine = parsed.options.has('oneliner');
  if (verb === 'release') return cluster.release(what) ? said('') : failed(`Invalid job id specified for job ${what}`);
  if (verb !== 'show') return failed(`invalid keyword: ${verb}`);
  if (/^hostnames?$/i.test(what)) {
    const list = id ?? call.env['SLURM_JOB_NODELIST'] ?? '';
    if (list === '') return failed('Hostlist is empty');
    return said(`${expandHosts(list).join('\n')}\n`);
  }
  if (/^hostlist(sorted)?$/i.test(what)) return said(`${foldHosts((id ?? '').split(/[,\s]+/))}\n`);
  if (/^(jobs?)$/i.test(what)) {
    const all = rowsOf(cluster.jobs);
    const rows = id === undefined ? all : rowsOfId(all, id);
    if (id !== undefined && rows.length === 0) return failed('slurm_load_jobs error: Invalid job id specified');
    if (rows.length === 0) return said('No jobs in the system\n');
    return said(rows.map((row) => record(row, cluster, isOneLine)).join(isOneLine ? '' : '\n'));
  }
  if (/^steps?$/i.test(what)) return said(steps(id, cluster, isOneLine));
  if (/^nodes?$/i.test(what)) {
    return said(
      cluster.nodes
        .map(({ name, cpus, memoryMiB }) => `NodeName=${name} CPUTot=${cpus} RealMemory=${memoryMiB} State=IDLE\n`)
        .join(isOneLine ? '' : '\n'),
    );
  }
  return failed(`invalid entity: ${what} for keyword: ${verb}`);
}

function record({ ownId, job, run, nodes }: Row, cluster: Cluster, isOneLine: boolean): string {
  const limit = job.request.walltimeSeconds;
  const fields = [
    `JobId=${ownId}`,
    ...(run.index === undefined ? [] : [`ArrayJobId=${job.id}`, `ArrayTaskId=${run.index}`]),
    `JobName=${job.request.name}`,
    `UserId=${cluster.user.name}(${cluster.user.uid})`,
    `JobState=${stateWord(run)}`,
    `Reason=${reasonOf(run)}`,
    `ExitCode=${exitWord(run)}`,
    `RunTime=${clock(elapsedOf(run, cluster), true).padStart(8, '00:00:00')}`,
    `TimeLimit=${limit === undefined ? 'UNLIMITED' : clock(limit, true)}`,
    `StartTime=${moment(cluster, run.startedAt)}`,
    `NodeList=${nodes.length === 0 ? '(null)' : nodeList(nodes)}`,
    `Command=${job.request.script}`,
    `WorkDir=${job.request.startsIn}`,
  ];
  return `${fields.join(isOneLine ? ' ' : '\n   ')}\n`;
}

function steps(id: string | undefined, cluster: Cluster, isOneLine: boolean): string {
  const rows = id === undefined ? rowsOf(cluster.jobs) : rowsOfId(rowsOf(cluster.jobs), id.split('.')[0] ?? id);
  const runs = [...new Map(rows.map((row) => [`${row.job.id}.${row.run.index}`, row])).values()];
  return runs
    .flatMap(({ job, run, ownId }) =>
      cluster
        .steps(job.id)
        .filter((step) => step.index === run.index && !step.ended)
        .map((step) =>
          [
            `StepId=${ownId}.${step.number}`,
            `UserId=${cluster.user.uid}`,
            `State=${step.nodes.length === 0 ? 'PENDING' : 'RUNNING'}`,
            `NodeList=${step.nodes.length === 0 ? '(null)' : nodeList(step.nodes)}`,
            `Name=${step.name}`,
            `SrunHost:Pid=${step.host}:${step.pid}`,
          ].join(isOneLine ? ' ' : '\n   '),
        ),
    )
    .map((text) => `${text}\n`)
    .join(isOneLine ? '' : '\n');
}
