import { Refused } from '../../refused.js';
import type { Answer, Call, Cluster, Job, Run, SchedulerStandIn } from '../../standins.js';
import { elapsed, formatClock, hasEnded, isOver, printed, refusing } from '../words.js';
import { idOf, numberOf, qsub } from './submit.js';

/** Number of the exit status of a run that PBS itself ended. */
const ownEnds = { timeout: -29, node_fail: -12 } as const;

function letterOf(run: Run, isElement: boolean, arrayOver: boolean): string {
  if (hasEnded(run)) return isElement && !arrayOver ? 'X' : 'F';
  if (run.state === 'running') return 'R';
  return run.state === 'held' || run.waitsFor === 'dependency' || run.waitsFor === 'hold' ? 'H' : 'Q';
}

function commentOf(run: Run, isElement: boolean): string | undefined {
  if (run.state === 'cancelled') return 'Job terminated by the user';
  if (run.state === 'node_fail') return 'Job could not go on: a node of it has failed';
  if (hasEnded(run)) return isElement ? `Subjob ${run.exitCode === 0 ? 'finished' : 'failed'}` : undefined;
  if (run.waitsFor === 'resources') return 'Not Running: Insufficient amount of resource: ncpus';
  return run.state === 'running'
    ? `Job run on (${run.nodes.map(({ name, cpus }) => `${name}:ncpus=${cpus}`).join(')+(')})`
    : undefined;
}

/** A job, or an element of an array, as `qstat -f -F json` has it. */
function attributesOf(job: Job, run: Run, cluster: Cluster, isElement: boolean): Record<string, unknown> {
  const { request } = job;
  const status = run.state === 'timeout' || run.state === 'node_fail' ? ownEnds[run.state] : exitStatus(run.exitCode);
  const comment = commentOf(run, isElement);
  return {
    Job_Name: request.name,
    Job_Owner: `${cluster.user.name}@${cluster.loginNode}`,
    ...(run.startedAt === undefined ? {} : { resources_used: { walltime: formatClock(elapsed(run, cluster.now())) } }),
    job_state: letterOf(run, isElement, isOver(job)),
    queue: request.queue ?? 'workq',
    server: cluster.loginNode,
    ...(run.nodes.length === 0 ? {} : { exec_host: run.nodes.map(({ name, cpus }) => `${name}/0*${cpus}`).join('+') }),
    Resource_List: {
      nodect: request.components.reduce((sum, { nodes }) => sum + nodes, 0),
      ...(request.walltimeSeconds === undefined ? {} : { walltime: formatClock(request.walltimeSeconds) }),
    },
    substate:
      run.state === 'cancelled'
        ? 91
        : hasEnded(run)
          ? run.exitCode === 0
            ? 92
            : 93
          : run.state === 'running'
            ? 42
            : 10,
    Variable_List: request.env,
    ...(comment === undefined ? {} : { comment }),
    ...(run.startedAt !== undefined && hasEnded(run) && status !== undefined ? { Exit_status: status } : {}),
    ...(isElement ? { array_id: idOf(cluster, job.id, true), array_index: run.index } : {}),
  };
}

/** 256 + n where signal n ended the script. */
function exitStatus(code: number | undefined): number | undefined {
  return code !== undefined && code > 128 && code < 160 ? code + 128 : code;
}

/** The array as a whole: its exit status is that of the element that ended last. */
function arrayAttributes(job: Job, cluster: Cluster): Record<string, unknown> {
  const last = [...job.runs].sort((a, b) => (a.endedAt ?? 0) - (b.endedAt ?? 0)).at(-1) as Run;
  const begun = job.runs.some(({ startedAt }) => startedAt !== undefined);
  const { job_state: state, comment: _, ...rest } = attributesOf(job, last, cluster, false);
  return { ...rest, job_state: isOver(job) ? 'F' : begun ? 'B' : state, array: 'True' };
}

function qstat(call: Call, cluster: Cluster): Answer {
  const ids: string[] = [];
  const given = new Set<string>();
  let format = '';
  for (let at = 0; at < call.argv.length; at++) {
    const word = call.argv[at] as string;
    if (word === '-F') format = call.argv[++at] ?? '';
    else if (/^-[xtfwanspTHGMu]+$/.test(word)) for (const letter of word.slice(1)) given.add(letter);
    else if (word.startsWith('-')) throw new Refused(`qstat: invalid option -- '${word[1]}'`, 2);
    else ids.push(word);
  }
  const problems: string[] = [];
  let code = 0;
  const jobs = (ids.length === 0 ? cluster.jobs.map(({ id }) => id) : ids).flatMap((id) => {
    const job = cluster.jobs.find((one) => one.id === numberOf(id).id);
    const full = id.includes('.') ? id : `${id}.${cluster.loginNode}`;
    if (job === undefined || (isOver(job) && !given.has('x'))) {
      if (ids.length === 0) return [];
      code = job === undefined ? 153 : 35;
      problems.push(
        job === undefined
          ? `qstat: Unknown Job Id ${full}`
          : `qstat: ${full} Job has finished, use -x or -H to obtain historical job information`,
      );
      return [];
    }
    return [job];
  });
  const stderr = problems.map((one) => `${one}\n`).join('');
  if (given.has('f') && format === 'json') {
    const entries = jobs.flatMap((job) => entriesOf(job, cluster, given.has('t')));
    if (entries.length === 0 && ids.length > 0) return printed('', code, stderr);
    const head = {
      timestamp: Math.floor(cluster.wallClock() / 1000),
      pbs_version: '23.06.06',
      pbs_server: cluster.loginNode,
    };
    return printed(
      `${JSON.stringify({ ...head, Jobs: Object.fromEntries(entries) }, undefined, '\t')}\n`,
      code,
      stderr,
    );
  }
  const rows = jobs
    .flatMap((job) => entriesOf(job, cluster, given.has('t')))
    .map(([id, one]) => {
      const cells = [
        id.padEnd(17),
        String(one['Job_Name']).slice(0, 16).padEnd(16),
        cluster.user.name.padEnd(17),
        '00:00:00',
      ];
      return `${cells.join(' ')} ${String(one['job_state'])} ${String(one['queue'])}`;
    });
  const head = [
    'Job id            Name             User              Time Use S Queue',
    '----------------  ---------------- ----------------  -------- - -----',
  ];
  return printed(rows.length === 0 ? '' : `${[...head, ...rows].join('\n')}\n`, code, stderr);
}

function entriesOf(job: Job, cluster: Cluster, elements: boolean): [string, Record<string, unknown>][] {
  if (job.request.array === undefined) {
    return job.runs.map((run) => [idOf(cluster, job.id, false), attributesOf(job, run, cluster, false)]);
  }
  const whole: [string, Record<string, unknown>] = [idOf(cluster, job.id, true), arrayAttributes(job, cluster)];
  if (!elements) return [whole];
  return [
    whole,
    ...job.runs.map((run): [string, Record<string, unknown>] => [
      idOf(cluster, job.id, true, run.index),
      attributesOf(job, run, cluster, true),
    ]),
  ];
}

/** Applies a command to each id; those that it cannot be applied to are told. */
function onEach(
  name: string,
  call: Call,
  cluster: Cluster,
  act: (id: string, index: number | undefined) => boolean,
): Answer {
  const problems: string[] = [];
  let code = 0;
  for (const id of call.argv.filter((word) => !word.startsWith('-'))) {
    const { id: number, index } = numberOf(id);
    const job = cluster.jobs.find((one) => one.id === number);
    const full = id.includes('.') ? id : `${id}.${cluster.loginNode}`;
    if (job !== undefined && !isOver(job) && act(number, index)) continue;
    code = job === undefined ? 153 : 35;
    problems.push(job === undefined ? `${name}: Unknown Job Id ${full}` : `${name}: Job has finished ${full}`);
  }
  return printed('', code, problems.map((one) => `${one}\n`).join(''));
}

/** PBS Professional and OpenPBS. */
export const pbs: SchedulerStandIn = {
  name: 'pbs',
  commands: {
    qsub: refusing(qsub),
    qstat: refusing(qstat),
    qdel: (call, cluster) => onEach('qdel', call, cluster, (id, index) => cluster.cancel(id, index)),
    qrls: (call, cluster) => onEach('qrls', call, cluster, (id) => cluster.release(id)),
  },
  readsStdin: ['qsub'],
  environment: (job, run, cluster, folder) => {
    const { request } = job;
    const [first] = request.components;
    const isArray = request.array !== undefined;
    const file = `${folder}/nodefile`;
    const lines = run.nodes.flatMap(({ name }) => {
      const at = run.components.findIndex((names) => names.includes(name));
      return Array.from({ length: request.components[at]?.tasksPerNode ?? 1 }, () => name);
    });
    const threads = String(first?.cpusPerTask ?? first?.cpusPerNode ?? 1);
    return {
      env: {
        HOME: request.startsIn,
        USER: cluster.user.name,
        LOGNAME: cluster.user.name,
        SHELL: request.env['PBS_O_SHELL'] ?? '/bin/bash',
        ...request.env,
        PBS_ENVIRONMENT: 'PBS_BATCH',
        ENVIRONMENT: 'BATCH',
        PBS_JOBID: idOf(cluster, job.id, isArray, run.index),
        PBS_JOBNAME: request.name,
        PBS_QUEUE: request.queue ?? 'workq',
        PBS_NODEFILE: file,
        PBS_NODENUM: '0',
        PBS_TASKNUM: '1',
        NCPUS: threads,
        OMP_NUM_THREADS: threads,
        TMPDIR: folder,
        PBS_JOBDIR: request.startsIn,
        ...(isArray ? { PBS_ARRAY_INDEX: String(run.index), PBS_ARRAY_ID: idOf(cluster, job.id, true) } : {}),
      },
      files: { [file]: `${lines.join('\n')}\n` },
    };
  },
  outputPath: (pattern, job, run) => {
    const isArray = job.request.array !== undefined;
    const element = isArray ? `[${run.index}]` : '';
    // Errors apart have a name of their own.
    const apart = pattern.startsWith('\0');
    if (pattern.endsWith('/')) return `${pattern}${job.id}${element}.server.OU`;
    if (pattern === '' || apart)
      return `${job.request.name}.${apart ? 'e' : 'o'}${job.id}${isArray ? `.${run.index}` : ''}`;
    return pattern.replaceAll('^array_index^', String(run.index ?? ''));
  },
  jobOf: ({ PBS_JOBID: id }) => (id === undefined ? undefined : numberOf(id)),
  launchers: ['mpiexec', 'mpirun', 'orterun', 'aprun', 'pbsdsh', 'pbs_tmrsh'],
};
