import { Refused } from '../../refused.js';
import type { Answer, Call, Cluster, JobComponent, JobRequest } from '../../standins.js';
import { clock, indicesOf, namedVariables, printed, scriptText } from '../words.js';
import { readSge, rejected, type SgeCell, type SgeJob } from './options.js';

/** Seconds by which SIGUSR2 comes before SIGKILL, as queues have it as a rule; half its time for a job that has not twice as many. */
const notifySeconds = 60;

export function qsub(call: Call, cluster: Cluster, cell: SgeCell | undefined): Answer {
  const last = call.argv.at(-1);
  const text = last === undefined || last.startsWith('-') ? undefined : call.readFile(last);
  const job = readSge(
    scriptText('qsub', text ?? call.stdin, last),
    text === undefined ? call.argv : call.argv.slice(0, -1),
    cell,
  );
  const { options } = job;
  const request = requestOf(
    job,
    call,
    cluster,
    text ?? call.stdin ?? '',
    text === undefined ? 'STDIN' : (last as string),
  );
  const checks = options['-w'];
  if (checks !== undefined && checks !== 'n' && checks !== 'w' && !cluster.fits(request)) {
    throw rejected(checks === 'e' ? 'error: no suitable queues' : 'verification: no suitable queues');
  }
  if (checks === 'v' || checks === 'p') return printed('verification: found suitable queue(s)\n');
  if (options['-verify'] !== undefined) return printed(`job_name:                   ${request.name}\n`);
  const id = cluster.submit(request);
  const [, first, end, step] = rangeOf(options['-t']) ?? [];
  const range = first === undefined ? '' : `.${first}-${end}:${step}`;
  if (options['-terse'] !== undefined) return printed(`${id}${range}\n`);
  return printed(`Your job${range === '' ? '' : '-array'} ${id}${range} ("${request.name}") has been submitted\n`);
}

/** `3`, `1-3` and `1-10:2`; ends that are the wrong way round are exchanged. */
function rangeOf(text: string | undefined): readonly [string, number, number, number] | undefined {
  if (text === undefined) return undefined;
  const [, a = '1', b = a, step = '1'] = /^(\d+)(?:-(\d+))?(?::(\d+))?$/.exec(text) ?? [];
  return [text, Math.min(Number(a), Number(b)), Math.max(Number(a), Number(b)), Math.max(1, Number(step))];
}

function seconds(text: string | undefined): number | undefined {
  if (text === undefined || /^infinity$/i.test(text)) return undefined;
  const [, number, unit] = /^(\d+)([smhd])$/i.exec(text) ?? [];
  if (number === undefined) return clock(text.replace(/^:/, '0:'));
  return Number(number) * ({ s: 1, m: 60, h: 3600, d: 86_400 }[unit?.toLowerCase() ?? 's'] ?? 1);
}

function requestOf(job: SgeJob, call: Call, cluster: Cluster, text: string, path: string): JobRequest {
  const { options, resources } = job;
  const name = options['-N'] ?? path.split('/').at(-1) ?? path;
  const [out = '', err = ''] = ['-o', '-e'].map((option) => {
    const file = options[option] ?? '';
    return file !== '' && call.isDirectory(file) ? `${file.replace(/\/$/, '')}/` : file;
  });
  const range = rangeOf(options['-t']);
  const [hard, soft] = [seconds(resources.get('h_rt')), seconds(resources.get('s_rt'))];
  const limit = hard ?? soft;
  const variables = (options['-v'] ?? '').split(',').filter((one) => one !== '');
  return {
    script: path,
    text,
    name,
    components: componentsOf(job, cluster),
    walltimeSeconds: limit,
    ...(soft === undefined || limit === undefined
      ? {}
      : { warning: { signal: 'SIGUSR1', seconds: limit - soft, to: 'all' } as const }),
    ...(soft !== undefined || limit === undefined || options['-notify'] === undefined
      ? {}
      : { warning: { signal: 'SIGUSR2', seconds: Math.min(notifySeconds, limit / 2), to: 'all' } as const }),
    ...(range === undefined
      ? {}
      : {
          array: {
            indices: indicesOf(range[1], range[2], range[3]),
            ...(Number(options['-tc'] ?? 0) === 0 ? {} : { atMost: Number(options['-tc']) }),
          },
        }),
    after: conditionsOf(options, cluster),
    endsUnrun: false,
    held: options['-h'] !== undefined && options['-h'] !== 'n',
    out,
    err: options['-j'] !== undefined && /^y/i.test(options['-j']) ? out : err || `\0${name}`,
    appends: true,
    env: {
      ...(options['-V'] === undefined ? {} : call.env),
      ...namedVariables(variables, call.env, () => ''),
      ...outer(call),
    },
    cwd: call.cwd,
    startsIn: options['-wd'] ?? (options['-cwd'] === undefined ? (call.env['HOME'] ?? '/') : call.cwd),
    onLaunchNode: false,
    ...(options['-q'] === undefined ? {} : { queue: options['-q'] }),
    ...(options['-P'] === undefined ? {} : { account: options['-P'] }),
    ignored: [],
  };
}

/** Variables about the submission that every job has. */
function outer(call: Call): Record<string, string> {
  const { HOME, LOGNAME, PATH, SHELL, TZ } = call.env;
  const known = { SGE_O_HOME: HOME, SGE_O_LOGNAME: LOGNAME, SGE_O_PATH: PATH, SGE_O_SHELL: SHELL, SGE_O_TZ: TZ };
  const set = Object.entries(known).filter((one): one is [string, string] => one[1] !== undefined);
  return { ...Object.fromEntries(set), SGE_O_WORKDIR: call.cwd, SGE_O_HOST: call.host };
}

/** Jobs that must have ended, however: by id or by name. Those that are not there are waited for no more. */
function conditionsOf(options: Readonly<Record<string, string>>, cluster: Cluster): JobRequest['after'] {
  return (['-hold_jid', '-hold_jid_ad'] as const).flatMap((option) =>
    (options[option] ?? '').split(',').flatMap((word) => {
      const found = cluster.jobs.filter(({ id, request }) => id === word || request.name === word);
      return found.map(({ id }) => ({
        jobId: id,
        on: 'any' as const,
        ...(option === '-hold_jid_ad' ? { elementwise: true } : {}),
      }));
    }),
  );
}

/** Slots that an environment gives each host, by its name: sites name them so that users know. */
function slotsPerHost(environment: string, slots: number, most: number): number {
  if (/smp|shm|shared|thread|openmp|omp|one/i.test(environment)) return slots;
  if (/scatter|spread|round/i.test(environment)) return 1;
  const number = /(\d+)(?!.*\d)/.exec(environment)?.[1];
  return number === undefined ? Math.min(slots, most) : Math.min(slots, Number(number));
}

function componentsOf({ options, resources }: SgeJob, cluster: Cluster): JobComponent[] {
  const [environment, range = '1'] = options['-pe']?.split(' ') ?? [];
  const slots = Number.parseInt(range, 10);
  const most = cluster.nodes[0]?.cpus ?? slots;
  const perHost = environment === undefined ? 1 : slotsPerHost(environment, slots, most);
  const nodes = Math.ceil(slots / perHost);
  if (nodes * perHost !== slots && /\d/.test(environment ?? '') && cluster.nodes.length > 0) {
    throw new Refused(
      `Unable to run job: ${slots} slots are no multiple of the ${perHost} that "${environment}" gives a host\nExiting.`,
      1,
    );
  }
  const gpus = [...resources].find(([name]) => /gpu/i.test(name))?.[1] ?? '0';
  const memory = [...resources].find(([name]) => /^(h_vmem|mem_free|virtual_free|mem)$/.test(name))?.[1];
  const exclusive = [...resources.keys()].some((name) => /^excl(usive)?$/.test(name));
  const expression = resources.get('hostname') ?? resources.get('h') ?? '';
  const [, not = ''] = /!\(?([^()&]+)\)?/.exec(expression) ?? [];
  const only = expression.replace(/&?!\(?[^()&]+\)?/, '').replace(/[()]/g, '');
  const listed = (text: string) => text.split('|').filter((one) => one !== '');
  return [
    {
      nodes,
      cpusPerNode: perHost,
      gpusPerNode: Number(gpus) || 0,
      memoryMiB: memoryOf(memory),
      exclusive,
      tasks: slots,
      tasksPerNode: perHost,
      ...(listed(only).length === 0 ? {} : { onlyOn: listed(only) }),
      ...(listed(not).length === 0 ? {} : { notOn: listed(not) }),
    },
  ];
}

/** MiB of `4G`; capital letters count by 1024, small ones by 1000. */
function memoryOf(text: string | undefined): number {
  const [, number = '0', unit = ''] = /^(\d+(?:\.\d+)?)([kmg]?)/i.exec(text ?? '') ?? [];
  const factor = { K: 1 / 1024, M: 1, G: 1024 }[unit.toUpperCase()] ?? 1 / 1_048_576;
  return Math.ceil(Number(number) * factor);
}
