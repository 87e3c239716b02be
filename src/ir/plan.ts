import * as z from 'zod';
import { backendNames } from '../ml/backends.js';
import { dtypes } from '../ml/dtypes.js';
import { foreignDtypes, modelFormatNames } from '../model-files/header.js';
import { EnvValue, Event } from './declaration.js';
import { evictionPolicies } from './eviction-policies.js';
import { Members } from './members.js';
import { EngineName, RedisAi, TargetName } from './site.js';
import { GpuMaker } from './site-queue.js';

/*
 * The plan: all that scripts are made from and that the runtime needs. `compile` writes it to plan.json, and it is read with the same schema.
 * Paths are relative to the folder of plan.json. Words are elements of argument lists, without quotes.
 */

/** Version of the format. A runtime refuses a plan of another version. */
export const planVersion = 4;

const count = z.int().positive();

/** A file of an entity's directory. `to` is relative to that directory; `artifact` to the plan's folder. */
export const StagedFile = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('directory'), to: z.string() }),
  z.strictObject({ kind: z.literal('copy'), artifact: z.string(), to: z.string(), mode: z.int() }),
  z.strictObject({ kind: z.literal('symlink'), target: z.string(), inPlan: z.boolean(), to: z.string() }),
  z.strictObject({
    kind: z.literal('configure'),
    artifact: z.string(),
    to: z.string(),
    mode: z.int(),
    tag: z.string(),
  }),
]);
export type StagedFile = z.infer<typeof StagedFile>;

/** Element type: a store's, or one of the framework's own that no store's tensor has. */
const ModelDtype = z.enum([...dtypes, ...foreignDtypes]);

/** An input or output of an ML model, as far as its file tells. */
const ModelTensor = z.strictObject({
  name: z.string().optional(),
  dtype: ModelDtype.optional(),
  /** Size of each dimension; its name, or null, where it may vary. */
  shape: z
    .array(z.union([z.int().nonnegative(), z.string(), z.null()]))
    .readonly()
    .optional(),
  /** A tensor that the model was made with, where its file does not say which others go. */
  example: z.strictObject({ dtype: ModelDtype, shape: z.array(z.int().nonnegative()).readonly() }).optional(),
  /** Kind of a value that is no tensor. */
  other: z.string().optional(),
});

/** Format, inputs and outputs of an ML model's file; absent are those that it does not tell. */
const ModelHeader = z.strictObject({
  format: z.enum(modelFormatNames),
  inputs: z.array(ModelTensor).readonly().optional(),
  outputs: z.array(ModelTensor).readonly().optional(),
});

/** An ML model that a store loads before it says that it is ready. */
export const PreloadedModel = z.strictObject({
  name: z.string(),
  artifact: z.string(),
  backend: z.enum(backendNames),
  device: z.string(),
  devicesPerNode: count,
  firstDevice: z.int().nonnegative(),
  batchSize: z.int().nonnegative(),
  minBatchSize: z.int().nonnegative(),
  minBatchTimeoutMs: z.int().nonnegative(),
  tag: z.string(),
  inputs: z.array(z.string()).optional(),
  outputs: z.array(z.string()).optional(),
  /** Read from its file when the workflow was compiled; absent in plans of earlier builds. */
  header: ModelHeader.optional(),
});
export type PreloadedModel = z.infer<typeof PreloadedModel>;

/** A TorchScript source that a store loads before it says that it is ready. */
export const PreloadedScript = z.strictObject({
  name: z.string(),
  artifact: z.string(),
  device: z.string(),
  devicesPerNode: count,
  firstDevice: z.int().nonnegative(),
});
export type PreloadedScript = z.infer<typeof PreloadedScript>;

/** Modules to load and lines of shell to run before a launch. */
const Setup = z.strictObject({ modules: z.array(z.string()), commands: z.array(z.string()) });

const store = {
  /** The orchestrator's name, or that of the entity it is colocated with; its folder is run/stores/NAME. */
  name: z.string(),
  /** SmartRedis's suffix: `SSDB_SUFFIX`; empty for the store without a name. */
  suffix: z.string(),
  engine: EngineName,
  cpus: count,
  threadsPerQueue: count.optional(),
  interOpThreads: count.optional(),
  intraOpThreads: count.optional(),
  executionTimeoutSeconds: count.optional(),
  maxClients: count.optional(),
  maxMemoryMiB: count.optional(),
  /**
   * Seconds between two checkpoints, with another at the end of its job. 0: none. Absent: one at the end of its job, while something that
   * can read the store has not completed.
   */
  checkpointSeconds: z.int().nonnegative().optional(),
  mlModels: z.array(PreloadedModel),
  scripts: z.array(PreloadedScript),
  /** Group of its job's nodes that it runs on, from 0. */
  group: z.int().nonnegative(),
  /** The launcher's words that start its processes, with `{hosts}` for the group's hosts; none if it is one process on the script's host. */
  launch: z.array(z.string()),
  /** The file `{resources}` that these words name, written as if the group's hosts were the job's first. It counts hardware threads. */
  resources: z.strictObject({ text: z.string(), threadsPerCore: count }).optional(),
  setup: Setup.optional(),
};

export const StandaloneStore = z.strictObject({
  kind: z.literal('standalone'),
  ...store,
  /** 0: a free port. */
  port: z.int().min(0).max(65535),
  /** `loopback` when all that use it run on its own node, else the address of `interface` or of the host's name. */
  scope: z.enum(['loopback', 'network']),
  interface: z.string().optional(),
  /** Number of its servers; several are a cluster. */
  shards: count,
  /** Servers that follow each of them, on the next node. Absent: none. */
  replicas: z.literal(1).optional(),
  /** Number of the nodes that they run on, one process of the runtime on each. */
  nodes: count,
  hosts: z.array(z.string()).optional(),
  evictionPolicy: z.enum(evictionPolicies).optional(),
  restart: z.boolean(),
  saveAtEnd: z.array(z.string()),
});
export type StandaloneStore = z.infer<typeof StandaloneStore>;

/** A store on each node of its entity, which only this entity and those that share its nodes see. */
export const ColocatedStore = z.strictObject({
  kind: z.literal('colocated'),
  ...store,
  transport: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('tcp'), port: z.int().min(0).max(65535), interface: z.string().optional() }),
    /** Without `socket`: NAME.sock in a 0700 folder of the job's own under /tmp. */
    z.strictObject({ kind: z.literal('uds'), socket: z.string().optional(), permissions: z.int() }),
  ]),
  /** Number of its nodes. */
  nodes: count,
  /** CPUs that it is pinned to, by their indices among the job's CPUs on the node. */
  pin: z.array(z.int().nonnegative()).optional(),
});
export type ColocatedStore = z.infer<typeof ColocatedStore>;

export const Store = z.discriminatedUnion('kind', [StandaloneStore, ColocatedStore]);
export type Store = z.infer<typeof Store>;

/** A program: the container's words, its own words, and the number of its tasks. */
export const Program = z.strictObject({ words: z.array(z.string()).min(1), tasks: count });
export type Program = z.infer<typeof Program>;

/** Resources of one member. */
export const MemberSize = z.strictObject({
  nodes: count,
  tasks: count,
  tasksPerNode: count,
  cpusPerTask: count,
  gpusPerNode: count.optional(),
  memoryPerNodeMiB: count.optional(),
  walltimeSeconds: count.optional(),
});
export type MemberSize = z.infer<typeof MemberSize>;

/** The launch lines of an application. */
export const Launch = z.strictObject({
  /**
   * A line for each launch in `commands`: the words of the launcher and of the programs. Scripts break a long line before the words whose
   * positions, from 0, are in `breaks`.
   */
  lines: z
    .array(
      z.strictObject({
        words: z.array(z.string()).min(1),
        breaks: z.array(z.int().nonnegative()),
        /** Resources of its members, where lines of one application may differ. */
        size: MemberSize.optional(),
        /** Hosts that the user has named for it. */
        hosts: z.array(z.string()).optional(),
        /**
         * The file, among the entity's, that tells the launcher hosts, CPUs and GPUs as if the launch had the first of each: the runtime writes
         * those that a member has got into it. With `bound` its CPUs are those of the node by their numbers.
         */
        resources: z.strictObject({ file: z.string(), threadsPerCore: count, bound: z.boolean() }).optional(),
      }),
    )
    .min(1),
  /** Limit of members that one line runs at the same time. */
  atMost: count.optional(),
});
export type Launch = z.infer<typeof Launch>;

/** A Ray cluster, besides what it has in common with a model. */
export const RayCluster = z.strictObject({
  /** CPUs and GPUs of a node that Ray shares out; without `cpusPerNode` it counts the CPUs itself. */
  cpusPerNode: count.optional(),
  gpusPerNode: z.int().nonnegative(),
  /** Port of the head; absent: a free one. */
  port: z.int().positive().max(65535).optional(),
  /** Port of the dashboard on the head's loopback; absent: a free one. */
  dashboardPort: z.int().positive().max(65535).optional(),
  headArgs: z.array(z.string()),
  workerArgs: z.array(z.string()),
  /** Python that has Ray: a program of the PATH, or an absolute path. */
  python: z.string(),
  auth: z.enum(['token', 'none']),
});
export type RayCluster = z.infer<typeof RayCluster>;

/** A model, an ensemble's members, or a Ray cluster. */
export const Entity = z.strictObject({
  kind: z.enum(['model', 'ensemble', 'ray-cluster']),
  name: z.string(),
  job: z.string(),
  members: Members,
  /** Its launches, each a list of programs (several are MPMD): a single launch, or one for each assignment of members added by hand. */
  commands: z.array(z.array(Program).min(1)).min(1),
  launch: Launch,
  setup: Setup.optional(),
  /** Names of its ML models and scripts, in the stores that it sees. */
  mlModels: z.array(z.string()),
  scripts: z.array(z.string()),
  /** Parameters that become words of the command line, in the place of `{args}`. */
  asArgs: z.array(z.string()),
  files: z.array(StagedFile),
  /** Name of one of these files that reads a variable with the member's index. */
  numberIn: z.string().optional(),
  env: z.record(z.string(), EnvValue),
  /** Further environment variables of members added by hand, by assignment. */
  memberEnv: z.array(z.record(z.string(), EnvValue)).optional(),
  keyPrefixing: z.boolean(),
  /** Names of the entities whose keys it reads. Its own name means the keys of the member itself. */
  incoming: z.array(z.string()),
  /** Events of entities or members that it waits for, and keys that an entity writes into a store. */
  after: z.array(
    z.union([
      z.strictObject({ name: z.string(), event: Event }),
      z.strictObject({ name: z.string(), key: z.string(), store: z.string() }),
    ]),
  ),
  /** Facts of a Ray cluster, which every other kind lacks. */
  ray: RayCluster.optional(),
  /** Name of the Ray cluster that it uses. */
  usesRay: z.string().optional(),
  /** Name of the entity whose nodes it shares. */
  sharesNodesWith: z.string().optional(),
  /** Group of its job's nodes that it runs on, from 0. */
  group: z.int().nonnegative(),
  /** Names of the stores it sees. */
  stores: z.array(z.string()),
  /** Resources of one member: of each the most that one of them takes, where they differ. */
  size: MemberSize,
});
export type Entity = z.infer<typeof Entity>;

/** Nodes of one kind that a job requests from the scheduler, with their resources and limits. */
export const Allocation = z.strictObject({
  nodes: count,
  /** CPUs on each node; absent with `exclusive` if the site does not say how many cores a node has. */
  cpusPerNode: count.optional(),
  /** CPUs on each node without which a launch or a store could not start; where `cpusPerNode` is absent. */
  leastCpusPerNode: count.optional(),
  /** Hardware threads of a core, where the scheduler counts those as its CPUs; absent where it counts cores. */
  threadsPerCpu: count.optional(),
  exclusive: z.boolean(),
  gpusPerNode: count.optional(),
  memoryPerNodeMiB: count.optional(),
  walltimeSeconds: count.optional(),
  account: z.string().optional(),
  queue: z.string().optional(),
  /** Hours that the site charges for an hour of one of its nodes. Absent: one. */
  chargeFactor: z.number().nonnegative().optional(),
  qos: z.string().optional(),
  reservation: z.string().optional(),
  constraint: z.string().optional(),
  /** Hosts that must be among its nodes, and hosts that must not. */
  hosts: z.array(z.string()).optional(),
  excludeHosts: z.array(z.string()).optional(),
});
export type Allocation = z.infer<typeof Allocation>;

/** Nodes of a job on which the same entities and stores run: a range of the nodes of one component. */
export const NodeGroup = z.strictObject({
  /** Component of the job, from 0. */
  component: z.int().nonnegative(),
  /** Position of its first node among those of the component, from 0. */
  first: z.int().nonnegative(),
  nodes: count,
});
export type NodeGroup = z.infer<typeof NodeGroup>;

/** An option for the scheduler in the head of a script: `--nodes=2`, `-l walltime=01:00:00`. Without `value`: the flag alone. */
export const Directive = z.strictObject({
  flag: z.string(),
  /** Name of the resource, for flags that take several: `walltime` in `-l walltime=01:00:00`, `span` in `-R span[ptile=4]`. */
  resource: z.string().optional(),
  value: z.union([z.string(), z.number()]).optional(),
});
export type Directive = z.infer<typeof Directive>;

/** Launches of a task on each node of a job, several where each has only nodes of one component: the words of launchers, with `{hosts}` for all hosts. */
export const NodeLaunches = z.strictObject({
  lines: z.array(z.array(z.string()).min(1)).min(1),
  /** They end before stores start: these would keep them from the CPUs or the nodes that they need. */
  beforeStores: z.boolean(),
});
export type NodeLaunches = z.infer<typeof NodeLaunches>;

export const Job = z.strictObject({
  name: z.string(),
  script: z.string(),
  allocation: Allocation,
  /** Further components of a heterogeneous job: nodes of another kind in the same allocation. */
  components: z.array(Allocation),
  /** Its nodes by who runs on them; those of a component follow each other without gap. */
  groups: z.array(NodeGroup).min(1),
  /** Directives of the job's script: one list, or a list for each component if the scheduler separates them. */
  directives: z.array(z.array(Directive)),
  /** Seconds before the end of the walltime at which applications are told to end. */
  graceSeconds: z.int().nonnegative(),
  /** The scheduler's job array: `size` elements of `perElement` members each, at most `maxConcurrent` elements at the same time. */
  array: z.strictObject({ size: count, perElement: count, maxConcurrent: count.optional() }).optional(),
  /** Number of times that the script is submitted, once for each member, with the index in its environment. */
  separate: count.optional(),
  /** Variables of the site, which its script exports before the lines of `preamble`. */
  env: z.record(z.string(), z.string()).optional(),
  /** Environment modules that its script loads, after the lines of `preamble`. */
  modules: z.array(z.string()),
  preamble: z.array(z.string()),
  /** Launches by which its nodes tell the addresses that stores are to serve; absent where stores know them without. */
  allow: NodeLaunches.optional(),
  stores: z.array(z.string()),
  entities: z.array(z.string()),
  after: z.array(z.strictObject({ job: z.string(), event: Event })),
});
export type Job = z.infer<typeof Job>;

export const Plan = z.strictObject({
  version: z.literal(planVersion),
  simwright: z.string(),
  experiment: z.string(),
  /** The workflow's file name, without its folder. */
  workflow: z.string(),
  site: z.string(),
  target: TargetName,
  /** Node.js on the compute nodes: a program of the PATH, or an absolute path. */
  nodeCommand: z.string(),
  /** Blocks of the job scripts' template by name, each replaced by the site's text. */
  blocks: z.record(z.string(), z.string()),
  /** Folder of the site with Node and ONNX Runtime. */
  runtimePath: z.string().optional(),
  /** Python that stores run PyTorch, TensorFlow and TensorFlow Lite with: a program of the job's PATH, or an absolute path. */
  python: z.string().optional(),
  /** RedisAI of the site, for stores of the engine `redisai`. */
  redisai: RedisAi.optional(),
  /** Network interface that other nodes can reach. */
  networkInterface: z.string().optional(),
  /** Maker of the nodes' GPUs, if the site says. */
  gpuMaker: GpuMaker.optional(),
  jobs: z.array(Job),
  stores: z.array(Store),
  entities: z.array(Entity),
});
export type Plan = z.infer<typeof Plan>;
