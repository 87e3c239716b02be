import type {
  BatchDeclaration,
  Directive,
  Event,
  GpuDialect,
  Job,
  LauncherArgs,
  LauncherName,
  Site,
  TargetName,
} from '../ir/index.js';
import type { Ask, Probed, SchedulerFacts } from './probe.js';
import type { Queries } from './queries.js';

export type { Directive } from '../ir/index.js';

/** A job before its directives are listed: with the user's edits of them, and with who gets mail. */
export interface JobRequest extends Omit<Job, 'directives'>, Pick<BatchDeclaration, 'directives' | 'mail'> {
  /** True if the job goes on when it loses a node, since its stores have replicas elsewhere. @default false */
  readonly outlivesNodes?: boolean;
}

/** Tasks of one program: their number, their nodes, CPUs, GPUs and memory. */
export interface LaunchStep {
  /** Name of the step for the scheduler: a store's name, or `{name}` for the runtime to fill in that of the member. */
  readonly name: string;
  readonly nodes: number;
  readonly tasks: number;
  readonly tasksPerNode: number;
  readonly cpusPerTask: number;
  readonly gpusPerTask?: number;
  readonly gpusPerNode?: number;
  readonly memoryPerNodeMiB?: number;
  /** The site takes no memory by node, in directives or elsewhere: steps name none. @default true */
  readonly namesMemory?: boolean;
  /** Hosts to run on, and hosts not to. */
  readonly hosts?: readonly string[];
  readonly excludeHosts?: readonly string[];
  /** CPUs that the tasks of a node are bound to, in the order of the tasks. */
  readonly cpuBind?: readonly number[];
  /** CPUs of each of its nodes that stores hold; for a store those of the stores before it. @default 0 */
  readonly cpusOfStores?: number;
  /** Hardware threads of a core, which explicit resources count. @default 1 */
  readonly threadsPerCore?: number;
  /** Hardware threads that the scheduler counts for each CPU of the step. @default 1 */
  readonly threadsPerCpu?: number;
  /** Shares its CPUs with steps beside it, as a store does. */
  readonly overlap: boolean;
  /** True if one task that fails has to end all, as of a store or a Ray cluster, so that its end is noticed; false if the others go on without it, and without its node. @default as the launcher does by itself */
  readonly endsTogether?: boolean;
  /** Nothing else runs on its nodes meanwhile, so that its tasks can be bound to CPUs by their number. @default false */
  readonly alone?: boolean;
  /** Way in which the job asked for GPUs. @default the target's usual way */
  readonly gpuDialect?: GpuDialect;
  /** The runtime chooses the hosts and writes them in the place of `{hosts}`. */
  readonly namesHosts: boolean;
  /** Component of a heterogeneous job to run on; undefined in a job of one component. */
  readonly component?: number;
  /** Nodes to run on, as positions from 0 in the component; undefined where it has all of the component's. */
  readonly group?: { readonly first: number; readonly nodes: number };
  /** Names of the variables that the runtime gives the application. */
  readonly environment: readonly string[];
  /** Further options, as the user wrote them. */
  readonly launcherArgs: LauncherArgs;
}

/** A program of a launch: its own words (a container's in front of them), and its step. Several make an MPMD launch. */
export interface LaunchProgram {
  readonly step: LaunchStep;
  readonly words: readonly string[];
}

/** A refusal: something that a scheduler or launcher cannot do, and what to use instead. */
export interface NotSupported {
  readonly notSupported: string;
  readonly hint: string;
}

/** True if a launcher refused. */
export function isNotSupported(line: LaunchLine | NotSupported): line is NotSupported {
  return 'notSupported' in line;
}

/** A launch line, and files that it reads, by their names in the entity's directory. */
export interface LaunchLine {
  readonly words: readonly string[];
  readonly files?: Readonly<Record<string, string>>;
  /** The one of these files that tells hosts, CPUs and GPUs, where the runtime chooses them. */
  readonly resources?: ResourceFile;
}

/** A file that tells a launcher where everything goes. It is written as if the launch had the first hosts, CPUs and GPUs of the job. */
export interface ResourceFile {
  /** Its name in the member's directory; `{resources}` for a store's. */
  readonly file: string;
  /** Hardware threads of a core: the file counts those. */
  readonly threadsPerCore: number;
  /** Its CPUs are those of the node by their numbers, and not those that the launch gets. */
  readonly bound: boolean;
}

/** Resources that a launch has got: names of its hosts, the CPUs (cores) on each of them, and its GPUs, the same on all. */
export interface GivenResources {
  readonly hosts: readonly string[];
  readonly cores?: readonly (readonly number[])[] | undefined;
  readonly gpus?: readonly number[] | undefined;
}

/** A program that starts tasks. Adding one means adding a file here and a line in `launchers`. */
export interface Launcher {
  readonly name: LauncherName;
  /** Its program on the PATH; absent where programs start without one. */
  readonly program?: string;
  /** The MPI that it is a part of, where programs of one name are many: its name, and how `PROGRAM --version` tells it. */
  readonly mpi?: { readonly name: string; readonly version: RegExp };
  /** Its launches may run side by side on one node. Otherwise each has its nodes to itself, and no store can run beside it. */
  readonly sharesNodes: boolean;
  /**
   * It would put every launch on the first hosts of the job, so the runtime names those of each; or, `besideOthers`, it would fill the first host
   * before it takes the next, so the runtime names those of launches that may run beside others. @default the launcher chooses
   */
  readonly namesHosts?: true | 'besideOthers';
  /**
   * Files of it that tell hosts and CPUs by number. Launches hold their CPUs, so that no other launch beside may be told the same ones: where one
   * has such a file, all have. `place` writes what a launch has got into such a file; `cores` are the numbers of the cores that it has on any host.
   */
  readonly resources?: {
    place(text: string, given: GivenResources, threadsPerCore: number): string;
    cores(text: string, threadsPerCore: number): { readonly numbers: readonly number[]; readonly most: number };
  };
  /** Tasks see the GPUs of their launch alone; otherwise all of the job's on the node, and the runtime tells them theirs. @default false */
  readonly givesGpus?: boolean;
  /** Options that hand on a variable to tasks on other hosts, where it is not by itself: they stand in front of each program's own. */
  passOn?(variable: string): readonly string[];
  /** Several programs of a launch run on the same nodes; otherwise each has nodes of its own. @default false */
  readonly spreadsPrograms?: boolean;
  /** The nodes of a job that it launches are all alike. @default false */
  readonly nodesAlike?: boolean;
  /** Scripts run on a node apart from those of the job: what is seen there says nothing about these. @default false */
  readonly scriptApart?: boolean;
  /** It starts stores of one process too; otherwise the script does, on its own host. @default false */
  readonly startsSingleStores?: boolean;
  /** CPUs of a store's step: `overlap` has others use them as well, `hold` keeps launches waiting that need them. @default told apart by the runtime */
  readonly storesCpus?: 'overlap' | 'hold';
  /** CPUs to bind tasks to are counted among those of the launch; otherwise among those of the node. @default false */
  readonly bindsWithinLaunch?: boolean;
  /** Variables in which it tells a process its rank. */
  readonly rankVariables: readonly string[];
  /** Lines that it prints around the one that tells why a program has failed. */
  readonly noise: readonly RegExp[];
  /** The words in front of a store's own: the programs are one, without words. */
  line(programs: readonly [LaunchProgram, ...LaunchProgram[]]): LaunchLine | NotSupported;
}

/**
 * Facts that a script reads about its own job: words of shell, quoted by hand where they hold expansions, since here, and only here, the shell
 * is meant to read them.
 */
export interface JobVariables {
  /** The folder that the script was submitted from. */
  readonly submitFolder: string;
  readonly jobId: string;
  /** The id of a job array's element, where `jobId` is the same for all. @default jobId */
  readonly elementId?: string;
  /** Hosts of the allocation, blank-separated, each once; some directives change how they are told. */
  readonly hosts: string | ((directives: readonly Directive[]) => string);
  /** Hosts of a heterogeneous job, in the order of its components. @default hosts */
  readonly componentHosts?: string;
  /** CPUs the job has on its first host; some directives change how they are told. */
  readonly cpusPerNode: string | ((directives: readonly Directive[]) => string);
  /** CPUs of its first host in a job that has whole nodes and named no number. @default cpusPerNode */
  readonly cpusPerWholeNode?: JobVariables['cpusPerNode'];
  /** 0-based index of the job array's element. */
  readonly arrayIndex: string;
}

/** A scheduler, or the lack of one. Adding one means adding a folder and a line in the registry. */
export interface Target<Name extends TargetName = TargetName> {
  readonly name: Name;
  /** Scripts are `jobs/NAME.EXTENSION`. */
  readonly scriptExtension: string;
  /** Start of a directive's line: `#SBATCH`. */
  readonly sentinel: string;
  readonly defaultLauncher: LauncherName;
  readonly launchers: readonly LauncherName[];
  readonly capabilities: {
    /** There is one machine, and everything runs on it. */
    readonly oneNode: boolean;
    readonly jobArrays: boolean;
    /** Jobs whose components differ in their nodes. */
    readonly heterogeneousJobs: boolean;
    /** Elements of an array unless the site says otherwise. */
    readonly maxArraySize: number;
    /** Fewest elements of an array. */
    readonly minArraySize: number;
    /** Jobs have nodes to choose from. */
    readonly severalHosts: boolean;
    /** Jobs can ask for GPUs. */
    readonly gpus: boolean;
    /** A submission hands on variables of its environment without their values standing in its arguments. */
    readonly handsOnVariables: boolean;
    /** Jobs can ask not to have single hosts. */
    readonly excludedHosts: boolean;
    /** A job array has ended well only if all of its elements have; otherwise its status is that of the last one. */
    readonly arraysFailWithElements: boolean;
    /** A job whose dependency can never be met ends without having run, and so do those that wait for its end. */
    readonly unstartedEndChains: boolean;
    /** Events of other jobs that a job can wait for. */
    readonly jobEvents: readonly Event[];
  };
  readonly variables: JobVariables;
  /**
   * Variables, as words of shell, that launchers read and that an outer job may have left, but for those that directives of the job set.
   * @default those of MPI's process managers
   */
  outerVariables?(directives: readonly Directive[]): readonly string[];
  /** Directives of a job; several lists for a heterogeneous one whose components are parted in the script. */
  directives(job: JobRequest, launcher: LauncherName, site: Site): readonly (readonly Directive[])[];
  /** Directives end at the first other line, a comment included: they stand directly under `#!`. @default false */
  readonly directivesFirst?: boolean;
  /** Things in a job, its edited directives included, that this scheduler would refuse. */
  refusals?(job: Job, site: Site): readonly NotSupported[];
  /** Pattern of the directive by which a job has its nodes to itself; `true` where every job has. */
  readonly wholeNodes: RegExp | true;
  /** The line between two components' directives, where there is one. */
  readonly componentSeparator?: string;
  /** A directive's line after the sentinel, quoted as this scheduler reads it. */
  formatDirective(directive: Directive): string;
  /** Names of one option each, which mean the same; the one first that the target writes. */
  readonly aliases: readonly (readonly string[])[];
  /** Flags that say what `.batch()` has words for: where an edit sets one, the compiler reckons with its value. */
  readonly wordFlags?: Partial<Record<'queue' | 'qos' | 'account' | 'reservation' | 'constraint', string>>;
  /** Nodes of a job by a directive that says their number; `undefined` for any other. */
  nodesOf?(directive: Directive): number | undefined;
  /** Patterns of directives' lines, of which a job may have one each: a user's takes the place of ours. */
  readonly rivals?: readonly RegExp[];
  /** The parts of a directive that says several things, as far as others say them one by one. @default itself */
  splitDirective?(directive: Directive): readonly Directive[];
  /** Directives as they are written, where several of one flag have to be one. @default as they are */
  joinDirectives?(directives: readonly Directive[]): readonly Directive[];
  /** The dependency as words for the submit command; `ids` are words of shell that hold job ids. */
  dependency(after: readonly { readonly id: string; readonly event: Event }[]): readonly string[];
  /** The flag that asks for memory by node: where it is dropped, steps name none either. */
  readonly memoryFlag?: string;
  /** Flags that are of the job as a whole where several lists of directives follow each other: they stand in the first only. */
  readonly wholeJobFlags?: RegExp;
  /**
   * True of a file of `logs/` that the scheduler, or a script of the job, has written under another name than `JOB.out` and `JOB-ID.out`. `job`
   * is the job's name as directives have it, `ids` are the numbers under which it was submitted.
   */
  isLog?(file: string, job: string, ids: readonly string[]): boolean;
  /** Commands that ask about jobs and end them; absent where there is no scheduler. */
  readonly queries?: Queries;
  /** Asks the scheduler about itself and its cluster, for `doctor`; absent where that is not supported. */
  probe?(ask: Ask): Promise<Probed<SchedulerFacts>>;
}

/**
 * True if the runtime names the hosts of a launch: MPI's own launchers would put each on the first ones, and none knows which nodes of its kind
 * belong to which of several groups.
 */
export function namesHosts(target: Target, launcher: Launcher, groups = 1): boolean {
  return target.capabilities.severalHosts && (groups > 1 || launcher.namesHosts === true);
}

/** The launcher of a site on a target. */
export function launcherOf(target: Target, site: Site): LauncherName {
  return site.launcher ?? target.defaultLauncher;
}
