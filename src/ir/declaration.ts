import * as z from 'zod';

/*
 * What a user wrote: one frozen node a call, each with its place in the user's file; defaults are absent.
 */

/** Where a declaration stands; `undefined` when the stack did not tell. */
export const Place = z
  .strictObject({ file: z.string(), line: z.int().positive(), column: z.int().positive() })
  .optional();

/** Names end in paths, keys, environment variables and job names: the subset that all of them take. */
export const namePattern = /^[A-Za-z][A-Za-z0-9_.-]{0,62}$/;

const count = z.int().positive();

/** One value of a parameter. */
export const ParamValue = z.union([z.string(), z.number(), z.boolean()]);
export type ParamValue = z.infer<typeof ParamValue>;

export const CommandDeclaration = z.strictObject({
  kind: z.literal('command'),
  at: Place,
  executable: z.string().min(1),
  args: z.array(z.string()),
  tasks: count.optional(),
  nodes: count.optional(),
  tasksPerNode: count.optional(),
  cpusPerTask: count.optional(),
  gpusPerTask: count.optional(),
  gpusPerNode: count.optional(),
  memoryPerNodeMiB: count.optional(),
  walltimeSeconds: count.optional(),
  env: z.record(z.string(), z.string()).optional(),
});
export type CommandDeclaration = z.infer<typeof CommandDeclaration>;

export const ParamsDeclaration = z.strictObject({
  kind: z.literal('params'),
  at: Place,
  values: z.record(z.string(), z.union([ParamValue, z.array(ParamValue)])),
  strategy: z.enum(['all-perm']),
  asArgs: z.array(z.string()),
});
export type ParamsDeclaration = z.infer<typeof ParamsDeclaration>;

export const AttachDeclaration = z.strictObject({
  kind: z.literal('attach'),
  at: Place,
  copy: z.array(z.string()),
  symlink: z.array(z.string()),
  configure: z.array(z.string()),
  tag: z.string(),
});
export type AttachDeclaration = z.infer<typeof AttachDeclaration>;

/** Threads, clients and memory of a store, wherever it runs. */
const storeLimits = {
  threadsPerQueue: count.optional(),
  interOpThreads: count.optional(),
  intraOpThreads: count.optional(),
  maxClients: count.optional(),
  maxMemoryMiB: count.optional(),
};

export const ColocatedDeclaration = z.strictObject({
  kind: z.literal('colocated'),
  at: Place,
  transport: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('tcp'), port: z.int().min(1).max(65535).optional() }),
    z.strictObject({
      kind: z.literal('uds'),
      socket: z.string().optional(),
      permissions: z.int().min(0).max(0o777).optional(),
    }),
  ]),
  cpus: count.optional(),
  id: z.string().optional(),
  ...storeLimits,
});
export type ColocatedDeclaration = z.infer<typeof ColocatedDeclaration>;

/** Where the bytes of an ML model come from. */
export const MlSource = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('file'), path: z.string().min(1) }),
  z.strictObject({
    kind: z.literal('bytes'),
    bytes: z.custom<Uint8Array>((value) => value instanceof Uint8Array, 'bytes are a Uint8Array'),
  }),
]);
export type MlSource = z.infer<typeof MlSource>;

export const MlModelDeclaration = z.strictObject({
  kind: z.literal('ml-model'),
  at: Place,
  name: z.string(),
  source: MlSource,
  backend: z.enum(['ONNX']),
  device: z.string().regex(/^(CPU|GPU)(:\d+)?$/),
  devicesPerNode: count.optional(),
  firstDevice: z.int().nonnegative().optional(),
  batchSize: count.optional(),
  minBatchSize: count.optional(),
  minBatchTimeoutMs: count.optional(),
  tag: z.string().optional(),
  orchestrator: z.string().optional(),
});
export type MlModelDeclaration = z.infer<typeof MlModelDeclaration>;

export const Event = z.enum(['started', 'completed', 'failed', 'ended']);
export type Event = z.infer<typeof Event>;

export const AfterDeclaration = z.strictObject({
  kind: z.literal('after'),
  at: Place,
  name: z.string(),
  event: Event,
});
export type AfterDeclaration = z.infer<typeof AfterDeclaration>;

export const IncomingDeclaration = z.strictObject({ kind: z.literal('incoming'), at: Place, name: z.string() });
export type IncomingDeclaration = z.infer<typeof IncomingDeclaration>;

export const BatchDeclaration = z.strictObject({
  kind: z.literal('batch'),
  at: Place,
  nodes: count.optional(),
  walltimeSeconds: count.optional(),
  account: z.string().optional(),
  queue: z.string().optional(),
  qos: z.string().optional(),
  reservation: z.string().optional(),
  constraint: z.string().optional(),
  exclusive: z.boolean().optional(),
  gpusPerNode: count.optional(),
  memoryMiB: count.optional(),
  modules: z.array(z.string()).optional(),
  preamble: z.array(z.string()).optional(),
  mode: z.enum(['packed', 'array']).optional(),
  maxConcurrent: count.optional(),
});
export type BatchDeclaration = z.infer<typeof BatchDeclaration>;

/** What a model and an ensemble have in common. */
const application = {
  name: z.string(),
  at: Place,
  command: CommandDeclaration,
  params: ParamsDeclaration.optional(),
  attach: z.array(AttachDeclaration),
  colocated: ColocatedDeclaration.optional(),
  mlModels: z.array(MlModelDeclaration),
  keyPrefixing: z.boolean().optional(),
  incoming: z.array(IncomingDeclaration),
  after: z.array(AfterDeclaration),
  batch: BatchDeclaration.optional(),
};

export const ModelDeclaration = z.strictObject({ kind: z.literal('model'), ...application });
export type ModelDeclaration = z.infer<typeof ModelDeclaration>;

export const EnsembleDeclaration = z.strictObject({ kind: z.literal('ensemble'), ...application });
export type EnsembleDeclaration = z.infer<typeof EnsembleDeclaration>;

export const OrchestratorDeclaration = z.strictObject({
  kind: z.literal('orchestrator'),
  at: Place,
  name: z.string(),
  port: z.int().min(1).max(65535).optional(),
  interface: z.string().optional(),
  cpus: count.optional(),
  ...storeLimits,
});
export type OrchestratorDeclaration = z.infer<typeof OrchestratorDeclaration>;

export const EntityDeclaration = z.discriminatedUnion('kind', [
  ModelDeclaration,
  EnsembleDeclaration,
  OrchestratorDeclaration,
]);
export type EntityDeclaration = z.infer<typeof EntityDeclaration>;

/** An entity that launches an application. */
export type ApplicationDeclaration = ModelDeclaration | EnsembleDeclaration;

export const ExperimentDeclaration = z.strictObject({
  kind: z.literal('experiment'),
  at: Place,
  name: z.string(),
  batch: BatchDeclaration.optional(),
  entities: z.array(EntityDeclaration),
});
export type ExperimentDeclaration = z.infer<typeof ExperimentDeclaration>;

/** Models and ensembles, in the order of their declaration. */
export function applicationsOf(experiment: ExperimentDeclaration): ApplicationDeclaration[] {
  return experiment.entities.filter((entity) => entity.kind !== 'orchestrator');
}
