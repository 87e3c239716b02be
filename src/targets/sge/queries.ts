import {
  type Answer,
  countSeconds,
  directiveWords,
  type JobReport,
  type JobState,
  optionValues,
  type Queries,
  withValues,
} from '../queries.js';

/** One letter says one thing: `Eqw`, `hqw`, `dr`, `tS`. */
function stateOf(native: string): JobState {
  if (native.includes('q')) return 'PENDING';
  return /[rtsSTN]/.test(native) ? 'RUNNING' : 'UNKNOWN';
}

function reasonOf(id: string, native: string, awaited: readonly string[]): string | undefined {
  if (native.includes('E')) return `it could not be started: qstat -j ${id} says why`;
  if (native.includes('d')) return 'being deleted';
  if (/[sST]/.test(native)) return 'suspended';
  if (!native.includes('h')) return undefined;
  return awaited.length === 0 ? 'held' : `after ${awaited.join(', ')}`;
}

/** The jobs that wait or run; one that has ended is not among them. */
function readQstat({ stdout, exitCode }: Answer): JobReport[] | undefined {
  if (exitCode !== 0 || !stdout.includes('<job_info')) return undefined;
  return [...stdout.matchAll(/<job_list[^>]*>(.*?)<\/job_list>/gs)].map(([, text = '']) => {
    const all = (tag: string) =>
      [...text.matchAll(new RegExp(`<${tag}>([^<]*)</${tag}>`, 'g'))].map(([, one]) => one ?? '');
    const [id = ''] = all('JB_job_number');
    const [native = ''] = all('state');
    const [element] = all('tasks');
    const started = Date.parse(all('JAT_start_time')[0] ?? '');
    const limit = /<hard_request name="h_rt"[^>]*>([\d:]+)</.exec(text)?.[1] ?? '';
    return {
      id,
      state: stateOf(native),
      native,
      ...withValues({
        element,
        ownId: element === undefined ? undefined : `${id}.${element}`,
        reason: reasonOf(id, native, all('predecessor_jobs')),
        elapsedSeconds: Number.isNaN(started) ? undefined : Math.max(0, Math.round((Date.now() - started) / 1000)),
        limitSeconds: countSeconds(limit, 'seconds'),
      }),
    };
  });
}

/** Numbers of `failed` in the accounting. */
const failures = { rescheduled: 25, limit: 37, killed: 100 } as const;

/** Exit codes of a script that was told to end: by SIGINT, SIGKILL, SIGUSR2 or SIGTERM. */
const toldToEnd: readonly number[] = [130, 137, 140, 143];

/** The records of a job, one for each of its elements: of several starts the last. */
function readQacct({ stdout, exitCode }: Answer): JobReport[] | undefined {
  if (exitCode !== 0) return [];
  const last = new Map<string, JobReport>();
  for (const record of stdout.split(/^=+$/m).slice(1)) {
    const field = (name: string) => new RegExp(`^${name}[ \\t]+(.*?)[ \\t]*$`, 'm').exec(record)?.[1] ?? '';
    // Processes that a launcher has started on other hosts have records as well.
    if (/^pe_taskid[ \t]+(?!NONE|undefined)\S/m.test(record)) continue;
    const failed = Number.parseInt(field('failed'), 10);
    if (failed === failures.rescheduled) continue;
    const task = field('taskid');
    const id = field('jobnumber');
    last.set(`${id}.${task}`, {
      id,
      ...endOf(record, failed, field),
      ...withValues({ element: /^\d+$/.test(task) ? task : undefined }),
    });
  }
  return [...last.values()];
}

function endOf(record: string, failed: number, field: (name: string) => string): Omit<JobReport, 'id'> {
  const exit = Number.parseInt(field('exit_status'), 10);
  const elapsedSeconds = Math.round(Number.parseFloat(field('ru_wallclock')));
  const limit = countSeconds(/^category .*\bh_rt=([\d:]+)/m.exec(record)?.[1] ?? '', 'seconds');
  const reason = /^\d+\s*:\s*(\S.*)$/.exec(field('failed'))?.[1];
  const known = { native: field('failed').replace(/\s+/g, ' '), elapsedSeconds };
  if (failed === failures.limit) {
    const isTime = limit === undefined || elapsedSeconds >= limit;
    return {
      ...known,
      state: isTime ? 'TIMEOUT' : 'FAILED',
      ...withValues({ reason, exit: exit === 0 ? undefined : exit }),
    };
  }
  if (toldToEnd.includes(exit) && (failed === 0 || failed === failures.killed)) {
    return { ...known, state: 'CANCELLED', exit };
  }
  if (failed !== 0)
    return { ...known, state: 'FAILED', ...withValues({ reason, exit: exit === 0 ? undefined : exit }) };
  return { ...known, state: exit === 0 ? 'COMPLETED' : 'FAILED', exit };
}

/** Values of `-l NAME=…` in all of the script: later ones count. */
function requested(script: string, name: string): string | undefined {
  const lists = optionValues(directiveWords(script, '#$', 'all'), '-l');
  return lists
    .flatMap((list) => list.split(','))
    .findLast((one) => one.startsWith(`${name}=`))
    ?.slice(name.length + 1);
}

/** qstat for what waits and runs; qacct, which takes one id at a time, for what has ended. */
export const sgeQueries: Queries = {
  submit: 'qsub',
  states: [
    // Asked for ids, it tells no states.
    { command: () => ['qstat', '-xml', '-g', 'd', '-r'], read: readQstat },
    { command: ([id = '']) => ['qacct', '-j', id], idsAtOnce: 1, optional: true, read: readQacct },
  ],
  cancel: ['qdel'],
  testOnly: (script) => ['qsub', '-w', 'v', script],
  walltimeOf: (script) => countSeconds(requested(script, 'h_rt') ?? '', 'seconds') || undefined,
  warnsBeforeEnd: (script) => requested(script, 's_rt') !== undefined || requested(script, 's_cpu') !== undefined,
  variables: { restarts: 'RESTARTED' },
};
