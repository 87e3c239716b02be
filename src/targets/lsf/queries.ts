import {
  type Answer,
  clockSeconds,
  countSeconds,
  directiveWords,
  type JobReport,
  type JobState,
  optionValues,
  type Queries,
  withValues,
} from '../queries.js';

const states: Readonly<Record<string, JobState>> = {
  PEND: 'PENDING',
  PSUSP: 'PENDING',
  WAIT: 'PENDING',
  PROV: 'PENDING',
  RUN: 'RUNNING',
  USUSP: 'RUNNING',
  SSUSP: 'RUNNING',
  DONE: 'COMPLETED',
  EXIT: 'FAILED',
};

/** A record of `bjobs -json`: every value is text, empty where there is none. */
interface JobRecord {
  readonly JOBID?: string;
  readonly JOBINDEX?: string;
  readonly STAT?: string;
  readonly EXIT_CODE?: string;
  readonly EXIT_REASON?: string;
  readonly PEND_REASON?: string;
  /** `12 second(s)`; `00:00:12` where the site wants it so. */
  readonly RUN_TIME?: string;
  /** Minutes: `10.0/host`, `10.0`; empty without a limit. */
  readonly RUNTIMELIMIT?: string;
  /** The error for an id that LSF does not know. */
  readonly ERROR?: string;
}

/** States of an `EXIT` by the words at the start of `exit_reason`. */
const exits: readonly (readonly [RegExp, JobState])[] = [
  [/^TERM_(OWNER|ADMIN|FORCE_OWNER|FORCE_ADMIN)\b/, 'CANCELLED'],
  [/^TERM_(RUNLIMIT|DEADLINE|WINDOW|CPULIMIT)\b/, 'TIMEOUT'],
  [/^TERM_(MEMLIMIT|SWAP)\b/, 'OUT_OF_MEMORY'],
  [/^TERM_PREEMPT\b/, 'PREEMPTED'],
];

function readBjobs({ stdout, stderr, exitCode }: Answer): JobReport[] | undefined {
  if (stdout.trim() === '') return exitCode === 0 || /is not found/.test(stderr) ? [] : undefined;
  let records: readonly JobRecord[];
  try {
    records = (JSON.parse(stdout) as { readonly RECORDS?: readonly JobRecord[] }).RECORDS ?? [];
  } catch {
    return undefined;
  }
  return records.filter(({ ERROR, STAT }) => ERROR === undefined && STAT !== undefined).map(reportOf);
}

function reportOf(record: JobRecord): JobReport {
  const { JOBID: id = '', JOBINDEX: element, STAT: native = '', EXIT_CODE: code, EXIT_REASON: why = '' } = record;
  const plain = states[native] ?? 'UNKNOWN';
  const state = native === 'EXIT' ? (exits.find(([words]) => words.test(why))?.[1] ?? plain) : plain;
  const elapsed = record.RUN_TIME ?? '';
  const seconds = clockSeconds(elapsed) ?? Number(/^\d+/.exec(elapsed)?.[0] ?? Number.NaN);
  return {
    id,
    state,
    native,
    ...withValues({
      element: element === '0' ? undefined : element,
      reason: plain === 'PENDING' ? record.PEND_REASON : native.endsWith('SUSP') ? 'suspended' : why,
      exit: native === 'DONE' ? 0 : code === undefined || code === '' ? undefined : Number(code),
      elapsedSeconds: Number.isNaN(seconds) ? undefined : seconds,
      limitSeconds: limitOf(record.RUNTIMELIMIT ?? ''),
    }),
  };
}

/** Seconds of `10.0/host`, or of `00:10:00` where the site wants it so. */
function limitOf(text: string): number | undefined {
  const [time = ''] = text.split('/');
  const minutes = /^\s*\d+(\.\d+)?\s*$/.test(time) ? Number(time) : undefined;
  return minutes === undefined ? clockSeconds(time) : Math.round(minutes * 60);
}

/** Rows of `bjobs -w`: id, user, state, queue, hosts, name (with an element's index) and time. */
function readTable({ stdout, stderr, exitCode }: Answer): JobReport[] | undefined {
  if (stdout.trim() === '') return exitCode === 0 || /is not found/.test(stderr) ? [] : undefined;
  const [head = '', ...rows] = stdout.split('\n');
  if (!/^JOBID\s+USER\s+STAT\b/.test(head)) return undefined;
  return rows.flatMap((row) => {
    const [id = '', , native = '', , , host] = row.trim().split(/\s+/);
    if (!/^\d+$/.test(id)) return [];
    const element = /\S\[(\d+)\]\s/.exec(row)?.[1];
    const ended = native === 'EXIT' && host === '-' ? neverRun : { state: states[native] ?? 'UNKNOWN' };
    return { id, native, ...ended, ...withValues({ element, exit: native === 'DONE' ? 0 : undefined }) };
  });
}

/**
 * Blocks of `bjobs -l`, one a job: descendants of OpenLava tell limits, exit codes and reasons there only. Times come without a year, in the
 * time zone of this machine.
 */
function readDetails({ stdout }: Answer): JobReport[] | undefined {
  // IBM folds lines, and begins what follows with 21 blanks.
  const blocks = stdout.replace(/\n {21}(?=\S)/g, '').split(/^(?=Job <)/m);
  const reports = blocks.flatMap((block) => detailsOf(block) ?? []);
  return reports.length === 0 ? undefined : reports;
}

function detailsOf(block: string): JobReport | undefined {
  const [, id, element] = /^Job <(\d+)(?:\[(\d+)\])?>/.exec(block) ?? [];
  const native = /, Status <(\w+)>/.exec(block)?.[1];
  if (id === undefined || native === undefined) return undefined;
  const state = states[native] ?? 'UNKNOWN';
  const hasEnded = native === 'DONE' || native === 'EXIT';
  const start = timeOf(block, /^(\[\d+\] )?started\b/i);
  const elapsedSeconds = secondsBetween(start, hasEnded ? timeOf(block, /^(Exited|Done|Completed)\b/) : Date.now());
  const limit = /RUNLIMIT\s+([\d.]+) min\b/.exec(block)?.[1];
  const limitSeconds = limit === undefined ? undefined : Math.round(Number(limit) * 60);
  const reason = /(?:PENDING|SUSPENDING) REASONS:\n\s*(.*?)[\s;]*$/m.exec(block)?.[1];
  return {
    id,
    native,
    state,
    ...withValues({ element, elapsedSeconds, limitSeconds, reason, exit: native === 'DONE' ? 0 : undefined }),
    ...(native === 'EXIT' && start === undefined ? neverRun : {}),
    ...(native === 'EXIT' && start !== undefined ? endOf(block, elapsedSeconds, limitSeconds) : {}),
  };
}

/** End of a job that was told to end while it waited. */
const neverRun = { state: 'CANCELLED', reason: 'it has never run' } as const;

/** 128 + SIGINT. */
const interruptedExit = 130;

/** The end of a job that has not ended well. */
function endOf(block: string, elapsed: number | undefined, limit: number | undefined): Pick<JobReport, 'state'> {
  const [, what, number] = /Exited (with exit code|by signal) (\d+)/.exec(block) ?? [];
  const exit = number === undefined ? undefined : Number(number) + (what === 'by signal' ? 128 : 0);
  const why = /\b(TERM_\w+:[^;\n]*?)\.?\s*[;\n]/.exec(block)?.[1];
  if (why !== undefined) {
    return { state: exits.find(([words]) => words.test(why))?.[1] ?? 'FAILED', ...withValues({ exit, reason: why }) };
  }
  if (limit !== undefined && elapsed !== undefined && elapsed >= limit) {
    return { state: 'TIMEOUT', ...withValues({ exit, reason: 'it reached its run limit' }) };
  }
  // bkill begins with SIGINT, which no job sends itself.
  return { state: exit === interruptedExit ? 'CANCELLED' : 'FAILED', ...withValues({ exit }) };
}

/** Time of an event of a block, `Sun Nov 29 00:29:31: Started on <node2>`, in milliseconds. */
function timeOf(block: string, event: RegExp): number | undefined {
  const lines = [...block.matchAll(/^\w{3} (\w{3} +\d+) (\d\d:\d\d:\d\d)(?: \d{4})?: (.*)$/gm)];
  // A job that was requeued has started more than once.
  const [, day, clock] = lines.findLast(([, , , text = '']) => event.test(text)) ?? [];
  return day === undefined ? undefined : Date.parse(`${day} ${new Date().getFullYear()} ${clock}`);
}

/** Seconds between two times, of which the first may be of the year before. */
function secondsBetween(startMs: number | undefined, endMs: number | undefined): number | undefined {
  if (startMs === undefined || endMs === undefined) return undefined;
  const start = new Date(startMs);
  if (startMs > endMs + 86_400_000) start.setFullYear(start.getFullYear() - 1);
  return Math.max(0, Math.round((endMs - start.getTime()) / 1000));
}

/** `-W [hours:]minutes[/host]`, in all of the script. */
function walltimeOf(script: string): number | undefined {
  const values = optionValues(directiveWords(script, '#BSUB', 'all'), '-W');
  return countSeconds((values.at(-1) ?? '').split('/')[0] ?? '', 'minutes') || undefined;
}

/** bjobs, which remembers ended jobs for an hour unless the site says otherwise. */
export const lsfQueries: Queries = {
  submit: 'bsub',
  states: [
    {
      command: (ids) => [
        'bjobs',
        '-json',
        '-o',
        'jobid jobindex stat exit_code exit_reason pend_reason run_time runtimelimit',
        ...ids,
      ],
      // Descendants of OpenLava lack some of the fields.
      optional: true,
      read: readBjobs,
    },
    { command: (ids) => ['bjobs', '-l', ...ids], optional: true, read: readDetails },
    { command: (ids) => ['bjobs', '-w', '-a', ...ids], read: readTable },
  ],
  cancel: ['bkill'],
  limitSignal: 'SIGUSR2',
  walltimeOf,
  hostCpus: ({ LSB_MCPU_HOSTS: pairs = '' }) =>
    pairs.split(/\s+/).flatMap((word, index) => (index % 2 === 1 ? Number(word) : [])),
};
