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
  Q: 'PENDING',
  H: 'PENDING',
  W: 'PENDING',
  T: 'PENDING',
  M: 'PENDING',
  // State of an array of which some elements have begun.
  B: 'RUNNING',
  R: 'RUNNING',
  E: 'RUNNING',
  S: 'RUNNING',
  U: 'RUNNING',
};

/** Attributes of a job in `qstat -f -F json`, as far as they are read here. */
interface Attributes {
  readonly job_state?: string;
  readonly substate?: number;
  readonly Exit_status?: number;
  readonly comment?: string;
  readonly array?: string;
  readonly Resource_List?: { readonly walltime?: string };
  readonly resources_used?: { readonly walltime?: string };
  readonly Variable_List?: { readonly PBS_O_WORKDIR?: string };
}

/** Substate of a job that was deleted. */
const terminated = 91;

/** `Exit_status` below 0: PBS itself ended it. */
const ownReasons: Readonly<Record<number, readonly [JobState, string]>> = {
  [-27]: ['OUT_OF_MEMORY', 'mem exceeded its limit'],
  [-28]: ['TIMEOUT', 'cput exceeded its limit'],
  [-29]: ['TIMEOUT', 'walltime exceeded its limit'],
};

/** Comments on elements that had ended before their array was deleted: they have the substate of a deleted job as well. */
const ownEnd = /^Subjob (finished|failed)/;

function endOf(attributes: Attributes): Omit<JobReport, 'id' | 'native'> {
  const { Exit_status: exit, substate, comment, resources_used: used } = attributes;
  const reason = comment;
  if (substate === terminated && !ownEnd.test(comment ?? ''))
    return { state: 'CANCELLED', ...withValues({ reason, exit: exitCode(exit) }) };
  if (exit === undefined) return { state: 'CANCELLED', ...withValues({ reason: reason ?? 'it has never run' }) };
  if (exit < 0) {
    const [state, why] = ownReasons[exit] ?? ['FAILED', reason ?? `PBS could not run it (${exit})`];
    return { state, reason: why };
  }
  return exit === 0 && !/^Subjob failed/.test(comment ?? '')
    ? // Of the elements of a deleted array PBS keeps no more than that, whether they have run or not.
      { state: 'COMPLETED', exit, ...(substate === terminated && used === undefined ? { isUnsure: true } : {}) }
    : { state: 'FAILED', ...withValues({ reason, exit: exitCode(exit) }) };
}

/** 256 + n where signal n ended the script. */
function exitCode(status: number | undefined): number | undefined {
  return status === undefined || status < 0 ? undefined : status >= 256 ? status - 128 : status;
}

function readQstat({ stdout, stderr, exitCode }: Answer): JobReport[] | undefined {
  // Ids that it does not know are errors beside those that it does.
  const isPartial = exitCode === 153 || exitCode === 35 || /unknown job id|has finished/i.test(stderr);
  if (exitCode !== 0 && !isPartial) return undefined;
  if (stdout.trim() === '') return [];
  let jobs: Readonly<Record<string, Attributes>>;
  try {
    jobs = (JSON.parse(repaired(stdout)) as { readonly Jobs?: Readonly<Record<string, Attributes>> }).Jobs ?? {};
  } catch {
    return undefined;
  }
  return Object.entries(jobs).flatMap(([id, attributes]) => {
    // An array is told by its elements.
    if (attributes.array === 'True' && /\[\]/.test(id) && hasElements(id, jobs)) return [];
    return reportOf(id, attributes);
  });
}

/** JSON as some versions of qstat write it, without their mistakes: `\\'` in a text, and a name such as `nan` without quotes. */
function repaired(text: string): string {
  return text
    .replace(/\\(.)/gs, (pair, one) => (one === "'" ? one : pair))
    .replace(/:\s*([+-]?(?:nan|inf(?:inity)?))(?=\s*[,}\n])/gi, ':"$1"');
}

function hasElements(array: string, jobs: object): boolean {
  const start = array.slice(0, array.indexOf('[') + 1);
  return Object.keys(jobs).some((id) => id.startsWith(start) && id !== array);
}

function reportOf(id: string, attributes: Attributes): JobReport {
  const { job_state: native = '', comment, resources_used: used, Variable_List: variables } = attributes;
  const limit = attributes.Resource_List?.walltime ?? '';
  const isEnded = native === 'F' || native === 'X';
  const state = isEnded
    ? endOf(attributes)
    : { state: states[native] ?? 'UNKNOWN', ...withValues({ reason: reasonToWait(native, comment) }) };
  return {
    id,
    native,
    ...state,
    ...withValues({
      element: /\[(\d+)\]/.exec(id)?.[1],
      elapsedSeconds: clockSeconds(used?.walltime ?? ''),
      limitSeconds: countSeconds(limit, 'seconds'),
      folder: variables?.PBS_O_WORKDIR,
    }),
  };
}

function reasonToWait(native: string, comment: string | undefined): string | undefined {
  if (states[native] === 'PENDING') return comment ?? (native === 'H' ? 'held' : undefined);
  return native === 'S' || native === 'U' ? 'suspended' : undefined;
}

/** `-l walltime=…`, alone or in a list of resources. */
function walltimeOf(script: string): number | undefined {
  const lists = optionValues(directiveWords(script, '#PBS', 'head'), '-l');
  const values = lists.flatMap((list) => /(?:^|,)walltime=([\d:]+)/.exec(list)?.[1] ?? []);
  return countSeconds(values.at(-1) ?? '', 'seconds') || undefined;
}

/** qstat with the jobs that have ended (where the server keeps a history), and with each element of an array. */
export const pbsQueries: Queries = {
  submit: 'qsub',
  states: [{ command: (ids) => ['qstat', '-x', '-t', '-f', '-F', 'json', ...ids], read: readQstat }],
  clearing: ['E'],
  cancel: ['qdel'],
  // Some versions of qstat answer for the first id only, without a word about the others.
  idsAtOnce: 1,
  // The nodes report to the server every so often only.
  elapsedLagSeconds: 600,
  hidesHostsUnder: ['aprun'],
  walltimeOf,
};
