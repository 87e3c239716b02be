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
    const [id = '', , native = ''] = row.trim().split(/\s+/);
    if (!/^\d+$/.test(id)) return [];
    const element = /\S\[(\d+)\]\s/.exec(row)?.[1];
    return {
      id,
      state: states[native] ?? 'UNKNOWN',
      native,
      ...withValues({ element, exit: native === 'DONE' ? 0 : undefined }),
    };
  });
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
    { command: (ids) => ['bjobs', '-w', '-a', ...ids], read: readTable },
  ],
  cancel: ['bkill'],
  limitSignal: 'SIGUSR2',
  walltimeOf,
  hostCpus: ({ LSB_MCPU_HOSTS: pairs = '' }) =>
    pairs.split(/\s+/).flatMap((word, index) => (index % 2 === 1 ? Number(word) : [])),
};
