import { Refused } from '../../refused.js';
import type { Answer, Call, Cluster, Job, JobRequest, Run, SchedulerStandIn } from '../../standins.js';
import { clock, elapsed, formatClock, hasEnded, printed, refusing } from '../words.js';
import { readCobalt } from './directives.js';

function qsub(call: Call, cluster: Cluster): Answer {
  const path = call.argv.findLast((word) => call.readFile(word) !== undefined && !word.startsWith('-'));
  const text = path === undefined ? undefined : call.readFile(path);
  if (path === undefined || text === undefined) throw new Refused('No executable specified', 1);
  const job = readCobalt(text, call.argv);
  const { options } = job;
  const [script = path] = job.command;
  const name = options['--jobname'] ?? script.split('/').at(-1) ?? script;
  const time = options['--time'] ?? '';
  const onXc = /(^|\s)aprun\s/m.test(text);
  const nodes = Number(options['--nodecount']);
  const [node] = cluster.nodes;
  const location = /(?:^|:)location=([^:]+)/.exec(options['--attrs'] ?? '')?.[1];
  const files = outputsOf(options);
  const variables = (options['--env'] ?? '').split(':').filter((one) => one !== '');
  const { PATH, HOME, LANG, USER, LOGNAME, SHELL } = call.env;
  const base = { PATH, HOME, LANG, USER, LOGNAME, SHELL };
  const known = Object.entries(base).filter((one): one is [string, string] => one[1] !== undefined);
  const request: JobRequest = {
    script,
    text,
    name,
    components: [
      {
        nodes,
        cpusPerNode: node?.cpus ?? 1,
        gpusPerNode: node?.gpus ?? 0,
        memoryMiB: node?.memoryMiB ?? 0,
        exclusive: true,
        ...(location === undefined ? {} : { onlyOn: location.split(',') }),
      },
    ],
    walltimeSeconds: time.includes(':') ? clock(time.split(':').length === 2 ? `${time}:00` : time) : Number(time) * 60,
    after: (options['--dependencies'] ?? '')
      .split(':')
      .filter((id) => /^\d+$/.test(id))
      .map((jobId) => ({ jobId, on: 'ok' })),
    endsUnrun: false,
    held: options['--held'] !== undefined,
    out: files.out,
    err: files.err,
    appends: true,
    env: { ...Object.fromEntries(known), ...environmentOf(variables) },
    cwd: call.cwd,
    startsIn: options['--cwd'] ?? call.cwd,
    onLaunchNode: onXc,
    ...(options['--queue'] === undefined ? {} : { queue: options['--queue'] }),
    ...(options['--project'] === undefined ? {} : { account: options['--project'] }),
    ignored: job.ignored,
  };
  if (!cluster.fits(request)) throw new Refused(`node count ${nodes} exceeds the size of the machine`, 1);
  return printed(`${cluster.submit(request)}\n`);
}

/** Files by their prefix or their own names; `\0` stands for the job's id. */
function outputsOf(options: Readonly<Record<string, string>>): { readonly out: string; readonly err: string } {
  const prefix = options['--outputprefix'] ?? '\0';
  const named = (text: string | undefined) => text?.replaceAll('$jobid', '\0');
  return { out: named(options['--output']) ?? `${prefix}.output`, err: named(options['--error']) ?? `${prefix}.error` };
}

function environmentOf(words: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    words.map((word) => {
      const at = word.indexOf('=');
      return at < 0 ? [word, ''] : [word.slice(0, at), word.slice(at + 1)];
    }),
  );
}

function stateOf({ state, waitsFor }: Run): string {
  if (state === 'running') return 'running';
  if (waitsFor === 'dependency never met') return 'dep_fail';
  if (waitsFor === 'dependency') return 'dep_hold';
  return state === 'held' ? 'user_hold' : 'queued';
}

/** Columns of qstat by their names. */
const columns: Readonly<Record<string, (job: Job, run: Run, cluster: Cluster) => string>> = {
  JobID: ({ id }) => id,
  JobName: ({ request }) => request.name,
  User: (_, __, { user }) => user.name,
  WallTime: ({ request }) => formatClock(request.walltimeSeconds ?? 0),
  RunTime: (_, run, cluster) => (run.startedAt === undefined ? 'N/A' : formatClock(elapsed(run, cluster.now()))),
  Nodes: ({ request }) => String(request.components[0]?.nodes ?? 0),
  State: (_, run) => stateOf(run),
  Location: (_, run) => run.nodes.map(({ name }) => nodeId(name)).join(',') || 'None',
  Queue: ({ request }) => request.queue ?? 'default',
};

/** Jobs that wait or run: it forgets those that have ended. */
function qstat(call: Call, cluster: Cluster): Answer {
  const ids = call.argv.filter((word) => /^\d+$/.test(word));
  const odd = call.argv.find((word) => !/^\d+$/.test(word) && !/^(-f|-l|--header(=.*)?|[A-Za-z:]+)$/.test(word));
  if (odd !== undefined) throw new Refused(`qstat: no such option: ${odd}`, 2);
  const header = call.argv.find((word) => word.startsWith('--header='))?.slice('--header='.length);
  const names = (header ?? 'JobID:User:WallTime:Nodes:State:Location').split(':');
  const rows = cluster.jobs
    .filter(({ id }) => ids.length === 0 || ids.includes(id))
    .flatMap((job) =>
      job.runs
        .filter((run) => !hasEnded(run))
        .map((run) => names.map((name) => columns[name]?.(job, run, cluster) ?? '-')),
    );
  if (rows.length === 0) return printed('', ids.length === 0 ? 0 : 1);
  const widths = names.map((name, at) => Math.max(name.length, ...rows.map((row) => row[at]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join('  ')
      .trimEnd();
  const rule = '='.repeat(widths.reduce((sum, one) => sum + one + 2, -2));
  return printed(`${[line(names), rule, ...rows.map(line)].join('\n')}\n`);
}

function qdel(call: Call, cluster: Cluster): Answer {
  const ids = call.argv.filter((word) => !word.startsWith('-'));
  const gone = ids.filter((id) => !cluster.cancel(id));
  const deleted = ids.filter((id) => !gone.includes(id));
  const stderr = gone.map((id) => `qdel: job ${id} is unknown\n`).join('');
  return printed(deleted.map((id) => `      Deleted Jobs\nJobID  ${id}\n`).join(''), gone.length > 0 ? 1 : 0, stderr);
}

/** Number of a node, as it stands in its name. */
function nodeId(name: string): number {
  return Number(/\d+/.exec(name)?.[0] ?? 0);
}

/** `1-3,7`. */
function ranges(numbers: readonly number[]): string {
  const parts: [number, number][] = [];
  for (const one of [...numbers].sort((a, b) => a - b)) {
    const last = parts.at(-1);
    if (last !== undefined && last[1] + 1 === one) last[1] = one;
    else parts.push([one, one]);
  }
  return parts.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(',');
}

/** Lines of a job's own log, by how it ended. */
const ends: Readonly<Partial<Record<Run['state'], string>>> = {
  timeout: 'maximum execution time exceeded; initiating job termination',
  cancelled: 'user delete requested with user',
};

/** Cobalt: whole nodes; scripts that launch by aprun run on a service node. */
export const cobalt: SchedulerStandIn = {
  name: 'cobalt',
  commands: {
    qsub: refusing(qsub),
    qstat: refusing(qstat),
    qdel,
    qrls: (call, cluster) =>
      printed(call.argv.map((id) => `${id}: ${cluster.release(id) ? 'released' : 'unknown'}\n`).join('')),
  },
  readsStdin: [],
  environment: (job, run, _, folder) => {
    const { request } = job;
    const file = `${folder}/nodefile`;
    const place = ranges(run.nodes.map(({ name }) => nodeId(name)));
    return {
      env: {
        ...request.env,
        COBALT_JOBID: job.id,
        COBALT_JOBSIZE: String(run.nodes.length),
        COBALT_PARTSIZE: String(run.nodes.length),
        COBALT_QUEUE: request.queue ?? 'default',
        ...(request.onLaunchNode ? { COBALT_PARTNAME: place } : { COBALT_NODEFILE: file }),
      },
      files: request.onLaunchNode ? {} : { [file]: `${run.nodes.map(({ name }) => name).join('\n')}\n` },
    };
  },
  outputPath: (pattern, job) => pattern.replaceAll('\0', job.id),
  afterEnd: (job, run) => {
    const log = job.request.out.replaceAll('\0', job.id).replace(/\.output$/, '.cobaltlog');
    const path = log.startsWith('/') ? log : `${job.request.cwd}/${log}`;
    const why = ends[run.state];
    const lines = [
      ...(why === undefined ? [] : [`Info: ${why}`]),
      `Info: task completed normally with an exit code of ${run.exitCode ?? 143}; initiating job cleanup and removal`,
    ];
    return { [path]: `${lines.join('\n')}\n` };
  },
  jobOf: ({ COBALT_JOBID: id }) => (id === undefined ? undefined : { id }),
  launchers: ['aprun', 'mpiexec', 'mpirun', 'orterun'],
};
