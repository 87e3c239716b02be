/** A command as a stand-in received it. */
export interface Call {
  /** The name that it was called by: `sbatch`, `mpiexec`. */
  readonly name: string;
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Text of the standard input; `undefined` where it is a terminal, or the command is not one that reads scripts there. */
  readonly stdin: string | undefined;
  /** Text of a file that the command names, as its caller sees it; `undefined` where there is none that can be read. */
  readFile(path: string): string | undefined;
  /** True if a path that the command names is a directory. */
  isDirectory(path: string): boolean;
  /** Host that the command was called on: the login node's, or that of a node of the job. */
  readonly host: string;
}

/** A refusal as the real command gives it: its text and exit code. */
export interface Refusal {
  readonly stderr: string;
  readonly code: number;
}

/** An answer as the real command gives it. */
export interface Answer {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number;
}

/** True if a launcher refused. */
export function isRefusal(one: object): one is Refusal {
  return 'stderr' in one && !('stdout' in one);
}

/** A process of a launch. */
export interface Rank {
  readonly node: string;
  readonly rank: number;
  readonly command: readonly string[];
  readonly cpus: number;
  readonly gpus: number;
  readonly memoryMiB?: number;
  /** Variables that the launcher sets; `undefined` takes one away. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** True if the launcher hands on the environment of its caller; otherwise `env` and PATH, HOME are all there is. @default true */
  readonly inheritsEnv?: boolean;
  readonly readsStdin: boolean;
  /** Folder that it starts in. @default that of the caller */
  readonly cwd?: string;
}

/** Processes that a launcher starts. */
export interface Launch {
  /** Name in the timeline: the step's, or the program's. */
  readonly name?: string;
  /** Their nodes may be exchanged for others of the job that have room, unless the launch names its hosts (`onlyOn`). */
  readonly ranks: readonly Rank[];
  /** True if it goes on without a node that fails. @default false */
  readonly outlivesNodes?: boolean;
  /** True if the nodes of the ranks are the ones that were asked for. Otherwise the machine takes nodes of `among` that have room. */
  readonly fixedNodes: boolean;
  /** Nodes that the machine may choose from where they are not fixed. @default all of the job */
  readonly among?: readonly string[];
  /** Its share of each node beyond the sum of its ranks: whole nodes. */
  readonly holds?: Share;
  /** Moment at which the launcher ends the other ranks. */
  readonly endsOthers: 'never' | 'on failure' | 'on signal' | 'on end';
  /** Takes CPUs and memory that others hold: `--overlap`, mpirun always. */
  readonly overlaps: boolean;
  /** Waits until what it asks for is free; otherwise it refuses at once with this. */
  readonly waits: true | Refusal;
  /**
   * Exit code of the launcher from those of its ranks, in their order (128 + n for a signal). `or of all` joins them bit by bit, and a signal
   * counts as its number there. @default the highest
   */
  readonly exitCode?: 'highest' | 'first failure' | 'or of all' | 'always 0';
  /** SIGTERM to the launcher: it is passed on to the ranks, or it kills them. SIGUSR1 is always passed on. @default 'passes' */
  readonly onTerminate?: 'passes' | 'kills';
  /** Exit code where a program is not there, and the sentence that tells it. @default 127, as a shell says it */
  readonly missing?: (rank: Rank) => Refusal;
  /** Sentences that the launcher prints on standard error before it starts. */
  readonly warnings?: readonly string[];
}

/** A node as a scheduler gave it to a job. */
export interface AllocatedNode {
  readonly name: string;
  readonly cpus: number;
  /** Hardware threads of a CPU, where launchers count those (jsrun's files). @default 1 */
  readonly threadsPerCore?: number;
  readonly gpus: number;
  readonly memoryMiB: number;
}

/** The part of a job that a launcher may use: nodes in order with their size, as the scheduler gave them. */
export interface Allocation {
  readonly jobId: string;
  readonly request: JobRequest;
  readonly nodes: readonly AllocatedNode[];
  /** Names of the nodes of each component of a heterogeneous job. */
  readonly components: readonly (readonly string[])[];
}

/** The size of one node for a step, of a job, or of a step's ranks there. */
export interface Share {
  readonly cpus: number;
  readonly gpus: number;
  readonly memoryMiB: number;
}

/** A launcher's command line as a pure function. The allocation is missing outside a job. */
export type LauncherStandIn = (call: Call, allocation: Allocation | undefined) => Launch | Refusal | Answer;

/** Nodes of one kind that a job asks for. */
export interface JobComponent {
  readonly nodes: number;
  readonly cpusPerNode: number;
  readonly gpusPerNode: number;
  /** 0: what the scheduler gives by default, which is all of the node. */
  readonly memoryMiB: number;
  readonly exclusive: boolean;
  /** Numbers that place it, as the scheduler's environment repeats them: tasks, tasks a node, CPUs a task. */
  readonly tasks?: number;
  readonly tasksPerNode?: number;
  readonly cpusPerTask?: number;
  readonly onlyOn?: readonly string[];
  readonly notOn?: readonly string[];
}

/** A condition on another job. */
export interface JobCondition {
  readonly jobId: string;
  /** The element of the same index, where it is a condition element by element. */
  readonly elementwise?: boolean;
  readonly on: 'ok' | 'any' | 'notok' | 'start';
}

/** A job as its script and command line ask for it. */
export interface JobRequest {
  readonly script: string;
  /** Text of the script as it was submitted. */
  readonly text: string;
  readonly name: string;
  readonly components: readonly JobComponent[];
  /** `undefined`: no limit. */
  readonly walltimeSeconds: number | undefined;
  /** Signal before the end, and the seconds by which it comes before. */
  readonly warning?: { readonly signal: NodeJS.Signals; readonly seconds: number; readonly to: 'script' | 'all' };
  /** Signal at the end of its walltime, before SIGKILL. @default SIGTERM, as at any other end */
  readonly limitSignal?: NodeJS.Signals;
  /** True if it goes on when it loses a node other than that of its script. @default false */
  readonly outlivesNodes?: boolean;
  /** True if it starts anew when it has ended with a node. @default false */
  readonly requeues?: boolean;
  readonly array?: { readonly indices: readonly number[]; readonly atMost?: number };
  readonly after: readonly JobCondition[];
  /** A condition that can never be met ends the job unrun; otherwise it waits for ever. */
  readonly endsUnrun: boolean;
  readonly held: boolean;
  /** Files of its output, patterns included; the same file for both where they are joined. */
  readonly out: string;
  readonly err: string;
  readonly appends: boolean;
  readonly env: Readonly<Record<string, string>>;
  /** Folder that it was submitted from, and the one that its script starts in. */
  readonly cwd: string;
  readonly startsIn: string;
  /** True if the script runs on a service node apart from the compute nodes (aprun, jsrun). */
  readonly onLaunchNode: boolean;
  readonly queue?: string;
  readonly account?: string;
  /** Lines that look like directives and that the scheduler does not read, with their numbers from 1. */
  readonly ignored: readonly { readonly line: number; readonly text: string; readonly why: string }[];
}

/** States of a job's run, in one vocabulary that each scheduler prints in its own words. */
export type RunState = 'pending' | 'held' | 'running' | 'completed' | 'failed' | 'cancelled' | 'timeout' | 'node_fail';

/** A job without an array, or one element of an array. */
export interface Run {
  readonly index: number | undefined;
  /** Number of its own: the job's for one without an array. */
  readonly ownId: string;
  readonly state: RunState;
  /** Reason for which it waits, in plain words. */
  readonly waitsFor: 'resources' | 'dependency' | 'dependency never met' | 'array limit' | 'hold' | undefined;
  /** Exit code of the script; 128 + n where signal n ended it. */
  readonly exitCode: number | undefined;
  readonly signal: number | undefined;
  /** Seconds since the start of the rehearsal, of the scheduler's clock. */
  readonly startedAt: number | undefined;
  readonly endedAt: number | undefined;
  readonly nodes: readonly AllocatedNode[];
  readonly components: readonly (readonly string[])[];
  /** Host that the script runs on. */
  readonly host: string | undefined;
  /** Starts of the job before this one. */
  readonly restarts: number;
}

/** A job as the fake machine keeps it. */
export interface Job {
  /** A plain number as text; schedulers dress it (`12.server`, `12[]`). */
  readonly id: string;
  readonly request: JobRequest;
  readonly submittedAt: number;
  readonly runs: readonly Run[];
}

/** Shape of a node of the fake machine. */
export interface NodeShape {
  readonly name: string;
  readonly cpus: number;
  readonly threadsPerCore: number;
  readonly gpus: number;
  readonly memoryMiB: number;
}

/** The fake machine as a scheduler's commands see it. */
export interface Cluster {
  readonly name: string;
  readonly loginNode: string;
  readonly launchNode: string;
  readonly nodes: readonly NodeShape[];
  readonly jobs: readonly Job[];
  /** User that all jobs belong to. */
  readonly user: { readonly name: string; readonly uid: number };
  /** Seconds since the start of the rehearsal, of the scheduler's clock. */
  now(): number;
  /** The same moment in milliseconds since the epoch. */
  wallClock(seconds?: number): number;
  /** Id of the new job. A request that no set of nodes can ever meet is refused by the scheduler's stand-in before. */
  submit(request: JobRequest): string;
  /** True if the machine, empty, could run it. */
  fits(request: JobRequest): boolean;
  /** False if there is no such job, or it has ended. */
  cancel(id: string, index?: number): boolean;
  /** Sends a signal to the script, to all processes of its launches, or to both. */
  signal(
    id: string,
    index: number | undefined,
    signal: NodeJS.Signals,
    to: 'script' | 'launches' | 'all',
    /** The launch of that number alone. */
    step?: number,
  ): boolean;
  release(id: string): boolean;
  /** The steps of a job that run. */
  steps(id: string): readonly RunningStep[];
}

/** A launch that runs or has run. */
export interface RunningStep {
  /** Number inside its run, from 0. */
  readonly number: number;
  readonly index: number | undefined;
  readonly name: string;
  readonly nodes: readonly string[];
  /** Host and process id of the launcher. */
  readonly host: string;
  readonly pid: number;
  readonly ended: boolean;
}

/** A command of a scheduler as a pure function over the fake machine. */
export type SchedulerCommand = (call: Call, cluster: Cluster) => Answer;

/** A scheduler: its commands, and what its jobs see. */
export interface SchedulerStandIn {
  /** `slurm`, `pbs`, … */
  readonly name: string;
  /** Its commands by their names: submit, ask, cancel. */
  readonly commands: Readonly<Record<string, SchedulerCommand>>;
  /** Commands of that list that read a script from standard input. */
  readonly readsStdin: readonly string[];
  /** Environment and files of a run's first process on its first node, or on the launch node. `folder` is one of the run's own, there. */
  environment(
    job: Job,
    run: Run,
    cluster: Cluster,
    folder: string,
  ): { readonly env: Readonly<Record<string, string>>; readonly files: Readonly<Record<string, string>> };
  /** Path of a run's output file: patterns filled in, relative to the folder that it was submitted from. */
  outputPath(pattern: string, job: Job, run: Run): string;
  /** Command that starts the script: `bash SCRIPT` through a login shell, or the script itself. @default by its `#!` line */
  readonly interpreter?: (script: string) => readonly string[];
  /** Files that the scheduler writes when a run has ended (Cobalt's log), by path. */
  afterEnd?(job: Job, run: Run): Readonly<Record<string, string>>;
  /** Id and index of the job that an environment belongs to. */
  jobOf(
    env: Readonly<Record<string, string | undefined>>,
  ): { readonly id: string; readonly index?: number } | undefined;
  /** Launchers that belong to it, by the names of their commands. */
  readonly launchers: readonly string[];
}
