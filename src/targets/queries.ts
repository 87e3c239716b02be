import type { Job, LauncherName } from '../ir/index.js';

/** States of a job, in one vocabulary for all schedulers. `UNKNOWN`: the scheduler does not say. */
export const jobStates = [
  'PENDING',
  'RUNNING',
  'COMPLETED',
  'FAILED',
  'CANCELLED',
  'TIMEOUT',
  'OUT_OF_MEMORY',
  'NODE_FAIL',
  'PREEMPTED',
  'UNKNOWN',
] as const;
export type JobState = (typeof jobStates)[number];

/** True if a job in that state waits or runs. */
export function isAlive(state: JobState): boolean {
  return state === 'PENDING' || state === 'RUNNING';
}

/** True if a job's script has ended and the scheduler is clearing it away: it does nothing any more, though it still has its nodes. */
export function isClearing({ clearing = [] }: Queries, native: string | undefined): boolean {
  return native !== undefined && clearing.includes(native);
}

/** A scheduler's report on a job, or of one element of a job array or component of a heterogeneous job. */
export interface JobReport {
  /** The id that submit.sh printed, as far as the scheduler repeats it: compared by {@link sameJob}. */
  readonly id: string;
  /** The id that the job's script knows itself by, where that is another: elements of Slurm's arrays each have their own. */
  readonly ownId?: string;
  /** `3` of an array; absent where the report is of the job as a whole. */
  readonly element?: string;
  readonly state: JobState;
  /** True if the scheduler says the same of an element that has never run, since its array was deleted before. */
  readonly isUnsure?: true;
  /** The scheduler's own word. */
  readonly native: string;
  /** Why it waits, or how it ended, in the scheduler's words. */
  readonly reason?: string;
  /** Exit code of the script; 128 + n where signal n ended it. */
  readonly exit?: number;
  /** Seconds that it has run; those in which it was suspended do not count. */
  readonly elapsedSeconds?: number;
  /** Seconds that it may run: its walltime as it is now. Absent where there is no limit. */
  readonly limitSeconds?: number;
  /** The folder that it was submitted from. */
  readonly folder?: string;
}

/** Output and exit code of a command. */
export interface Answer {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number | undefined;
}

/** A command that tells the states of jobs. */
export interface StateQuery {
  /** Argument list; reports on other jobs than `ids` are ignored. */
  command(ids: readonly string[]): readonly string[];
  /** Ids that it is asked about at a time, where they are fewer than the scheduler's other commands take. */
  readonly idsAtOnce?: number;
  /** It is no error if the command is missing or refuses. @default false */
  readonly optional?: boolean;
  /** Reports of the jobs that it knows; `undefined` where it did not answer. */
  read(answer: Answer): readonly JobReport[] | undefined;
}

/** A signal that asks an application to end. */
export type GentleSignal = 'SIGINT' | 'SIGTERM';

/** Variables of a job's environment. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** A step that runs, and the launcher's process that it belongs to. */
export interface RunningStep {
  /** As the command takes it that signals steps. */
  readonly id: string;
  /** Short name of the host that the launcher runs on. */
  readonly host: string;
  /** Process id of the launcher. */
  readonly pid: number;
  /** The hosts that it runs on, as the scheduler lists them: `n3`, `n[1-2]`. */
  readonly nodes: string | undefined;
}

/** Commands that ask about a job's steps and signal them, for launchers that do not hand signals on to their tasks. */
export interface StepQueries {
  /** Launches by it are steps; by others they are none. */
  readonly launcher: LauncherName;
  /** Commands that print the steps of a job that run. */
  running(env: Environment): readonly (readonly string[])[];
  readRunning(text: string): RunningStep[];
  signal(signal: GentleSignal, ids: readonly string[]): readonly string[];
  /** A command that prints where steps ran, those that have ended included; `undefined` outside a job. */
  hosts(env: Environment): readonly string[] | undefined;
  /** Hosts by the steps' names; of steps with one name the last counts. */
  readHosts(text: string): ReadonlyMap<string, string>;
}

/** Commands that ask a scheduler about jobs and end them: argument lists, run without a shell. */
export interface Queries {
  /** The program that submit.sh submits with. */
  readonly submit: string;
  /** The first is asked about all jobs; each further one about what those before it do not know, or have no exit code of. */
  readonly states: readonly [StateQuery, ...StateQuery[]];
  /** The log in which a job's end is recorded, where the scheduler forgets ended jobs at once; `index` is of a job submitted once a member. */
  readonly endLog?: {
    path(job: Job, index: number | undefined): string;
    read(text: string): Omit<JobReport, 'id'> | undefined;
  };
  /** The scheduler's words for a job whose script has ended, and that it is clearing away. */
  readonly clearing?: readonly string[];
  /** Words before the ids of the jobs to end. */
  readonly cancel: readonly [string, ...string[]];
  /** Signal by which it tells all processes of a job that its time is over, some time before it kills them. */
  readonly limitSignal?: 'SIGUSR2';
  /** Asks for the scheduler's verdict on a script without submitting it, where it has one. */
  readonly testOnly?: (script: string) => readonly string[];
  /** Ids that one command is asked about. @default 500 */
  readonly idsAtOnce?: number;
  /** Seconds by which `elapsedSeconds` of a job that runs may be behind. @default 0 */
  readonly elapsedLagSeconds?: number;
  /** Walltime in seconds that a script's own directives ask for; `undefined` where they do not. */
  walltimeOf(script: string): number | undefined;
  /**
   * True if SIGUSR1 warns a job with that script of its end. Otherwise it tells that the job is about to be suspended, which is no matter of its
   * applications. @default always true
   */
  warnsBeforeEnd?(script: string): boolean;
  /** Launchers under which a job is told of its launch node alone, and not of its hosts. */
  readonly hidesHostsUnder?: readonly LauncherName[];
  readonly steps?: StepQueries;
  /** CPUs that a job has on each of its hosts, in their order, where its environment tells more than those of the first. */
  hostCpus?(env: Environment): readonly number[];
  /** Variables of a job's environment that say more about it. */
  readonly variables?: {
    /** The end of the job, seconds since the epoch. */
    readonly end?: string;
    /** Number of times that the job was started again under its id. */
    readonly restarts?: string;
    /** The id that an array was submitted under, in its elements. */
    readonly array?: string;
    /** GPUs of the node that the job may use. */
    readonly gpus?: string;
    /** The cluster, where two clusters may give the same id. */
    readonly cluster?: string;
  };
}

/** Ids in groups that one command is asked about at a time: its arguments have a limit. */
export function askedTogether({ idsAtOnce = 500 }: Pick<Queries, 'idsAtOnce'>, ids: readonly string[]): string[][] {
  return Array.from({ length: Math.ceil(ids.length / idsAtOnce) }, (_, place) =>
    ids.slice(place * idsAtOnce, (place + 1) * idsAtOnce),
  );
}

/** True if two ids name one job: the server's name may be longer in one of them, an element's index is in brackets. */
export function sameJob(one: string, other: string): boolean {
  return numberOf(one) === numberOf(other);
}

function numberOf(id: string): string {
  return /^\d+/.exec(id)?.[0] ?? id;
}

/** Indices of `4-9%2` or `0,2-6:2`, each on its own: how schedulers write elements that they have not told apart yet. */
export function expandElements(list: string): string[] {
  return list
    .replace(/%\d+$/, '')
    .split(',')
    .flatMap((part) => {
      const [, first = '', last = first, step = '1'] = /^(\d+)(?:-(\d+))?(?::(\d+))?$/.exec(part) ?? [];
      if (first === '') return [];
      const count = Math.floor((Number(last) - Number(first)) / Number(step)) + 1;
      return Array.from({ length: Math.max(count, 0) }, (_, place) => String(Number(first) + place * Number(step)));
    });
}

/** Seconds of `1-02:03:04`, `02:03:04` or `3:04`; `undefined` for anything else. */
export function clockSeconds(text: string): number | undefined {
  const match = /^(?:(\d+)-)?(?:(\d+):)?(\d+):(\d+)$/.exec(text.trim());
  if (match === null) return undefined;
  const [days = 0, hours = 0, minutes = 0, seconds = 0] = match.slice(1).map((part) => Number(part ?? 0));
  return ((days * 24 + hours) * 60 + minutes) * 60 + seconds;
}

/** Seconds of `5:30` where numbers are hours, minutes and seconds, the last one of the smallest `unit`. */
export function countSeconds(text: string, unit: 'minutes' | 'seconds'): number | undefined {
  if (!/^\d+(:\d+){0,2}$/.test(text)) return undefined;
  const count = text.split(':').reduce((sum, part) => sum * 60 + Number(part), 0);
  return unit === 'minutes' ? count * 60 : count;
}

/**
 * Splits a script's directives into words, in their order, without quotes. Directives are lines that begin with `sentinel`, as far as the
 * scheduler reads (`top`: from the second line to the first other one; `head`: up to the first command; `all`: to the end).
 */
export function directiveWords(script: string, sentinel: string, reach: 'top' | 'head' | 'all'): string[] {
  const words: string[] = [];
  for (const line of script.split('\n').slice(reach === 'top' ? 1 : 0)) {
    if (line.startsWith(`${sentinel} `) || line.startsWith(`${sentinel}\t`)) {
      const text = line.slice(sentinel.length);
      words.push(...(reach === 'top' ? text.trim().split(/\s+/) : splitWords(text)));
    } else if (reach === 'top' || (reach === 'head' && !/^\s*(#|$)/.test(line))) break;
  }
  return words;
}

/** Splits text into words as a shell does: double and single quotes group. */
function splitWords(text: string): string[] {
  return (text.match(/(?:"(?:[^"\\]|\\.)*"|'[^']*'|[^\s"'])+/g) ?? []).map((word) =>
    word.replace(/"((?:[^"\\]|\\.)*)"|'([^']*)'/g, (_, double, single) => single ?? double.replace(/\\(.)/g, '$1')),
  );
}

/** Values of an option, in their order: `--time=5`, `--time 5`, `-t 5` and `-t5`. */
export function optionValues(words: readonly string[], ...names: readonly string[]): string[] {
  return words.flatMap((word, place) =>
    names.flatMap((name) => {
      if (word === name) return words[place + 1] ?? [];
      if (name.startsWith('--')) return word.startsWith(`${name}=`) ? word.slice(name.length + 1) : [];
      return word.startsWith(name) && !word.startsWith('--') ? word.slice(name.length) : [];
    }),
  );
}

/** The fields that have a value. */
export function withValues<Fields extends object>(
  fields: Fields,
): { [Key in keyof Fields]?: Exclude<Fields[Key], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== '')) as never;
}
