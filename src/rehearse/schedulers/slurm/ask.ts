import { optionTable, parseOptions } from '../../getopt.js';
import type { Answer, Call, Cluster } from '../../standins.js';
import { lastOf } from './given.js';
import { clock } from './values.js';
import { elapsedOf, exitWord, moment, nodeList, type Row, reasonOf, rowsOf, rowsOfId, stateWord } from './words.js';

const squeueOptions = optionTable(`
  account=,A all,a array,r array-unique clusters=,M federation Format=,O format=,o help hide iterate=,i jobs[=],j json licenses=,L local long,l
  me name=,n noconvert noheader,h nodelist=,w only-job-state partition=,p priority,P qos=,q reservation=,R sibling sort=,S start states[=],t
  steps[=],s usage user=,u verbose,v version,V yaml
`);

export function said(stdout: string): Answer {
  return { stdout, stderr: '', code: 0 };
}

export function failed(stderr: string, code = 1): Answer {
  return { stdout: '', stderr: `${stderr}\n`, code };
}

/** squeue: jobs that wait, run and have run. */
export function squeue(call: Call, cluster: Cluster): Answer {
  const parsed = parseOptions('squeue', call.argv, squeueOptions);
  if ('refused' in parsed) return failed(`${parsed.refused}\nTry "squeue --help" for more information`);
  const { options, rest } = parsed;
  const all = rowsOf(cluster.jobs);
  const ids = [lastOf(options, 'jobs'), ...rest].flatMap((text) => (text ?? '').split(',')).filter((id) => id !== '');
  const chosen = ids.length === 0 ? all : ids.flatMap((id) => rowsOfId(all, id));
  if (ids.length === 1 && chosen.length === 0) return failed('slurm_load_jobs error: Invalid job id specified');
  const states = lastOf(options, 'states')?.toUpperCase().split(',');
  const shown = chosen.filter(({ run }) => {
    if (states?.includes('ALL')) return true;
    if (states === undefined) return run.state === 'pending' || run.state === 'held' || run.state === 'running';
    return states.includes(stateWord(run)) || states.includes(stateWord(run, true));
  });
  const format = lastOf(options, 'format') ?? '%.18i %.9P %.8j %.8u %.2t %.10M %.6D %R';
  const heading = options.has('noheader') ? '' : `${format.replace(/%\.?(\d*)(\w)/g, headingOf)}\n`;
  return said(`${heading}${shown.map((row) => `${fill(format, row, cluster)}\n`).join('')}`);
}

const headings: Readonly<Record<string, string>> = {
  i: 'JOBID',
  P: 'PARTITION',
  j: 'NAME',
  u: 'USER',
  t: 'ST',
  T: 'STATE',
  M: 'TIME',
  D: 'NODES',
  R: 'NODELIST(REASON)',
};

function headingOf(_: string, width: string, letter: string): string {
  return (headings[letter] ?? letter).padStart(Number(width));
}

function fill(format: string, row: Row, cluster: Cluster): string {
  return format.replace(/%(\.?)(\d*)(\w)/g, (_, right: string, width: string, letter: string) => {
    const text = field(letter, row, cluster);
    if (width === '') return text;
    const cut = text.slice(0, Number(width));
    return right === '.' ? cut.padStart(Number(width)) : cut.padEnd(Number(width));
  });
}

function field(letter: string, { id, ownId, job, run, nodes }: Row, cluster: Cluster): string {
  const { request } = job;
  const elapsed = elapsedOf(run, cluster);
  const limit = request.walltimeSeconds;
  switch (letter) {
    case 'i':
      return id;
    case 'A':
      return ownId;
    case 'F':
      return job.id;
    case 'K':
      return run.index === undefined ? 'N/A' : String(run.index);
    case 'T':
      return stateWord(run);
    case 't':
      return stateWord(run, true);
    case 'r':
      return reasonOf(run);
    case 'R':
      return nodes.length === 0 ? `(${reasonOf(run)})` : nodeList(nodes);
    case 'N':
      return nodeList(nodes);
    case 'M':
      return clock(elapsed);
    case 'l':
      return limit === undefined ? 'UNLIMITED' : clock(limit, true);
    case 'L':
      return limit === undefined ? 'UNLIMITED' : clock(limit - elapsed, true);
    case 'e':
      return run.startedAt === undefined || limit === undefined ? 'N/A' : moment(cluster, run.startedAt + limit);
    case 'S':
      return moment(cluster, run.startedAt);
    case 'V':
      return moment(cluster, job.submittedAt);
    case 'Z':
      return request.startsIn;
    case 'j':
      return request.name;
    case 'u':
      return cluster.user.name;
    case 'U':
      return String(cluster.user.uid);
    case 'P':
      return request.queue ?? 'main';
    case 'D':
      return String(request.components.reduce((sum, one) => sum + one.nodes, 0));
    case 'C':
      return String(request.components.reduce((sum, one) => sum + one.nodes * one.cpusPerNode, 0));
    default:
      return 'N/A';
  }
}

const sacctOptions = optionTable(`
  accounts=,A allclusters,L allocations,X allusers,a array,r clusters=,M completion,c delimiter= duplicates,D endtime=,E format=,o group=,g
  helpformat,e help,h jobs=,j local name= ncpus=,I nnodes=,i noconvert noheader,n nodelist=,N parsable,p parsable2,P partition=,r qos=,q
  starttime=,S state=,s truncate,T units= user=,u uid= usage verbose,v version,V wckeys=,W
`);

/** sacct: jobs and their steps, the ended ones included. */
export function sacct(call: Call, cluster: Cluster): Answer {
  const parsed = parseOptions('sacct', call.argv, sacctOptions);
  if ('refused' in parsed) return failed(parsed.refused);
  const { options } = parsed;
  const all = rowsOf(cluster.jobs);
  const ids = (lastOf(options, 'jobs') ?? '').split(',').filter((id) => id !== '');
  const rows = ids.length === 0 ? all : ids.flatMap((id) => rowsOfId(all, id));
  const names = (lastOf(options, 'format') ?? 'JobID,JobName,State,ExitCode')
    .split(',')
    .map((one) => one.toLowerCase());
  const lines: string[] = options.has('noheader') ? [] : [names.join('|')];
  for (const row of rows) {
    lines.push(names.map((name) => accounted(name, row, cluster)).join('|'));
    if (options.has('allocations')) continue;
    for (const step of cluster.steps(row.job.id).filter(({ index }) => index === row.run.index)) {
      const own: Readonly<Record<string, string>> = {
        jobid: `${row.id}.${step.number}`,
        jobname: step.name,
        nodelist: nodeList(step.nodes),
        state: step.ended ? 'COMPLETED' : 'RUNNING',
        exitcode: '0:0',
      };
      lines.push(names.map((name) => own[name] ?? '').join('|'));
    }
  }
  return said(lines.map((line) => `${line}\n`).join(''));
}

function accounted(name: string, { id, job, run, nodes }: Row, cluster: Cluster): string {
  const elapsed = elapsedOf(run, cluster);
  switch (name) {
    case 'jobid':
      return id;
    case 'jobname':
      return job.request.name;
    case 'state':
      return run.state === 'cancelled' ? `CANCELLED by ${cluster.user.uid}` : stateWord(run);
    case 'exitcode':
      return exitWord(run);
    case 'elapsedraw':
      return String(Math.round(elapsed));
    case 'elapsed':
      return clock(elapsed);
    case 'nodelist':
      return nodes.length === 0 ? 'None assigned' : nodeList(nodes);
    case 'start':
      return moment(cluster, run.startedAt);
    case 'end':
      return moment(cluster, run.endedAt);
    default:
      return '';
  }
}
