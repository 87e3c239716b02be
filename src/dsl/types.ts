import type { AuthoredExperiment, Event, MlSource, ScriptSource } from '../ir/index.js';
import type {
  AddModelOptions,
  AfterKeyOptions,
  AttachOptions,
  BatchOptions,
  ColocateOptions,
  FunctionOptions,
  OrchestratorOptions,
  ParamAssignment,
  ParamsOptions,
  ParamValues,
  RayClusterOptions,
  RequiresOptions,
  ScriptOptions,
  SetupOptions,
} from '../ir/options/index.js';
import type { Command } from './command.js';
import type { TensorFunction } from './function-source.js';
import type { Fresh, KnownNames, NotAllowed } from './not-allowed.js';
import type { MlModelOptions, ModelParamsOptions } from './options.js';

/*
 * The calls that are allowed after each call. State stands in positional parameters, since an object that every call rewrites costs the square of the
 * chain's length to check; calls that change no state return `this`.
 */

declare const names: unique symbol;

/** Calls that open the next entity, whatever is open now. */
export interface Opening<Names extends string> extends AuthoredExperiment {
  /** Names of its entities, for the type parameter of `<N extends string>(e: Opening<N>) => …`. It has no value. */
  readonly [names]?: Names;
  /** Opens a model: one application. */
  model<const Name extends string>(name: Fresh<Name, Names>, command: Command): ModelBuilder<Names | Name, false>;
  /** Opens an ensemble: members `NAME_0`, `NAME_1`, … of one application. */
  ensemble<const Name extends string>(name: Fresh<Name, Names>, command: Command): EnsembleBuilder<Names | Name, false>;
  /** Opens a standalone store. */
  orchestrator<const Name extends string = 'orchestrator'>(
    ...options: OrchestratorArguments<Name, Names>
  ): OrchestratorBuilder<Names | Name>;
  /**
   * Opens a Ray cluster: a head and workers, one a node. It has started when all nodes have joined, and ends when all that use it have ended; without a
   * user it runs as long as its job.
   */
  rayCluster<const Name extends string>(
    name: Fresh<Name, Names>,
    options?: RayClusterOptions,
  ): RayClusterBuilder<Names | Name>;
  /** Calls `change` with the builder and returns its result: a function over experiments becomes a call of the chain. */
  apply<Result>(change: (builder: this) => Result): Result;
}

/** Options of `.orchestrator()`: they must give a name once the default name is taken. */
export type OrchestratorArguments<Name extends string, Names extends string> = string extends Names
  ? [options?: OrchestratorOptions<Name>]
  : ['orchestrator'] extends [KnownNames<Names>]
    ? [options: OrchestratorOptions<Name> & { name: Fresh<Name, Names> }]
    : [options?: OrchestratorOptions<Name> & { name?: Fresh<Name, Names> }];

/** An experiment before its first entity. */
export interface Experiment<Names extends string = never> extends Opening<Names> {
  /** Describes the experiment's own job, which runs every entity without a `.batch()` of its own. */
  batch(options: BatchOptions): this;
}

/** A model or an ensemble: the calls describe it, until the next entity is opened. */
export interface ApplicationBuilder<Names extends string> extends Opening<Names> {
  /** Puts files into its directory. */
  attach(options: AttachOptions): this;
  /** Has the store load an ML model before the application starts. */
  addMlModel(name: string, source: MlSource, options: MlModelOptions): this;
  /** Has the store load a TorchScript before the application starts. */
  addScript(name: string, source: ScriptSource, options?: ScriptOptions): this;
  /**
   * Has the store load a function of tensors, which is called at once with symbolic tensors and written down as TorchScript:
   * `(x) => x.mul(2).add(1)`. Clients call it by the name that it has as a script, too.
   */
  addFunction(name: string, source: TensorFunction, options?: FunctionOptions): this;
  /** Puts its name before its keys: `NAME.key`, with the member's name for a member of an ensemble. @default on for ensembles, off for models */
  enableKeyPrefixing(): this;
  /** Leaves its keys as it writes them. */
  disableKeyPrefixing(): this;
  /** Entities whose keys it reads; they may be opened later. Its own name means: each member reads its own keys. */
  registerIncomingEntity(...names: readonly [string, ...string[]]): this;
  /**
   * Starts it at an event of `name` or of the member `NAME_i`, or when a key exists: `{ key: 'ready' }`. Entities that read each other's keys have to run at
   * the same time: they wait for `'started'`, not for each other's end. @default completed: all members succeeded
   */
  after(name: Names | `${Names}_${number}`, event?: Event | AfterKeyOptions): this;
  /** Sets demands on its nodes. A second call replaces the first. */
  requires(options: RequiresOptions): this;
  /**
   * Runs on the nodes of `name`, beside it, with CPUs and GPUs of its own, and sees its colocated store. These nodes are sized for both, and nobody else
   * runs there. It may have fewer nodes than `name`, not more. A second call replaces the first.
   */
  sharesNodesWith(name: Names): this;
  /**
   * Uses a Ray cluster: it starts when the cluster has started, finds it by `RAY_ADDRESS`, and ends with an error if the cluster fails. A second call
   * replaces the first.
   */
  usesRay(name: Names): this;
  /** Modules and lines of shell that come before its launch. A second call replaces the first. */
  setup(options: SetupOptions): this;
  /** Makes it a job of its own. A second call replaces the first. */
  batch(options: BatchOptions): this;
}

/** A model: one application. */
export interface ModelBuilder<Names extends string, Colocated extends boolean> extends ApplicationBuilder<Names> {
  /** Values for the tags of its templates, and for its arguments. A second call replaces the first. */
  params(values: ParamAssignment, options?: ModelParamsOptions): this;
  /** Gives it a store of its own on each of its nodes. */
  colocate(options: OnceColocated<Colocated>): ModelBuilder<Names, true>;
}

/** An ensemble: members `NAME_0`, `NAME_1`, … */
export interface EnsembleBuilder<Names extends string, Colocated extends boolean> extends ApplicationBuilder<Names> {
  /** Values for the tags of its templates and for its arguments; the strategy makes members of them. A second call replaces the first. */
  params(values: ParamValues, options?: ParamsOptions): this;
  /** Gives each member a store of its own on each of its nodes. */
  colocate(options: OnceColocated<Colocated>): EnsembleBuilder<Names, true>;
  /** Runs each assignment of parameters `n` times; without parameters, makes `n` like members. @default 1 */
  replicas(n: number): this;
  /**
   * Adds a member by hand. An ensemble with such members has no others. The values of `.params()` hold for each, its own values come first, and
   * `.replicas(n)` runs each `n` times.
   */
  addModel<const Name extends string>(
    name: Fresh<Name, Names>,
    command: Command,
    options?: AddModelOptions,
  ): EnsembleBuilder<Names | Name, Colocated>;
}

/** A standalone store: the calls describe it, until the next entity is opened. */
export interface OrchestratorBuilder<Names extends string> extends Opening<Names> {
  /** Makes it a job of its own. A second call replaces the first. */
  batch(options: BatchOptions): this;
  /** Sets demands on its nodes. A second call replaces the first. */
  requires(options: RequiresOptions): this;
  /** Modules and lines of shell that come before its start. A second call replaces the first. */
  setup(options: SetupOptions): this;
}

/** A Ray cluster: the calls describe it, until the next entity is opened. */
export interface RayClusterBuilder<Names extends string> extends Opening<Names> {
  /** Starts it at an event of `name` or of the member `NAME_i`, or when a key exists: `{ key: 'ready' }`. @default completed: all members succeeded */
  after(name: Names | `${Names}_${number}`, event?: Event | AfterKeyOptions): this;
  /** Sets demands on its nodes. A second call replaces the first. */
  requires(options: RequiresOptions): this;
  /** Runs on the nodes of `name`, beside it, with CPUs and GPUs of its own. A second call replaces the first. */
  sharesNodesWith(name: Names): this;
  /** Modules and lines of shell that come before its start. A second call replaces the first. */
  setup(options: SetupOptions): this;
  /** Makes it a job of its own. A second call replaces the first. */
  batch(options: BatchOptions): this;
}

/** Options of `.colocate()`; a type without values after the first call. */
export type OnceColocated<Colocated extends boolean> = Colocated extends true
  ? NotAllowed<'this entity already has a colocated orchestrator'>
  : ColocateOptions;
