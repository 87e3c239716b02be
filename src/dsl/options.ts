import type { EngineName, EvictionPolicy, ParamValue } from '../ir/index.js';
import type { NamedBackend, SelfDescribedBackend } from '../ml/backends.js';
import type { NotAllowed } from './not-allowed.js';

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
  /** Whom the scheduler writes to: an address means at the job's end and at its failure. */
  mail?: string | MailOptions;
  /** How an ensemble meets the scheduler: its members as steps of one job, as elements of a job array, or each as a job. @default 'packed' */
  mode?: 'packed' | 'array' | 'separate';
  /** Members that run at a time. @default as many as fit */
  maxConcurrent?: number;
  /** Edits of the directives that the script starts with, made after the site's. */
  directives?: DirectiveOptions;
}

export interface MailOptions {
  to: string;
  /** @default ['end', 'fail'] */
  events?: readonly ('begin' | 'end' | 'fail')[];
}

export interface DirectiveOptions {
  /** Flags never to write: `['--mem']`; a flag of many resources with the one that is meant: `['-l walltime']`. */
  drop?: string | readonly string[];
  /** Flags to write with this value, instead of ours if there is one: `{ '--comment': 'night run', '--spread-job': '' }`. `''`: the flag alone. */
  set?: Readonly<Record<string, string | number>>;
}

/** One value of a parameter, written as `String(value)`. A BigInt is kept digit by digit: beyond 2^53 as a text. */
export type GivenValue = ParamValue | bigint;

/** Parameters by name, each with a value or the list of values it takes. */
export type ParamValues = Readonly<Record<string, GivenValue | readonly GivenValue[]>>;

/** Parameters by name, each with its value. The types are spelt out, so that the editor says what a value can be. */
export type ParamAssignment = Readonly<Record<string, string | number | bigint | boolean>>;

/**
 * A strategy of one's own: from the values that each parameter takes (a scalar as a list of one), the parameters of each member in turn. It
 * runs once, when `.params()` is called; the plan lists what it returns.
 *
 * @param count what `.params()` was given, else the number of all combinations
 */
export type StrategyFunction = (
  axes: Readonly<Record<string, readonly ParamValue[]>>,
  count: number,
) => readonly ParamAssignment[];

export interface ParamsOptions {
  /**
   * `all-perm`: every combination, the first parameter slowest. `step`: the first values, the second values, and so on; lists have one length,
   * those of one value excepted. `random`: `count` of all combinations, none twice. @default 'all-perm'
   */
  strategy?: 'all-perm' | 'step' | 'random' | StrategyFunction;
  /** Parameters that become arguments (`--name=value`, `-n value`), in the place of `{args}` or at the end. */
  asArgs?: readonly string[];
  /** Combinations that `random` takes, or that a function is asked for. @default all of them */
  count?: number;
  /** Of `random`: the same seed gives the same members on every machine. @default 0 */
  seed?: number;
}

export interface ModelParamsOptions {
  /** Parameters that become arguments (`--name=value`, `-n value`), in the place of `{args}` or at the end. */
  asArgs?: readonly string[];
  strategy?: NotAllowed<'a model has one value a parameter: .ensemble() runs several'>;
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

/** How a store is run, and its threads, clients and memory. */
export interface StoreLimits {
  /** One Node process, stock Redis with a module of ours, or the site's Redis with RedisAI. @default the site's, else 'embedded' */
  engine?: EngineName;
  /** CPUs set aside for it on each of its nodes. @default 1 */
  cpus?: number;
  /** Worker threads a device. @default 1 */
  threadsPerQueue?: number;
  interOpThreads?: number;
  intraOpThreads?: number;
  /** How long one run of a model may take, in seconds; one that takes longer is stopped. @default 60 */
  executionTimeoutSeconds?: number;
  maxClients?: number;
  /** `'16G'`. @default no limit */
  maxMemory?: string;
  /**
   * Seconds between two copies of its keys on disk; 0: none is made, not at the end of its job either.
   * @default one at the end of its job, while something that can read it has not completed
   */
  checkpointSeconds?: number;
}

interface CommonColocateOptions extends StoreLimits {
  /** SmartRedis's identifier: the store is then found by `SSDB_ID`. */
  id?: string;
  /** CPUs it is pinned to, counted from 0 among those that the job has on the node. @default none in particular */
  pin?: readonly number[];
}

/** A store on each node of the entity, over TCP. */
export interface ColocateTcpOptions extends CommonColocateOptions {
  tcp: true;
  uds?: never;
  /** @default a free one */
  port?: number;
  /** Network interface to listen on. @default loopback */
  interface?: string;
}

/** A store on each node of the entity, over a Unix socket. */
export interface ColocateUdsOptions extends CommonColocateOptions {
  uds: true;
  tcp?: never;
  /** At most 107 bytes. @default in a folder of the job's own under /tmp */
  socket?: string;
  /** Mode bits of the socket. @default 0o700 */
  permissions?: number;
}

/** A store on each node of the entity, over TCP on loopback or over a Unix socket. */
export type ColocateOptions = ColocateTcpOptions | ColocateUdsOptions;

export interface OrchestratorOptions<Name extends string = string> extends StoreLimits {
  /** SmartRedis's identifier as well, unless it is the default. @default 'orchestrator' */
  name?: Name;
  /** Servers it is split over, as a Redis Cluster: 1, or 3 and more. @default as many as `nodes` */
  shards?: number;
  /** Nodes its shards are spread over. @default 1 with one shard, else one a shard */
  nodes?: number;
  /** Hosts to run on. */
  hosts?: readonly string[];
  /** @default a free one */
  port?: number;
  /** Network interface to listen on. @default loopback when its users run on its own node, else the site's */
  interface?: string;
  /** What it does when `maxMemory` is reached; Redis's own names. @default 'noeviction' */
  evictionPolicy?: EvictionPolicy;
  /** Starts it again where it was, with the last copy of its keys, when it dies. @default false */
  restart?: boolean;
  /** Keys, by name or glob, that are written as .npy into run/ when it ends: `['*.profile']`. */
  saveAtEnd?: string | readonly string[];
}

/** `CPU`, `GPU`, or one of several: `GPU:1`. */
export type Device = 'CPU' | 'GPU' | `CPU:${number}` | `GPU:${number}`;

/** Where a store keeps an ML model or a script. */
export interface PlacementOptions {
  /** @default 'CPU' */
  device?: Device;
  /** Copies, one a GPU, under `NAME.GPU:i`. @default 1 */
  devicesPerNode?: number;
  /** Number of the first GPU with a copy. @default 0 */
  firstDevice?: number;
  /** Name of the store that loads it. @default the entity's colocated store if it has one, else every standalone one */
  orchestrator?: string;
}

export type ScriptOptions = PlacementOptions;

interface CommonMlModelOptions extends PlacementOptions {
  /** Requests that are run together at most. @default no batching */
  batchSize?: number;
  /** Requests to wait for before a batch runs; needs `batchSize`. */
  minBatchSize?: number;
  /** Milliseconds to wait for `minBatchSize` requests. */
  minBatchTimeout?: number;
  tag?: string;
}

/** A TensorFlow graph. */
export interface TensorFlowModelOptions extends CommonMlModelOptions {
  backend: NamedBackend;
  /** Names of the graph's inputs. */
  inputs: readonly string[];
  /** Names of the graph's outputs. */
  outputs: readonly string[];
}

/** A model whose file says what its inputs and outputs are. */
export interface SelfDescribedModelOptions extends CommonMlModelOptions {
  backend: SelfDescribedBackend;
  inputs?: NotAllowed<'only backend TF is told the names of inputs: other models know theirs'>;
  outputs?: NotAllowed<'only backend TF is told the names of outputs: other models know theirs'>;
}

export type MlModelOptions = TensorFlowModelOptions | SelfDescribedModelOptions;

/** What to wait for: a key that the entity writes. */
export interface AfterKeyOptions {
  /** As the store has it, prefix and all. */
  key: string;
  /** Name of the store. @default the one that the entity sees without a name */
  orchestrator?: string;
}

/** What an entity's nodes must be like. Entities of one job that differ make it a heterogeneous job. */
export interface RequiresOptions {
  constraint?: string;
  gpusPerNode?: number;
  /** Memory on each node: `'512G'`. */
  memory?: string;
  /** Queue or partition. */
  queue?: string;
}

/** What to do before an entity's launch, in a subshell of its own. */
export interface SetupOptions {
  /** Environment modules to load, after the job's. */
  modules?: string | readonly string[];
  /** Lines of shell to run then. */
  commands?: string | readonly string[];
}

export interface AddModelOptions {
  params?: ParamAssignment;
}

export interface ContainerOptions {
  /** Folders of the host to see inside: `'/scratch'`, `'/data:/input'`, `'/data:/input:ro'`, or as `{ '/data': '/input' }`. */
  bind?: string | readonly string[] | Readonly<Record<string, string>>;
  /** Words for `apptainer exec`, in front of the image: `['--nv']`. */
  args?: string | readonly string[];
  /** Working directory inside. @default the entity's own directory */
  pwd?: string;
}
