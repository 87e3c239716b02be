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
  Store,
} from '../../ir/index.js';
import type { Launcher, Target } from '../../targets/target.js';
import type { Artifact, Facts } from '../inspect/index.js';

/** The results of all passes over an experiment. Each pass reads some fields and adds others. */
export interface Compilation {
  /** The experiment as the user wrote it. */
  readonly declaration: ExperimentDeclaration;
  /** The workflow's file name, without its folder. */
  readonly workflow: string;
  /** Version of Simwright, as plan and scripts show it. */
  readonly version: string;
  readonly site: Site;
  readonly target: Target;
  readonly launchers: { readonly [Name in LauncherName]: Launcher };
  /** The experiment, adapted to one machine where the target is one. */
  readonly experiment: ExperimentDeclaration;
  readonly facts: Facts;
  readonly sized: ReadonlyMap<ApplicationDeclaration, Sized>;
  /** Jobs, each after those that it waits for. */
  readonly jobs: readonly PlacedJob[];
  readonly launches: ReadonlyMap<ApplicationDeclaration, Launch>;
  /** Files that launchers read, by application: their texts by their names in the entity's directory. */
  readonly launcherTexts: ReadonlyMap<ApplicationDeclaration, Readonly<Record<string, string>>>;
  /** The artifacts of `launcherTexts`. */
  readonly launcherFiles: ReadonlyMap<ApplicationDeclaration, readonly LauncherFile[]>;
  /** The launcher's words that start each store. */
  readonly storeLaunches: ReadonlyMap<OrchestratorDeclaration | ColocatedDeclaration, StoreLaunch>;
  readonly plan: Plan;
}

/** Command that starts a store's processes, and the text of the file `{resources}` that they name. */
export type StoreLaunch = Pick<Store, 'launch' | 'resources'>;

/** The fields that a pass reads. */
export type Reads<Key extends keyof Compilation> = Pick<Compilation, Key>;

/** The fields that a pass adds. */
export type Adds<Key extends keyof Compilation> = Pick<Compilation, Key>;

/** Resources that one launch takes: a model's, or one member's of an ensemble. */
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

/** A program of a launch. */
export interface SizedProgram {
  readonly command: CommandDeclaration;
  readonly size: StepSize;
}

/** A launch: its programs (several are MPMD), and the resources that they take together. */
export interface SizedLaunch {
  readonly programs: readonly [SizedProgram, ...SizedProgram[]];
  readonly size: StepSize;
}

/** An application's members and launches, with their resources. */
export interface Sized {
  /** The largest amount of each resource that one of the launches takes. */
  readonly size: StepSize;
  /** A single launch; or one for each member added by hand. */
  readonly launches: readonly [SizedLaunch, ...SizedLaunch[]];
  readonly members: Members;
  /** True if its launcher gives each launch nodes of its own. */
  readonly ownsNodes: boolean;
  /** True if it starts without a launcher: on the script's host. */
  readonly startsHere: boolean;
}

/** Nodes of a component that belong together, and the entities that run on them. */
export interface PlacedGroup {
  /** Position of its first node in the component, from 0. */
  readonly first: number;
  readonly nodes: number;
  readonly applications: readonly ApplicationDeclaration[];
  readonly orchestrators: readonly OrchestratorDeclaration[];
  /** Nodes that are taken at the same time by launches that have nodes of their own. */
  readonly nodesApart: number;
  /** Limits of members at a time, which leave room for those who have to run beside them. */
  readonly atMost: ReadonlyMap<ApplicationDeclaration, number>;
}

/** Nodes of one kind in a job, and the entities that run on them. */
export interface PlacedComponent {
  readonly allocation: Allocation;
  readonly applications: readonly ApplicationDeclaration[];
  readonly orchestrators: readonly OrchestratorDeclaration[];
  /** True if several launches and stores that may run at the same time have nodes to choose from. */
  readonly sharesOutNodes: boolean;
  /** Its nodes by who runs on them, in their order, without gap. */
  readonly groups: readonly [PlacedGroup, ...PlacedGroup[]];
}

/** A job: the applications and stores in it, and its nodes. */
export interface PlacedJob {
  readonly name: string;
  readonly batch: BatchDeclaration | undefined;
  readonly applications: readonly ApplicationDeclaration[];
  readonly orchestrators: readonly OrchestratorDeclaration[];
  /** Nodes by their kind; several kinds make a heterogeneous job. */
  readonly components: readonly [PlacedComponent, ...PlacedComponent[]];
  readonly array: { readonly size: number; readonly perElement: number; readonly maxConcurrent?: number } | undefined;
  /** Number of times that the job is submitted, once for each member. */
  readonly separate: number | undefined;
  /** Number of its nodes where an edit of the directives sets it. */
  readonly nodesSaid: number | undefined;
}

/** A file that a launcher reads, in an entity's directory. */
export interface LauncherFile {
  readonly to: string;
  readonly artifact: Artifact;
}
