import type {
  Allocation,
  ApplicationDeclaration,
  BatchDeclaration,
  ColocatedDeclaration,
  CommandDeclaration,
  ExperimentDeclaration,
  Launch,
  LauncherName,
  Members,
  OrchestratorDeclaration,
  Plan,
  Site,
} from '../../ir/index.js';
import type { Launcher, Target } from '../../targets/target.js';
import type { Artifact, Facts } from '../inspect/index.js';

/** Everything that is known of an experiment while it is compiled. Each pass reads some of it and adds some. */
export interface Known {
  /** The experiment as it is written. */
  readonly declaration: ExperimentDeclaration;
  /** The workflow's file name, without its folder. */
  readonly workflow: string;
  /** Version of Simwright that plan and scripts name. */
  readonly version: string;
  readonly site: Site;
  readonly target: Target;
  readonly launchers: { readonly [Name in LauncherName]: Launcher };
  /** The experiment as the target's machine can run it. */
  readonly experiment: ExperimentDeclaration;
  readonly facts: Facts;
  readonly sized: ReadonlyMap<ApplicationDeclaration, Sized>;
  /** Jobs, each after those that it waits for. */
  readonly jobs: readonly PlacedJob[];
  readonly launches: ReadonlyMap<ApplicationDeclaration, Launch>;
  /** Files that launchers read, by application: text by its name in the entity's directory. */
  readonly launcherTexts: ReadonlyMap<ApplicationDeclaration, Readonly<Record<string, string>>>;
  /** The same as artifacts. */
  readonly launcherFiles: ReadonlyMap<ApplicationDeclaration, readonly LauncherFile[]>;
  /** Words that start stores. */
  readonly storeLaunches: ReadonlyMap<OrchestratorDeclaration | ColocatedDeclaration, readonly string[]>;
  readonly plan: Plan;
}

/** The part of what is known that a pass reads. */
export type Reads<Key extends keyof Known> = Pick<Known, Key>;

/** The part of what is known that a pass adds. */
export type Adds<Key extends keyof Known> = Pick<Known, Key>;

/** Sizes of one launch of an application; of a member's, if it is an ensemble. */
export interface StepSize {
  readonly nodes: number;
  readonly tasks: number;
  readonly cpusPerTask: number;
  readonly tasksPerNode: number;
  readonly gpusPerTask?: number;
  readonly gpusPerNode?: number;
  readonly memoryPerNodeMiB?: number;
  readonly walltimeSeconds?: number;
}

/** One program of a launch. */
export interface SizedProgram {
  readonly command: CommandDeclaration;
  readonly size: StepSize;
}

/** A launch: its programs (several are MPMD), and what they take together. */
export interface SizedLaunch {
  readonly programs: readonly [SizedProgram, ...SizedProgram[]];
  readonly size: StepSize;
}

/** Members of an application, and what its launches take. */
export interface Sized {
  /** The most that a launch takes. */
  readonly size: StepSize;
  /** One; or one for each member added by hand. */
  readonly launches: readonly [SizedLaunch, ...SizedLaunch[]];
  readonly members: Members;
  /** Its launcher gives each launch nodes that run nothing else meanwhile. */
  readonly ownsNodes: boolean;
}

/** Nodes of one kind, and what runs on them. */
export interface PlacedComponent {
  readonly allocation: Allocation;
  readonly applications: readonly ApplicationDeclaration[];
  readonly orchestrators: readonly OrchestratorDeclaration[];
  /** Nodes wanted at a time by launches that have theirs for themselves. */
  readonly nodesApart: number;
}

/** Applications and stores that share one submission, and what the submission asks for. */
export interface PlacedJob {
  readonly name: string;
  readonly batch: BatchDeclaration | undefined;
  readonly applications: readonly ApplicationDeclaration[];
  readonly orchestrators: readonly OrchestratorDeclaration[];
  /** Several make a heterogeneous job. */
  readonly components: readonly [PlacedComponent, ...PlacedComponent[]];
  readonly array: { readonly size: number; readonly perElement: number; readonly maxConcurrent?: number } | undefined;
  /** Times that it is submitted, once a member. */
  readonly separate: number | undefined;
}

/** A file that a launcher reads, in an entity's directory. */
export interface LauncherFile {
  readonly to: string;
  readonly artifact: Artifact;
}
