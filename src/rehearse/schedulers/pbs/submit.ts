import { Refused } from '../../refused.js';
import type { Answer, Call, Cluster, JobComponent, JobCondition, JobRequest } from '../../standins.js';
import { clock, indicesOf, namedVariables, printed, scriptText } from '../words.js';
import { type PbsJob, readPbs } from './directives.js';

const mib: Readonly<Record<string, number>> = { b: 1 / 1_048_576, k: 1 / 1024, m: 1, g: 1024, t: 1_048_576 };

/** MiB of `4gb`, `512mb`, `4G`, bytes without a unit. */
function sizeOf(text: string | undefined): number {
  const [, number = '0', unit = 'b'] = /^(\d+)([kmgtb]?)/i.exec(text ?? '') ?? [];
  return Math.ceil(Number(number) * (mib[(unit || 'b').toLowerCase()] ?? 1));
}

/** Id of a job as PBS writes it: `12.server`, `12[].server`. */
export function idOf(cluster: Cluster, id: string, isArray: boolean, index?: number): string {
  return `${id}${isArray ? `[${index ?? ''}]` : ''}.${cluster.loginNode}`;
}

/** The number of an id, and the index of an element. */
export function numberOf(id: string): { readonly id: string; readonly index?: number } {
  const [, number = id, index] = /^(\d+)(?:\[(\d*)\])?/.exec(id) ?? [];
  return index === undefined || index === '' ? { id: number } : { id: number, index: Number(index) };
}

/** Files of a submission: `-z` prints no id. */
export function qsub(call: Call, cluster: Cluster): Answer {
  const last = call.argv.at(-1);
  const hasScript = last !== undefined && !last.startsWith('-') && call.readFile(last) !== undefined;
  const text = scriptText('qsub', hasScript ? call.readFile(last) : call.stdin, last);
  const job = readPbs(text, hasScript ? call.argv.slice(0, -1) : call.argv);
  const request = requestOf(job, call, cluster, text, hasScript ? last : 'STDIN');
  const id = idOf(cluster, cluster.submit(request), request.array !== undefined);
  return printed(job.options['z'] === undefined ? `${id}\n` : '');
}

function requestOf(job: PbsJob, call: Call, cluster: Cluster, text: string, path: string): JobRequest {
  const { options, resources } = job;
  const name = options['N'] ?? path.split('/').at(-1) ?? path;
  const joined = options['j'] === 'oe';
  const [out, err] = [options['o'] ?? '', options['e'] ?? ''].map((file) =>
    call.isDirectory(file) ? `${file.replace(/\/$/, '')}/` : file,
  );
  const variables = (options['v'] ?? '').split(/,(?=[A-Za-z_]\w*(?:[=,]|$))/).filter((one) => one !== '');
  const missing = (one: string): never => {
    throw new Refused(`qsub: cannot send environment with the job (${one} is not set)`, 1);
  };
  const request: JobRequest = {
    script: path,
    text,
    name,
    components: componentsOf(job, cluster),
    walltimeSeconds: resources['walltime'] === undefined ? undefined : clock(resources['walltime']),
    ...arrayOf(options['J']),
    after: conditionsOf(options['W']),
    endsUnrun: true,
    held: options['h'] !== undefined,
    out: out ?? '',
    err: joined ? (out ?? '') : err || `\0${name}`,
    appends: false,
    env: {
      ...(options['V'] === undefined ? {} : call.env),
      ...namedVariables(variables, call.env, missing),
      ...outer(call, options['q']),
    },
    cwd: call.cwd,
    startsIn: call.env['HOME'] ?? '/',
    onLaunchNode: false,
    ...(options['q'] === undefined ? {} : { queue: options['q'] }),
    ...(options['A'] === undefined ? {} : { account: options['A'] }),
    ignored: job.ignored,
  };
  if ((request.array?.indices.length ?? 0) > 10_000)
    throw new Refused('qsub: Array job exceeds server or queue size limit', 3);
  return request;
}

/** Variables about the submission that every job has. */
function outer(call: Call, queue: string | undefined): Record<string, string> {
  const { HOME, LANG, PATH, SHELL, LOGNAME, TZ } = call.env;
  const known = {
    PBS_O_HOME: HOME,
    PBS_O_LANG: LANG,
    PBS_O_PATH: PATH,
    PBS_O_SHELL: SHELL,
    PBS_O_LOGNAME: LOGNAME,
    PBS_O_TZ: TZ,
  };
  const set = Object.entries(known).filter((one): one is [string, string] => one[1] !== undefined);
  return {
    ...Object.fromEntries(set),
    PBS_O_WORKDIR: call.cwd,
    PBS_O_HOST: call.host,
    PBS_O_SYSTEM: 'Linux',
    PBS_O_QUEUE: queue ?? 'workq',
  };
}

function arrayOf(text: string | undefined): Pick<JobRequest, 'array'> {
  const [, first, last, step = '1', atMost] = /^(\d+)-(\d+)(?::(\d+))?(?:%(\d+))?$/.exec(text ?? '') ?? [];
  if (first === undefined) return {};
  const indices = indicesOf(Number(first), Number(last), Number(step));
  return { array: { indices, ...(atMost === undefined ? {} : { atMost: Number(atMost) }) } };
}

const kinds: Readonly<Record<string, JobCondition['on']>> = {
  afterok: 'ok',
  afterany: 'any',
  afternotok: 'notok',
  after: 'start',
};

function conditionsOf(text: string | undefined): JobCondition[] {
  const depend = /(?:^|,)depend=(.*)$/s.exec(text ?? '')?.[1];
  if (depend === undefined) return [];
  return depend.split(',').flatMap((part) => {
    const [kind = '', ...ids] = part.split(':');
    const on = kinds[kind];
    if (on === undefined || ids.length === 0 || ids.some((id) => !/^\d+(\[\d*\])?(\.|$)/.test(id))) {
      throw new Refused('qsub: illegal -W value', 2);
    }
    return ids.map((id) => ({ jobId: numberOf(id).id, on }));
  });
}

/** Nodes by their chunks. Without `scatter` several chunks share a node, as many as it holds. */
function componentsOf({ chunks, resources }: PbsJob, cluster: Cluster): JobComponent[] {
  const place = resources['place'] ?? 'free';
  const all = chunks.length > 0 ? chunks : oldNodes(resources);
  const groups: { chunk: Readonly<Record<string, string>>; count: number }[] = [];
  for (const chunk of all) {
    const same = groups.at(-1);
    if (same !== undefined && JSON.stringify(same.chunk) === JSON.stringify(chunk)) same.count++;
    else groups.push({ chunk, count: 1 });
  }
  const [node] = cluster.nodes;
  return groups.map(({ chunk, count }) => {
    const cpus = Number(chunk['ncpus'] ?? 1);
    const [gpus, memory] = [Number(chunk['ngpus'] ?? 0), sizeOf(chunk['mem'])];
    const fitting = Math.max(
      1,
      Math.min(
        Math.floor((node?.cpus ?? cpus) / Math.max(1, cpus)),
        gpus === 0 ? count : Math.floor((node?.gpus ?? gpus) / gpus),
        memory === 0 ? count : Math.floor((node?.memoryMiB ?? memory) / memory),
      ),
    );
    const together = place.startsWith('pack') ? count : place.startsWith('free') ? Math.min(count, fitting) : 1;
    const tasks = Number(chunk['mpiprocs'] ?? 1);
    return {
      nodes: Math.ceil(count / together),
      cpusPerNode: cpus * together,
      gpusPerNode: gpus * together,
      memoryMiB: memory * together,
      exclusive: /excl/.test(place),
      tasksPerNode: tasks * together,
      cpusPerTask: Number(chunk['ompthreads'] ?? cpus),
      ...(chunk['host'] === undefined ? {} : { onlyOn: [chunk['host']] }),
    };
  });
}

/** Chunks of `-l nodes=2:ppn=4`, or of `-l ncpus=4`. */
function oldNodes(resources: Readonly<Record<string, string>>): Record<string, string>[] {
  const [count = '1', ...rest] = (resources['nodes'] ?? '1').split(':');
  const ppn = rest.find((one) => one.startsWith('ppn='))?.slice(4) ?? resources['ncpus'] ?? '1';
  const chunk = { ncpus: ppn, mpiprocs: ppn, ...(resources['mem'] === undefined ? {} : { mem: resources['mem'] }) };
  return Array.from({ length: Number(count) || 1 }, () => chunk);
}
