import { Refused } from '../../refused.js';
import type { Answer, Call, Cluster, Job, Run, SchedulerStandIn } from '../../standins.js';
import { elapsed, hasEnded, isOver, printed, refusing } from '../words.js';
import type { SgeCell } from './options.js';
import { qsub } from './submit.js';

function lettersOf({ state, waitsFor }: Run): string {
  if (state === 'running') return 'r';
  return state === 'held' || waitsFor === 'dependency' || waitsFor === 'hold' ? 'hqw' : 'qw';
}

/** `2026-11-29T04:05:06` in this machine's time zone, as Grid Engine writes times. */
function localTime(ms: number): string {
  const date = new Date(ms);
  return new Date(ms - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}

function alive(cluster: Cluster): { readonly job: Job; readonly run: Run }[] {
  return cluster.jobs.flatMap((job) => job.runs.filter((run) => !hasEnded(run)).map((run) => ({ job, run })));
}

function slotsOf({ request }: Job): number {
  return request.components.reduce((sum, { tasks = 1 }) => sum + tasks, 0);
}

function qstat(call: Call, cluster: Cluster): Answer {
  if (call.argv.includes('-j')) {
    const id = call.argv[call.argv.indexOf('-j') + 1] ?? '';
    const job = cluster.jobs.find((one) => one.id === id && !isOver(one));
    if (job === undefined)
      throw new Refused(`Following jobs do not exist or permissions are not sufficient: \n${id}`, 1);
    return printed(`job_number:                 ${id}\njob_name:                   ${job.request.name}\n`);
  }
  const rows = alive(cluster);
  if (!call.argv.includes('-xml')) {
    if (rows.length === 0) return printed('');
    const lines = rows.map(
      ({ job, run }) =>
        `${job.id.padStart(10)} 0.50000 ${job.request.name.slice(0, 10).padEnd(10)} ${cluster.user.name.padEnd(12)} ${lettersOf(run).padEnd(5)} ${slotsOf(job)} ${run.index ?? ''}`,
    );
    return printed(
      `job-ID     prior   name       user         state slots ja-task-ID\n${'-'.repeat(75)}\n${lines.join('\n')}\n`,
    );
  }
  const list = ({ job, run }: (typeof rows)[number]) => {
    const started = run.startedAt === undefined ? undefined : localTime(cluster.wallClock(run.startedAt));
    const { walltimeSeconds } = job.request;
    return [
      `    <job_list state="${run.state === 'running' ? 'running' : 'pending'}">`,
      `      <JB_job_number>${job.id}</JB_job_number>`,
      `      <JB_name>${job.request.name.replace(/[<&]/g, (one) => (one === '<' ? '&lt;' : '&amp;'))}</JB_name>`,
      `      <JB_owner>${cluster.user.name}</JB_owner>`,
      `      <state>${lettersOf(run)}</state>`,
      ...(started === undefined ? [] : [`      <JAT_start_time>${started}</JAT_start_time>`]),
      `      <slots>${slotsOf(job)}</slots>`,
      ...(run.index === undefined ? [] : [`      <tasks>${run.index}</tasks>`]),
      ...(walltimeSeconds === undefined
        ? []
        : [`      <hard_request name="h_rt" resource_contribution="0.000000">${walltimeSeconds}</hard_request>`]),
      ...job.request.after.map(({ jobId }) => `      <predecessor_jobs>${jobId}</predecessor_jobs>`),
      '    </job_list>',
    ].join('\n');
  };
  const [running, waiting] = [
    rows.filter(({ run }) => run.state === 'running'),
    rows.filter(({ run }) => run.state !== 'running'),
  ];
  return printed(
    `<?xml version='1.0'?>\n<job_info  xmlns:xsd="http://www.w3.org/2001/XMLSchema">\n  <queue_info>\n${running.map(list).join('\n')}\n  </queue_info>\n  <job_info>\n${waiting.map(list).join('\n')}\n  </job_info>\n</job_info>\n`,
  );
}

/** Numbers of `failed` in the accounting. */
const failures: Readonly<Partial<Record<Run['state'], string>>> = {
  timeout: '37  : qmaster enforced h_rt, h_cpu, or h_vmem limit',
  cancelled: '100 : assumedly after job',
  node_fail: '25  : rescheduling',
};

function qacct(call: Call, cluster: Cluster): Answer {
  const id = call.argv[call.argv.indexOf('-j') + 1] ?? '';
  const job = cluster.jobs.find((one) => one.id === id);
  const runs = (job?.runs ?? []).filter((run) => hasEnded(run) && run.startedAt !== undefined);
  if (job === undefined || runs.length === 0) throw new Refused(`error: job id ${id} not found`, 1);
  const records = runs.map((run) => {
    const code = run.state === 'cancelled' || run.state === 'timeout' ? 137 : (run.exitCode ?? 0);
    const rows: [string, string][] = [
      ['qname', job.request.queue ?? 'all.q'],
      ['hostname', run.host ?? ''],
      ['owner', cluster.user.name],
      ['jobname', job.request.name],
      ['jobnumber', id],
      ['taskid', run.index === undefined ? 'undefined' : String(run.index)],
      ['pe_taskid', 'NONE'],
      ['failed', failures[run.state] ?? '0'],
      ['exit_status', `${code}`],
      ['ru_wallclock', `${elapsed(run, cluster.now())}s`],
      ['category', job.request.walltimeSeconds === undefined ? '' : `-l h_rt=${job.request.walltimeSeconds}`],
    ];
    return `${'='.repeat(62)}\n${rows.map(([name, value]) => `${name.padEnd(12)} ${value}`).join('\n')}\n`;
  });
  return printed(records.join(''));
}

function qdel(call: Call, cluster: Cluster): Answer {
  const lines: string[] = [];
  let denied = false;
  for (const id of call.argv.filter((word) => !word.startsWith('-'))) {
    const [, number = id, first, last = first] = /^(\d+)(?:\.(\d+)(?:-(\d+))?)?/.exec(id) ?? [];
    const job = cluster.jobs.find((one) => one.id === number && !isOver(one));
    const indices =
      first === undefined
        ? [undefined]
        : Array.from({ length: Number(last) - Number(first) + 1 }, (_, place) => Number(first) + place);
    const done = job !== undefined && indices.map((index) => cluster.cancel(number, index)).some((one) => one);
    denied ||= !done;
    lines.push(
      done ? `${cluster.user.name} has registered the job ${id} for deletion` : `denied: job "${id}" does not exist`,
    );
  }
  return printed(lines.map((one) => `${one}\n`).join(''), denied ? 1 : 0);
}

/** Grid Engine 8.1 with such a cell; without one each name is that of something it has. */
export function sgeStandIn(cell?: SgeCell): SchedulerStandIn {
  return {
    name: 'sge',
    commands: {
      qsub: refusing((call, cluster) => qsub(call, cluster, cell)),
      qstat: refusing(qstat),
      qacct: refusing(qacct),
      qdel: refusing(qdel),
      qrls: (call, cluster) =>
        printed(call.argv.map((id) => `modified hold of job ${id}${cluster.release(id) ? '' : ': denied'}\n`).join('')),
    },
    readsStdin: ['qsub'],
    environment: (job, run, cluster, folder) => {
      const { request } = job;
      const slots = slotsOf(job);
      const file = `${folder}/pe_hostfile`;
      const queue = request.queue ?? 'all.q';
      const isParallel = slots > 1 || run.nodes.length > 1;
      const indices = request.array?.indices;
      const rows = run.nodes.map(({ name, cpus }) => `${name} ${cpus} ${queue}@${name} UNDEFINED`);
      const element = indices === undefined ? 'undefined' : String(run.index);
      return {
        env: {
          HOME: request.env['SGE_O_HOME'] ?? '/',
          USER: cluster.user.name,
          LOGNAME: cluster.user.name,
          SHELL: '/bin/bash',
          ...request.env,
          JOB_ID: job.id,
          JOB_NAME: request.name,
          QUEUE: queue,
          NSLOTS: String(slots),
          NHOSTS: String(run.nodes.length),
          NQUEUES: String(run.nodes.length),
          SGE_TASK_ID: element,
          SGE_TASK_FIRST: String(indices?.[0] ?? 'undefined'),
          SGE_TASK_LAST: String(indices?.at(-1) ?? 'undefined'),
          SGE_TASK_STEPSIZE: String(indices === undefined ? 'undefined' : (indices[1] ?? 1) - (indices[0] ?? 0) || 1),
          SGE_CELL: 'default',
          SGE_ROOT: '/var/lib/gridengine',
          ENVIRONMENT: 'BATCH',
          RESTARTED: '0',
          TMPDIR: folder,
          TMP: folder,
          ...(isParallel ? { PE_HOSTFILE: file, PE: 'pe' } : {}),
        },
        files: isParallel ? { [file]: `${rows.join('\n')}\n` } : {},
      };
    },
    outputPath: (pattern, job, run) => {
      const usual = (kind: string) =>
        `${job.request.name}.${kind}${job.id}${run.index === undefined ? '' : `.${run.index}`}`;
      // Errors apart have a name of their own.
      if (pattern === '' || pattern.startsWith('\0')) return usual(pattern === '' ? 'o' : 'e');
      if (pattern.endsWith('/')) return `${pattern}${usual('o')}`;
      const known: Readonly<Record<string, string>> = {
        JOB_ID: job.id,
        TASK_ID: run.index === undefined ? 'undefined' : String(run.index),
        JOB_NAME: job.request.name,
        HOSTNAME: run.host ?? '',
        USER: job.request.env['SGE_O_LOGNAME'] ?? '',
        HOME: job.request.env['SGE_O_HOME'] ?? '',
      };
      return pattern.replace(/\$(JOB_ID|TASK_ID|JOB_NAME|HOSTNAME|USER|HOME)/g, (_, name: string) => known[name] ?? '');
    },
    jobOf: ({ JOB_ID: id, SGE_TASK_ID: index = 'undefined' }) =>
      id === undefined ? undefined : /^\d+$/.test(index) ? { id, index: Number(index) } : { id },
    launchers: ['mpirun', 'orterun', 'mpiexec', 'qrsh'],
  };
}
