import { Refused } from '../../refused.js';
import type { Answer, Call, Cluster, Job, Run, SchedulerStandIn } from '../../standins.js';
import { elapsed, hasEnded, printed, refusing } from '../words.js';
import { bsub } from './submit.js';

function stateOf(run: Run): string {
  if (run.state === 'running') return 'RUN';
  if (run.state === 'completed') return 'DONE';
  if (hasEnded(run)) return 'EXIT';
  return run.state === 'held' && run.waitsFor !== 'dependency' ? 'PSUSP' : 'PEND';
}

const reasons: Readonly<Partial<Record<NonNullable<Run['waitsFor']>, string>>> = {
  resources: 'Job slot limit reached: 1 host;',
  dependency: 'Job dependency condition not satisfied;',
  'dependency never met': 'Dependency condition invalid or never satisfied;',
  'array limit': 'The job array has reached its running element limit;',
};

const exits: Readonly<Partial<Record<Run['state'], string>>> = {
  cancelled: 'TERM_OWNER: job killed by owner',
  timeout: 'TERM_RUNLIMIT: job killed after reaching LSF run time limit',
};

/** Values of a run by the names of `bjobs -o`. */
function fieldsOf(job: Job, run: Run, cluster: Cluster): Record<string, string> {
  const { request } = job;
  return {
    jobid: job.id,
    jobindex: String(run.index ?? 0),
    stat: stateOf(run),
    user: cluster.user.name,
    queue: request.queue ?? 'normal',
    job_name: request.name + (run.index === undefined ? '' : `[${run.index}]`),
    exec_host: run.nodes.map(({ name }) => name).join(':'),
    exit_code: hasEnded(run) && run.state !== 'completed' && run.exitCode !== undefined ? String(run.exitCode) : '',
    exit_reason: exits[run.state] ?? '',
    pend_reason: (run.waitsFor === undefined ? undefined : reasons[run.waitsFor]) ?? '',
    run_time: `${elapsed(run, cluster.now())} second(s)`,
    runtimelimit: request.walltimeSeconds === undefined ? '' : (request.walltimeSeconds / 60).toFixed(1),
  };
}

function bjobs(call: Call, cluster: Cluster): Answer {
  const given = new Set<string>();
  let format: string | undefined;
  const ids: string[] = [];
  for (let at = 0; at < call.argv.length; at++) {
    const word = call.argv[at] as string;
    if (word === '-o') format = call.argv[++at] ?? '';
    else if (['-u', '-q', '-m', '-J', '-P', '-g'].includes(word)) at++;
    else if (word.startsWith('-')) given.add(word);
    else ids.push(word);
  }
  const odd = [...given].find((word) => !/^-(json|noheader|w|W|a|l|d|p|r|s|A|UF|X|N|x|aps|sum|hms)$/.test(word));
  if (odd !== undefined) throw new Refused(`bjobs: illegal option -- ${odd.slice(1)}`, 255);
  const unknown: string[] = [];
  const all = given.has('-a') || given.has('-d') || ids.length > 0;
  const runs = (ids.length === 0 ? cluster.jobs.map(({ id }) => id) : ids).flatMap((id) => {
    const [, number, index] = /^(\d+)(?:\[(\d+)\])?$/.exec(id) ?? [];
    const job = cluster.jobs.find((one) => one.id === number);
    if (job === undefined) unknown.push(id);
    return (job?.runs ?? [])
      .filter((run) => (index === undefined || run.index === Number(index)) && (all || !hasEnded(run)))
      .map((run) => ({ job: job as Job, run }));
  });
  const problems = unknown.map((id) => `Job <${id}> is not found\n`).join('');
  const code = unknown.length > 0 ? 255 : 0;
  if (given.has('-json')) {
    const names = (format ?? 'jobid stat user queue job_name')
      .trim()
      .split(/\s+/)
      .map((one) => one.split(':')[0] ?? one);
    const records = runs.map(({ job, run }) => {
      const fields = fieldsOf(job, run, cluster);
      return Object.fromEntries(names.map((name) => [name.toUpperCase(), fields[name.toLowerCase()] ?? '']));
    });
    const missing = unknown.map((id) => ({ JOBID: id, ERROR: `Job <${id}> is not found` }));
    const list = [...records, ...missing];
    return printed(
      `${JSON.stringify({ COMMAND: 'bjobs', JOBS: list.length, RECORDS: list }, undefined, 2)}\n`,
      code,
      '',
    );
  }
  if (runs.length === 0) return printed('', code, problems || 'No unfinished job found\n');
  const rows = runs.map(({ job, run }) => {
    const one = fieldsOf(job, run, cluster);
    if (format !== undefined)
      return format
        .trim()
        .split(/\s+/)
        .map((name) => one[name.toLowerCase()] || '-')
        .join(' ');
    const hosts = [call.host.padEnd(11), (one['exec_host'] || '-').padEnd(11)].join(' ');
    return [
      one['jobid']?.padEnd(7),
      one['user']?.padEnd(7),
      one['stat']?.padEnd(5),
      one['queue']?.padEnd(10),
      hosts,
      one['job_name']?.padEnd(10),
      'Nov 29 00:00',
    ].join(' ');
  });
  const head =
    format === undefined
      ? ['JOBID   USER    STAT  QUEUE      FROM_HOST   EXEC_HOST   JOB_NAME   SUBMIT_TIME']
      : given.has('-noheader')
        ? []
        : [format.toUpperCase()];
  return printed(`${[...head, ...rows].join('\n')}\n`, code, problems);
}

/** Applies a command to each id, and tells what came of it. */
function onEach(
  call: Call,
  cluster: Cluster,
  done: string,
  act: (id: string, index: number | undefined) => boolean,
): Answer {
  const lines: string[] = [];
  const problems: string[] = [];
  const words = [...call.argv];
  while (words[0]?.startsWith('-')) if (words.shift() === '-s') words.shift();
  for (const id of words) {
    const [, number = id, index] = /^(\d+)(?:\[(\d+)\])?$/.exec(id) ?? [];
    const job = cluster.jobs.find((one) => one.id === number);
    if (job === undefined) problems.push(`Job <${id}>: No matching job found`);
    else if (act(number, index === undefined ? undefined : Number(index))) lines.push(`Job <${id}> is being ${done}`);
    else problems.push(`Job <${id}>: Job has already finished`);
  }
  const text = (all: readonly string[]) => all.map((one) => `${one}\n`).join('');
  return printed(text(lines), problems.length > 0 ? 255 : 0, text(problems));
}

function bkill(call: Call, cluster: Cluster): Answer {
  const at = call.argv.indexOf('-s');
  if (at < 0) return onEach(call, cluster, 'terminated', (id, index) => cluster.cancel(id, index));
  const signal = `SIG${(call.argv[at + 1] ?? '').replace(/^SIG/, '')}` as NodeJS.Signals;
  return onEach(call, cluster, 'signaled', (id, index) => cluster.signal(id, index, signal, 'all'));
}

/** IBM Spectrum LSF 10.1, with the job step manager where a job asks for whole nodes. */
export const lsf: SchedulerStandIn = {
  name: 'lsf',
  commands: {
    bsub: refusing(bsub),
    bjobs: refusing(bjobs),
    bkill: refusing(bkill),
    bresume: (call, cluster) => onEach(call, cluster, 'resumed', (id) => cluster.release(id)),
    lsid: (_, cluster) =>
      printed(
        `IBM Spectrum LSF Standard 10.1.0.13\n\nMy cluster name is ${cluster.name}\nMy master name is ${cluster.loginNode}\n`,
      ),
  },
  readsStdin: ['bsub'],
  environment: (job, run, cluster, folder) => {
    const { request } = job;
    const launch: readonly (readonly [string, number])[] = request.onLaunchNode ? [[cluster.launchNode, 1]] : [];
    const pairs = [...launch, ...run.nodes.map(({ name, cpus }) => [name, cpus] as const)];
    const hosts = pairs.flatMap(([name, slots]) => Array.from({ length: slots }, () => name));
    const file = `${folder}/hostfile`;
    const [first] = request.components;
    const gpus = request.onLaunchNode ? 0 : (first?.gpusPerNode ?? 0);
    return {
      env: {
        ...request.env,
        LSB_JOBID: job.id,
        LSB_BATCH_JID: run.index === undefined ? job.id : `${job.id}[${run.index}]`,
        LSB_JOBINDEX: String(run.index ?? 0),
        LSB_JOBNAME: request.name + (run.index === undefined ? '' : `[${run.index}]`),
        LSB_QUEUE: request.queue ?? 'normal',
        // Over 4096 characters it is not set.
        ...(hosts.join(' ').length > 4096 ? {} : { LSB_HOSTS: hosts.join(' ') }),
        LSB_MCPU_HOSTS: pairs.map(([name, slots]) => `${name} ${slots}`).join(' '),
        LSB_DJOB_HOSTFILE: file,
        LSB_DJOB_NUMPROC: String(hosts.length),
        LSB_SUB_HOST: cluster.loginNode,
        LS_SUBCWD: request.cwd,
        LSF_ENVDIR: '/etc/lsf',
        ...(gpus === 0 ? {} : { CUDA_VISIBLE_DEVICES: Array.from({ length: gpus }, (_, one) => one).join(',') }),
      },
      files: { [file]: `${hosts.join('\n')}\n` },
    };
  },
  outputPath: (pattern, job, run) => pattern.replaceAll('%J', job.id).replaceAll('%I', String(run.index ?? 0)),
  jobOf: ({ LSB_JOBID: id, LSB_JOBINDEX: index = '0' }) =>
    id === undefined ? undefined : index === '0' ? { id } : { id, index: Number(index) },
  launchers: ['jsrun', 'blaunch', 'mpirun', 'orterun', 'mpiexec', 'lsrun'],
};
