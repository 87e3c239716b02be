import * as z from 'zod';
import { derivedOnce } from './derived.js';
import { LauncherArgs } from './launcher-args.js';
import {
  addModelOptions,
  afterKeyOptions,
  attachOptions,
  batchOptions,
  colocatedOptions,
  containerOptions,
  positive as count,
  mlModelOptions,
  orchestratorOptions,
  ParamValue,
  paramsOptions,
  placementOptions,
  rayOptions,
  requiresOptions,
  setupOptions,
  shapeOf,
  tcpOptions,
  udsOptions,
} from './options/index.js';
import { LauncherName } from './site.js';

/*
 * The workflow as the user wrote it: for each call one frozen node with its place in the user's file.
 */

/** Place of a call in the user's file; `undefined` where the stack did not show it. */
export const Place = z
  .strictObject({ file: z.string(), line: z.int().positive(), column: z.int().positive() })
  .optional();

/** An Apptainer (Singularity) image that a command runs in. */
export const ContainerDeclaration = z.strictObject({
  kind: z.literal('apptainer'),
  at: Place,
  image: z.string().min(1),
  ...shapeOf(containerOptions),
});
export type ContainerDeclaration = z.infer<typeof ContainerDeclaration>;

/** A variable of the submitter's environment, by its name: the value is passed at run time and stands in no file. */
export const EnvReference = z.strictObject({ fromEnvironment: z.string() });
export type EnvReference = z.infer<typeof EnvReference>;

/** Value of a variable of an application: as it is, or by reference. */
export const EnvValue = z.union([z.string(), EnvReference]);
export type EnvValue = z.infer<typeof EnvValue>;

export const CommandDeclaration = z.strictObject({
  kind: z.literal('command'),
  at: Place,
  executable: z.string().min(1),
  args: z.array(z.string()),
  /** Hosts to run on, and hosts not to. */
  hosts: z.array(z.string()).optional(),
  excludeHosts: z.array(z.string()).optional(),
  /** CPUs that the tasks of a node are bound to, in the order of the tasks. */
  cpuBind: z.array(z.int().nonnegative()).optional(),
  launcher: LauncherName.optional(),
  launcherArgs: LauncherArgs.optional(),
  container: ContainerDeclaration.optional(),
  /** Further programs of the same launch (MPMD), each with sizes of its own. */
  get mpmd() {
    return z.array(CommandDeclaration).optional();
  },
  tasks: count.optional(),
  nodes: count.optional(),
  tasksPerNode: count.optional(),
  cpusPerTask: count.optional(),
  gpusPerTask: count.optional(),
  gpusPerNode: count.optional(),
  memoryPerNodeMiB: count.optional(),
  walltimeSeconds: count.optional(),
  env: z.record(z.string(), EnvValue).optional(),
});
export type CommandDeclaration = z.infer<typeof CommandDeclaration>;

export const ParamsDeclaration = z.strictObject({
  kind: z.literal('params'),
  at: Place,
  values: z.record(z.string(), z.union([ParamValue, z.array(ParamValue)])),
  /** `explicit`: the result of a user's own function, with one assignment for each member. */
  strategy: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('all-perm') }),
    z.strictObject({ kind: z.literal('step') }),
    z.strictObject({ kind: z.literal('random'), count: count.optional(), seed: z.int().nonnegative() }),
    z.strictObject({ kind: z.literal('explicit'), assignments: z.array(z.record(z.string(), ParamValue)) }),
  ]),
  asArgs: paramsOptions.asArgs.facts.recorded,
});
export type ParamsDeclaration = z.infer<typeof ParamsDeclaration>;

export const AttachDeclaration = z.strictObject({
  kind: z.literal('attach'),
  at: Place,
  ...shapeOf(attachOptions),
});
export type AttachDeclaration = z.infer<typeof AttachDeclaration>;

export const ColocatedDeclaration = z.strictObject({
  kind: z.literal('colocated'),
  at: Place,
  transport: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('tcp'), ...shapeOf(tcpOptions) }),
    z.strictObject({ kind: z.literal('uds'), ...shapeOf(udsOptions) }),
  ]),
  ...shapeOf(colocatedOptions),
});
export type ColocatedDeclaration = z.infer<typeof ColocatedDeclaration>;

/** Source of the bytes of an ML model. */
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
  ...shapeOf(mlModelOptions),
});
export type MlModelDeclaration = z.infer<typeof MlModelDeclaration>;

/** A TorchScript source. */
export const ScriptSource = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('file'), path: z.string().min(1) }),
  z.strictObject({ kind: z.literal('text'), text: z.string().min(1) }),
]);
export type ScriptSource = z.infer<typeof ScriptSource>;

export const ScriptDeclaration = z.strictObject({
  kind: z.literal('script'),
  at: Place,
  name: z.string(),
  source: ScriptSource,
  ...shapeOf(placementOptions),
});
export type ScriptDeclaration = z.infer<typeof ScriptDeclaration>;

export const Event = z.enum(['started', 'completed', 'failed', 'ended']);
export type Event = z.infer<typeof Event>;

export const AfterDeclaration = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('after'), at: Place, name: z.string(), event: Event }),
  /** Starts when a key exists in a store: `name` has to have started, and writes the key. */
  z.strictObject({
    kind: z.literal('after-key'),
    at: Place,
    name: z.string(),
    ...shapeOf(afterKeyOptions),
  }),
]);
export type AfterDeclaration = z.infer<typeof AfterDeclaration>;

export const IncomingDeclaration = z.strictObject({ kind: z.literal('incoming'), at: Place, name: z.string() });
export type IncomingDeclaration = z.infer<typeof IncomingDeclaration>;

export const BatchDeclaration = z.strictObject({
  kind: z.literal('batch'),
  at: Place,
  ...shapeOf(batchOptions),
});
export type BatchDeclaration = z.infer<typeof BatchDeclaration>;

export const RequiresDeclaration = z.strictObject({
  kind: z.literal('requires'),
  at: Place,
  ...shapeOf(requiresOptions),
});
export type RequiresDeclaration = z.infer<typeof RequiresDeclaration>;

/** Modules to load and lines of shell to run before an entity's launch, in a subshell of their own. */
export const SetupDeclaration = z.strictObject({
  kind: z.literal('setup'),
  at: Place,
  ...shapeOf(setupOptions),
});
export type SetupDeclaration = z.infer<typeof SetupDeclaration>;

export const SharesNodesDeclaration = z.strictObject({ kind: z.literal('shares-nodes'), at: Place, name: z.string() });
export type SharesNodesDeclaration = z.infer<typeof SharesNodesDeclaration>;

/** A Ray cluster that an entity uses. */
export const UsesRayDeclaration = z.strictObject({ kind: z.literal('uses-ray'), at: Place, name: z.string() });
export type UsesRayDeclaration = z.infer<typeof UsesRayDeclaration>;

/** A member added by hand. */
export const AddedModelDeclaration = z.strictObject({
  kind: z.literal('added-model'),
  at: Place,
  name: z.string(),
  command: CommandDeclaration,
  ...shapeOf(addModelOptions),
});
export type AddedModelDeclaration = z.infer<typeof AddedModelDeclaration>;

/** Parts of a model, of an ensemble and of a Ray cluster. */
const application = {
  name: z.string(),
  at: Place,
  command: CommandDeclaration,
  params: ParamsDeclaration.optional(),
  attach: z.array(AttachDeclaration),
  colocated: ColocatedDeclaration.optional(),
  mlModels: z.array(MlModelDeclaration),
  scripts: z.array(ScriptDeclaration),
  requires: RequiresDeclaration.optional(),
  sharesNodesWith: SharesNodesDeclaration.optional(),
  setup: SetupDeclaration.optional(),
  keyPrefixing: z.boolean().optional(),
  incoming: z.array(IncomingDeclaration),
  after: z.array(AfterDeclaration),
  usesRay: UsesRayDeclaration.optional(),
  batch: BatchDeclaration.optional(),
};

export const ModelDeclaration = z.strictObject({ kind: z.literal('model'), ...application });
export type ModelDeclaration = z.infer<typeof ModelDeclaration>;

export const EnsembleDeclaration = z.strictObject({
  kind: z.literal('ensemble'),
  ...application,
  /** Runs of each assignment. */
  replicas: count.optional(),
  /** Members added by hand: an ensemble with such members has no others. */
  added: z.array(AddedModelDeclaration),
});
export type EnsembleDeclaration = z.infer<typeof EnsembleDeclaration>;

/** A Ray cluster: its command starts a program of the runtime on each of its nodes. */
export const RayClusterDeclaration = z.strictObject({
  kind: z.literal('ray-cluster'),
  ...application,
  ray: z.strictObject(shapeOf(rayOptions)),
});
export type RayClusterDeclaration = z.infer<typeof RayClusterDeclaration>;

export const OrchestratorDeclaration = z.strictObject({
  kind: z.literal('orchestrator'),
  at: Place,
  ...shapeOf(orchestratorOptions),
  requires: RequiresDeclaration.optional(),
  setup: SetupDeclaration.optional(),
  /** Makes it a job of its own. */
  batch: BatchDeclaration.optional(),
});
export type OrchestratorDeclaration = z.infer<typeof OrchestratorDeclaration>;

export const EntityDeclaration = z.discriminatedUnion('kind', [
  ModelDeclaration,
  EnsembleDeclaration,
  RayClusterDeclaration,
  OrchestratorDeclaration,
]);
export type EntityDeclaration = z.infer<typeof EntityDeclaration>;

/** An entity that a launcher starts. */
export type ApplicationDeclaration = ModelDeclaration | EnsembleDeclaration | RayClusterDeclaration;

type OtherEntity = Exclude<EntityDeclaration, ApplicationDeclaration>;

/** The answers of each kind of entity to one question; all that launch an application share one. */
type Answers<Answer> = { readonly application: (entity: ApplicationDeclaration) => Answer } & {
  readonly [Kind in OtherEntity['kind']]: (entity: Extract<OtherEntity, { kind: Kind }>) => Answer;
};

/** The answer of an entity. A kind of entity without an answer is an error of types at each call. */
export function byKind<Answer>(entity: EntityDeclaration, answers: Answers<Answer>): Answer {
  switch (entity.kind) {
    case 'model':
    case 'ensemble':
    case 'ray-cluster':
      return answers.application(entity);
    case 'orchestrator':
      return answers.orchestrator(entity);
    default:
      return entity satisfies never;
  }
}

export const ExperimentDeclaration = z.strictObject({
  kind: z.literal('experiment'),
  at: Place,
  name: z.string(),
  batch: BatchDeclaration.optional(),
  entities: z.array(EntityDeclaration),
});
export type ExperimentDeclaration = z.infer<typeof ExperimentDeclaration>;

/** Models, ensembles and Ray clusters, in the order of their declaration. */
export const applicationsOf = derivedOnce(({ entities }: ExperimentDeclaration): readonly ApplicationDeclaration[] =>
  entities.flatMap((entity) => byKind(entity, { application: (one) => [one], orchestrator: () => [] })),
);

/** Members of an application that were added by hand. */
export function addedOf(application: ApplicationDeclaration): readonly AddedModelDeclaration[] {
  switch (application.kind) {
    case 'model':
    case 'ray-cluster':
      return [];
    case 'ensemble':
      return application.added;
    default:
      return application satisfies never;
  }
}

/** Every command of an application: its own or those of its members, and the further programs of each. */
export function commandsOf(application: ApplicationDeclaration): CommandDeclaration[] {
  const added = addedOf(application).map(({ command }) => command);
  const commands = added.length > 0 ? added : [application.command];
  return commands.flatMap((command) => [command, ...(command.mpmd ?? [])]);
}

/** Standalone stores, in the order of their declaration. */
export const orchestratorsOf = derivedOnce(({ entities }: ExperimentDeclaration): readonly OrchestratorDeclaration[] =>
  entities.filter((entity) => entity.kind === 'orchestrator'),
);

/** Ray clusters, in the order of their declaration. */
export const rayClustersOf = derivedOnce(({ entities }: ExperimentDeclaration): readonly RayClusterDeclaration[] =>
  entities.filter((entity) => entity.kind === 'ray-cluster'),
);
