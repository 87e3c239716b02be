import { parseOptions } from '../../getopt.js';
import type { Answer, Call, Cluster, JobComponent, JobCondition, JobRequest, Refusal } from '../../standins.js';
import { lastOf, type Options } from './given.js';
import { sbatchOptions } from './options.js';
import { readDirectives } from './script.js';
import { componentOf, refused } from './size.js';
import { expandHosts, readTime } from './values.js';

/** Variables that stand between the command line and the directives. */
const variables: readonly (readonly [variable: string, option: string])[] = [
  ['SBATCH_ACCOUNT', 'account'],
  ['SBATCH_ARRAY_INX', 'array'],
  ['SBATCH_CONSTRAINT', 'constraint'],
  ['SBATCH_EXCLUSIVE', 'exclusive'],
  ['SBATCH_EXPORT', 'export'],
  ['SBATCH_GPUS', 'gpus'],
  ['SBATCH_GPUS_PER_NODE', 'gpus-per-node'],
  ['SBATCH_GPUS_PER_TASK', 'gpus-per-task'],
  ['SBATCH_GRES', 'gres'],
  ['SBATCH_JOB_NAME', 'job-name'],
  ['SBATCH_MEM_PER_NODE', 'mem'],
  ['SBATCH_OPEN_MODE', 'open-mode'],
  ['SBATCH_OUTPUT', 'output'],
  ['SBATCH_PARTITION', 'partition'],
  ['SBATCH_QOS', 'qos'],
  ['SBATCH_RESERVATION', 'reservation'],
  ['SBATCH_SIGNAL', 'signal'],
  ['SBATCH_TIMELIMIT', 'time'],
];

/** sbatch: reads a script, and queues the job that it and the command line ask for. */
export function sbatch(call: Call, cluster: Cluster): Answer {
  const request = readRequest(call, cluster);
  if (!('script' in request.job)) return { stdout: '', ...request.job };
  if (request.testOnly) {
    const when = new Date(cluster.wallClock()).toISOString().slice(0, 19);
    const nodes = request.job.components.reduce((sum, one) => sum + one.nodes, 0);
    return {
      stdout: '',
      stderr: `sbatch: Job 1 to start at ${when} using ${nodes} nodes in partition main\n`,
      code: 0,
    };
  }
  const id = cluster.submit(request.job);
  return { stdout: request.parsable ? `${id}\n` : `Submitted batch job ${id}\n`, stderr: '', code: 0 };
}

/** The job that a call asks for, or its refusal. */
export function readRequest(
  call: Call,
  cluster: Cluster,
): { readonly job: JobRequest | Refusal; readonly parsable: boolean; readonly testOnly: boolean } {
  const given = parseOptions('sbatch', call.argv, sbatchOptions);
  const fail = (job: Refusal) => ({ job, parsable: false, testOnly: false });
  if ('refused' in given) return fail(usageError(given.refused));
  const [script, ...args] = given.rest;
  const wrapped = lastOf(given.options, 'wrap');
  const text =
    wrapped !== undefined
      ? `#!/bin/sh\n# This script was created by sbatch --wrap.\n\n${wrapped}\n`
      : script === undefined
        ? call.stdin
        : call.readFile(script);
  if (text === undefined) return fail(refused('sbatch', `Unable to open file ${script ?? 'stdin'}`));
  const problem = scriptProblem(text);
  if (problem !== undefined) return fail(problem);
  const { components: directives, ignored } = readDirectives(text);
  const options: Options[] = [];
  for (const [place, words] of directives.entries()) {
    const own = parseOptions('sbatch', words, sbatchOptions);
    if ('refused' in own) return fail(usageError(own.refused));
    const [stray] = own.rest;
    if (stray !== undefined)
      return fail(usageError(`sbatch: error: Invalid directive found in batch script: ${stray}`));
    // Options of the command line are for the first component, as are name and output.
    options.push(place === 0 ? merged(own.options, fromVariables(call), given.options) : own.options);
  }
  const job = requestOf(call, cluster, { script: script ?? 'stdin', text, args, options, ignored });
  return { job, parsable: given.options.has('parsable'), testOnly: options[0]?.has('test-only') === true };
}

interface Read {
  readonly script: string;
  readonly text: string;
  readonly args: readonly string[];
  readonly options: readonly Options[];
  readonly ignored: JobRequest['ignored'];
}

function requestOf(call: Call, cluster: Cluster, { script, text, options, ignored }: Read): JobRequest | Refusal {
  const [own = new Map()] = options;
  const [shape] = cluster.nodes;
  if (shape === undefined) throw new Error('a machine without nodes');
  const components: JobComponent[] = [];
  for (const one of options) {
    const component = componentOf('sbatch', one, shape);
    if ('stderr' in component) return component;
    const [only, not] = [lastOf(one, 'nodelist'), lastOf(one, 'exclude')];
    components.push({
      ...component,
      ...(only === undefined ? {} : { onlyOn: expandHosts(only) }),
      ...(not === undefined ? {} : { notOn: expandHosts(not) }),
    });
  }
  const time = lastOf(own, 'time');
  const walltime = time === undefined ? 0 : readTime(time);
  if (walltime === undefined) return { stderr: 'sbatch: error: Invalid --time specification\n', code: 255 };
  const mode = lastOf(own, 'open-mode');
  const array = readArray(lastOf(own, 'array'));
  if (array === 'invalid') return submissionFailed('Invalid job array specification');
  const after = readDependency(lastOf(own, 'dependency'), cluster);
  if (after === undefined) return submissionFailed('Job dependency problem');
  const warning = readSignal(lastOf(own, 'signal'));
  if (warning === 'invalid') return { stderr: 'sbatch: error: Invalid --signal specification\n', code: 255 };
  const out = lastOf(own, 'output') ?? (array === undefined ? 'slurm-%j.out' : 'slurm-%A_%a.out');
  const startsIn = lastOf(own, 'chdir') ?? call.cwd;
  const [queue, account] = [lastOf(own, 'partition'), lastOf(own, 'account')];
  const request: JobRequest = {
    script,
    text,
    name: lastOf(own, 'job-name') ?? script.split('/').at(-1) ?? 'sbatch',
    components,
    walltimeSeconds: walltime === 0 ? undefined : walltime,
    ...(warning === undefined ? {} : { warning }),
    ...(array === undefined ? {} : { array }),
    after,
    endsUnrun: lastOf(own, 'kill-on-invalid-dep') === 'yes',
    held: own.has('hold'),
    outlivesNodes: own.has('no-kill') && lastOf(own, 'no-kill') !== 'off',
    // As Slurm is set up by default.
    requeues: !own.has('no-requeue'),
    out,
    err: lastOf(own, 'error') ?? out,
    appends: mode?.startsWith('a') === true,
    env: exported(lastOf(own, 'export'), call.env),
    cwd: call.cwd,
    startsIn,
    onLaunchNode: false,
    ...(queue === undefined ? {} : { queue }),
    ...(account === undefined ? {} : { account }),
    ignored,
  };
  return cluster.fits(request) ? request : submissionFailed('Requested node configuration is not available');
}

function submissionFailed(why: string): Refusal {
  return refused('sbatch', `Batch job submission failed: ${why}`);
}

function usageError(sentence: string): Refusal {
  return { stderr: `${sentence}\nTry "sbatch --help" for more information\n`, code: 255 };
}

function scriptProblem(text: string): Refusal | undefined {
  if (!text.startsWith('#!')) {
    return refused(
      'sbatch',
      'This does not look like a batch script.  The first\nsbatch: error: line must start with #! followed by the path to an interpreter.\nsbatch: error: For instance: #!/bin/sh',
    );
  }
  if (!text.includes('\r\n')) return undefined;
  return refused(
    'sbatch',
    'Batch script contains DOS line breaks (\\r\\n)\nsbatch: error: instead of expected UNIX line breaks (\\n).',
  );
}

function fromVariables({ env }: Call): Options {
  return new Map(variables.flatMap(([name, option]) => (env[name] === undefined ? [] : [[option, [env[name]]]])));
}

/** Options of several places, the later ones before the earlier. Of memory, the last place that names any counts. */
function merged(...places: readonly Options[]): Options {
  return new Map(places.flatMap((one) => [...one]));
}

function readArray(text: string | undefined): JobRequest['array'] | 'invalid' {
  if (text === undefined) return undefined;
  const [, list = '', most] = /^([^%]+)(?:%(\d+))?$/.exec(text) ?? [];
  const indices = list.split(',').flatMap((part) => {
    const [, first, last = first, step = '1'] = /^(\d+)(?:-(\d+)(?::(\d+))?)?$/.exec(part) ?? [];
    if (first === undefined || Number(step) === 0 || Number(last) < Number(first)) return [Number.NaN];
    const count = Math.floor((Number(last) - Number(first)) / Number(step)) + 1;
    return Array.from({ length: Math.min(count, 2000) }, (_, one) => Number(first) + one * Number(step));
  });
  if (indices.length === 0 || indices.some((one) => Number.isNaN(one) || one > 1000)) return 'invalid';
  return { indices, ...(most === undefined || most === '0' ? {} : { atMost: Number(most) }) };
}

const conditions: Readonly<Record<string, JobCondition['on']>> = {
  after: 'start',
  afterany: 'any',
  afterok: 'ok',
  afternotok: 'notok',
  aftercorr: 'ok',
};

function readDependency(text: string | undefined, cluster: Cluster): JobCondition[] | undefined {
  const found: JobCondition[] = [];
  for (const part of (text ?? '').split(',').filter((one) => one !== '')) {
    if (part === 'singleton') continue;
    const [type = '', ...ids] = part.split(':');
    const on = conditions[type];
    if (on === undefined || ids.length === 0) return undefined;
    for (const id of ids.map((one) => one.replace(/\+\d+$|_\d+$/, ''))) {
      if (!cluster.jobs.some((job) => job.id === id)) return undefined;
      found.push({ jobId: id, on, ...(type === 'aftercorr' ? { elementwise: true } : {}) });
    }
  }
  return found;
}

function readSignal(text: string | undefined): JobRequest['warning'] | 'invalid' {
  if (text === undefined) return undefined;
  const [, flags = '', name, seconds = '60'] = /^(?:([BR]+):)?(?:SIG)?([A-Z0-9]+)(?:@(\d+))?$/i.exec(text) ?? [];
  const signals: Readonly<Record<string, NodeJS.Signals>> = {
    USR1: 'SIGUSR1',
    '10': 'SIGUSR1',
    USR2: 'SIGUSR2',
    '12': 'SIGUSR2',
    TERM: 'SIGTERM',
    '15': 'SIGTERM',
    INT: 'SIGINT',
    '2': 'SIGINT',
    HUP: 'SIGHUP',
    '1': 'SIGHUP',
  };
  const signal = signals[(name ?? '').toUpperCase()];
  if (signal === undefined) return 'invalid';
  return { signal, seconds: Number(seconds), to: flags.includes('B') ? 'script' : 'all' };
}

/** The environment that `--export` hands on: all of it by default; where it names variables without ALL, these alone. */
function exported(text: string | undefined, env: Call['env']): Record<string, string> {
  const words = (text ?? 'ALL').split(',');
  const isAll = words.some((word) => /^ALL$/i.test(word));
  const chosen: Record<string, string> = isAll
    ? { ...env }
    : Object.fromEntries(Object.entries(env).filter(([name]) => name.startsWith('SLURM_')));
  for (const word of words) {
    const at = word.indexOf('=');
    if (at > 0) chosen[word.slice(0, at)] = word.slice(at + 1);
    else if (!isAll && env[word] !== undefined) chosen[word] = env[word];
  }
  if (/^(NONE|NIL)$/i.test(text ?? '')) chosen['SLURM_EXPORT_ENV'] = 'NONE';
  for (const name of ['HOME', 'USER', 'LOGNAME', 'PATH', 'SHELL']) {
    if (env[name] !== undefined) chosen[name] ??= env[name];
  }
  return chosen;
}
