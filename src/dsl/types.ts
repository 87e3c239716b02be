import type { AuthoredExperiment, Event, MlSource, ParamValue } from '../ir/index.js';
import type { Command } from './command.js';

declare const explain: unique symbol;

/** No value has this type. Its text is what the editor shows when a call is not allowed. */
export interface NotAllowed<Text extends string> {
  readonly [explain]: Text;
}

/** `Name`, unless the experiment has it already. */
export type Fresh<Name extends string, Names extends string> = Name extends Names
  ? NotAllowed<`the experiment already has an entity named '${Name}'`>
  : Name;

/** What a job asks of the scheduler. */
export interface BatchOptions {
  /** @default computed from what the job runs */
  nodes?: number;
  /** `'02:00:00'`, `'1-12:00:00'`, `'PT2H'`. @default computed if every command has a walltime, else the site's */
  walltime?: string;
  account?: string;
  /** Queue or partition. */
  queue?: string;
  qos?: string;
  reservation?: string;
  constraint?: string;
  /** Whole nodes. */
  exclusive?: boolean;
  gpusPerNode?: number;
  /** Memory on each node: `'64G'`. */
  memory?: string;
  /** Environment modules to load, after the site's. */
  modules?: readonly string[];
  /** Lines of shell that run before anything else of the job. */
  preamble?: readonly string[];
  /** How an ensemble meets the scheduler: its members as steps of one job, or as elements of a job array. @default 'packed' */
  mode?: 'packed' | 'array';
  /** Members that run at a time. @default as many as fit */
  maxConcurrent?: number;
}

/** Parameters by name: a model takes scalars, an ensemble scalars and lists. */
export type ParamValues = Readonly<Record<string, ParamValue | readonly ParamValue[]>>;

export interface ParamsOptions {
  /** `all-perm`: every combination, the first parameter slowest. @default 'all-perm' */
  strategy?: 'all-perm';
  /** Parameters that become arguments (`--name=value`, `-n value`), in the place of `{args}` or at the end. */
  asArgs?: readonly string[];
}

/** Files of an entity's directory: paths or globs relative to the workflow's folder. A directory stands for what is in it. */
export interface AttachOptions {
  /** Copied, with their mode bits. */
  copy?: string | readonly string[];
  /** Linked. */
  symlink?: string | readonly string[];
  /** Templates: each tag `;NAME;` is replaced by the parameter's value. */
  configure?: string | readonly string[];
  /** Delimiter of the tags of these templates, taken literally. @default ';' */
  tag?: string;
}

/** Threads, clients and memory of a store. */
export interface StoreLimits {
  /** CPUs set aside for it on each of its nodes. @default 1 */
  cpus?: number;
  /** Worker threads a device. @default 1 */
  threadsPerQueue?: number;
  interOpThreads?: number;
  intraOpThreads?: number;
  maxClients?: number;
  /** `'16G'`. @default no limit */
  maxMemory?: string;
}

/** A store on each node of the entity, over TCP on loopback or over a Unix socket. */
export type ColocateOptions = StoreLimits & {
  /** SmartRedis's identifier: the store is then found by `SSDB_ID`. */
  id?: string;
} & (
    | { /** Over TCP on loopback. */ tcp: true; uds?: never /** @default a free one */; port?: number }
    | {
        /** Over a Unix socket. */ uds: true;
        tcp?: never;
        /** At most 107 bytes. @default in a folder of the job's own under /tmp */
        socket?: string;
        /** Mode bits of the socket. @default 0o700 */
        permissions?: number;
      }
  );

export interface OrchestratorOptions<Name extends string = string> extends StoreLimits {
  /** SmartRedis's identifier as well, unless it is the default. @default 'orchestrator' */
  name?: Name;
  /** @default a free one */
  port?: number;
  /** Network interface to listen on. @default loopback when its users run on its own node, else the site's */
  interface?: string;
}

export interface MlModelOptions {
  backend: 'ONNX';
  /** `CPU`, `GPU`, or one of several: `GPU:1`. @default 'CPU' */
  device?: 'CPU' | 'GPU' | `CPU:${number}` | `GPU:${number}`;
  /** Copies, one a GPU, under `NAME.GPU:i`. @default 1 */
  devicesPerNode?: number;
  /** @default 0 */
  firstDevice?: number;
  batchSize?: number;
  minBatchSize?: number;
  /** Milliseconds. */
  minBatchTimeout?: number;
  tag?: string;
  /** Name of the store that loads it. @default the entity's colocated store if it has one, else every standalone one */
  orchestrator?: string;
}

/** Calls that open the next entity, whatever is open now. */
export interface Opening<Names extends string> extends AuthoredExperiment {
  /** Opens a model: one application. */
  model<const Name extends string>(name: Fresh<Name, Names>, command: Command): Application<Names | Name, false>;
  /** Opens an ensemble: members `NAME_0`, `NAME_1`, … of one application. */
  ensemble<const Name extends string>(name: Fresh<Name, Names>, command: Command): Application<Names | Name, false>;
  /** Opens a standalone store; a second one needs a name. */
  orchestrator<const Name extends string = 'orchestrator'>(
    ...options: 'orchestrator' extends Names
      ? [options: OrchestratorOptions<Name> & { name: Fresh<Name, Names> }]
      : [options?: OrchestratorOptions<Name> & { name?: Fresh<Name, Names> }]
  ): Opening<Names | Name>;
  /** A way out of the chain: `change` takes the builder and returns one. */
  apply<Result>(change: (builder: this) => Result): Result;
}

/** An experiment before its first entity. */
export interface Experiment<Names extends string = never> extends Opening<Names> {
  /** Describes the experiment's own job, which runs every entity without a `.batch()` of its own. */
  batch(options: BatchOptions): Experiment<Names>;
}

/** A model or an ensemble: the calls describe it, until the next entity is opened. */
export interface Application<Names extends string, Colocated extends boolean> extends Opening<Names> {
  params(values: ParamValues, options?: ParamsOptions): Application<Names, Colocated>;
  attach(options: AttachOptions): Application<Names, Colocated>;
  /** Gives it a store of its own on each of its nodes. */
  colocate(
    options: Colocated extends true ? NotAllowed<'this entity already has a colocated orchestrator'> : ColocateOptions,
  ): Application<Names, true>;
  /** Has the store load an ML model before the application starts. */
  addMlModel(name: string, source: MlSource, options: MlModelOptions): Application<Names, Colocated>;
  /** Its keys get its name in front (`NAME.key`), a member's the member's. Ensembles do so by default, models do not. */
  enableKeyPrefixing(): Application<Names, Colocated>;
  disableKeyPrefixing(): Application<Names, Colocated>;
  /** Entities whose keys it reads; they may be opened later. Its own name means: each member reads its own keys. */
  registerIncomingEntity(...names: readonly [string, ...string[]]): Application<Names, Colocated>;
  /** Starts when `name`, or the member `NAME_i`, has come so far. @default completed: all members succeeded */
  after(name: Names | `${Names}_${number}`, event?: Event): Application<Names, Colocated>;
  /** Makes it a job of its own. */
  batch(options: BatchOptions): Application<Names, Colocated>;
}
