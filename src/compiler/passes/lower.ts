import { createHash } from 'node:crypto';
import type { Problems } from '../../diagnostics/index.js';
import {
  type ApplicationDeclaration,
  applicationsOf,
  type ColocatedStore,
  type Entity,
  type ExperimentDeclaration,
  type Job,
  type MlModelDeclaration,
  memberName,
  type Plan,
  type PreloadedModel,
  type PreloadedScript,
  planVersion,
  type ScriptDeclaration,
  type Site,
  type StagedFile,
  type StandaloneStore,
  type Store,
} from '../../ir/index.js';
import type { Facts } from '../inspect/index.js';
import type { Sized } from './allocate.js';
import { attachedFiles } from './check-files.js';
import { awaitedStore } from './check-keys.js';
import { shardsOf, storesOfModel, suffixOf, visibleStores } from './check-stores.js';
import { jobsBefore, type PlacedComponent, type PlacedJob } from './place-jobs.js';
import { entityOf, plannedNames } from './references.js';

/** A file that a launcher reads, in an entity's directory. */
export interface LauncherFile {
  readonly to: string;
  readonly artifact: string;
}

/** What the plan is made of. */
export interface LowerInput {
  readonly experiment: ExperimentDeclaration;
  /** The workflow's file name, without its folder. */
  readonly workflow: string;
  readonly version: string;
  readonly site: Site;
  readonly facts: Facts;
  readonly sized: ReadonlyMap<ApplicationDeclaration, Sized>;
  readonly jobs: readonly PlacedJob[];
  /** There is one machine, and everything runs on it. */
  readonly oneNode: boolean;
  readonly launcherFiles: ReadonlyMap<ApplicationDeclaration, readonly LauncherFile[]>;
  readonly scriptOf: (job: PlacedJob) => string;
}

/** The plan: everything the runtime needs, and nothing of the machine it was compiled on. */
export function lower(input: LowerInput, problems: Problems): Plan {
  const { experiment, site, jobs } = input;
  const applications = applicationsOf(experiment);
  const entities = applications.map((application) => lowerEntity(application, input, problems));
  return {
    version: planVersion,
    simwright: input.version,
    experiment: experiment.name,
    workflow: input.workflow,
    site: site.name,
    target: site.target,
    ...(site.runtimePath === undefined ? {} : { runtimePath: site.runtimePath }),
    ...(site.networkInterface === undefined ? {} : { networkInterface: site.networkInterface }),
    jobs: jobs.map((job) => lowerJob(job, input, applications)),
    stores: lowerStores(input),
    entities: withDigests(entities, applications, input),
  };
}

function lowerEntity(application: ApplicationDeclaration, input: LowerInput, problems: Problems): Entity {
  const { experiment, sized, facts, jobs } = input;
  const { size, members, launches } = sized.get(application) as Sized;
  const applications = applicationsOf(experiment);
  const planned = (name: string) => plannedNames(name, applications);
  const incoming = [...new Set(application.incoming.flatMap(({ name }) => planned(name)))];
  checkIncoming(application, incoming, input, problems);
  const job = jobs.find((one) => one.applications.includes(application));
  const files = (input.launcherFiles.get(application) ?? []).map(
    ({ to, artifact }): StagedFile => ({ kind: 'copy', artifact, to, mode: 0o644 }),
  );
  const { sharesNodesWith } = application;
  return {
    kind: application.kind,
    name: application.name,
    job: job?.name ?? experiment.name,
    members,
    asArgs: application.params?.asArgs ?? [],
    files: [...attachedFiles(application, facts).map(lowerFile), ...files],
    env: launches.length > 1 ? {} : environmentOf(launches[0]),
    ...(launches.length > 1 ? { memberEnv: launches.map(environmentOf) } : {}),
    keyPrefixing: application.keyPrefixing ?? application.kind === 'ensemble',
    incoming,
    after: application.after.flatMap((after): Entity['after'] => {
      if (after.kind === 'after') return planned(after.name).map((name) => ({ name, event: after.event }));
      const store = awaitedStore(experiment, application, after)?.name ?? '';
      return planned(after.name).map((name) => ({ name, key: after.key, store }));
    }),
    ...(sharesNodesWith === undefined ? {} : { sharesNodesWith: sharesNodesWith.name }),
    component: Math.max(0, job?.components.findIndex((one) => one.applications.includes(application)) ?? 0),
    stores: visibleStores(experiment, application).map(({ name }) => name),
    size: {
      nodes: size.nodes,
      tasks: size.tasks,
      cpusPerTask: size.cpusPerTask,
      ...(size.walltimeSeconds === undefined ? {} : { walltimeSeconds: size.walltimeSeconds }),
    },
    digest: '',
  };
}

/** Programs of one launch share an environment. */
function environmentOf({ programs }: Sized['launches'][0]): Record<string, string> {
  return Object.assign({}, ...[...programs].reverse().map(({ command }) => command.env ?? {}));
}

function lowerFile(file: ReturnType<typeof attachedFiles>[number]): StagedFile {
  if (file.kind === 'directory') return { kind: 'directory', to: file.to };
  if (file.kind === 'symlink') {
    const { target, to } = file;
    return typeof target === 'string'
      ? { kind: 'symlink', target, inPlan: false, to }
      : { kind: 'symlink', target: target.path, inPlan: true, to };
  }
  const { to, mode } = file;
  if (file.kind === 'copy') return { kind: 'copy', artifact: file.artifact.path, to, mode };
  return { kind: 'configure', artifact: file.artifact.path, to, mode, tag: file.attach.tag };
}

/** Linux limits one variable to 128 KiB, its name included (MAX_ARG_STRLEN). */
const longestVariable = 128 * 1024 - 64;

function checkIncoming(
  application: ApplicationDeclaration,
  names: readonly string[],
  input: LowerInput,
  problems: Problems,
): void {
  const all = applicationsOf(input.experiment);
  const bytes = names.reduce((sum, name) => {
    const entity = entityOf(name, all);
    if (entity === undefined || name === application.name || name !== entity.name || entity.kind === 'model')
      return sum + name.length + 1;
    const count = input.sized.get(entity)?.members.count ?? 1;
    return sum + count * (memberName(entity, count - 1).length + 1);
  }, 0);
  if (bytes <= longestVariable) return;
  const message = `SSKEYIN of '${application.name}' would have ${bytes} bytes, and one variable holds at most ${longestVariable}`;
  const hint = 'register the members that it reads, or pass prefixes by a file of its own';
  problems.error('REF1003', message, application.incoming[0]?.at, hint);
}

function lowerStores(input: LowerInput): Store[] {
  const { experiment, facts, jobs, site } = input;
  const applications = applicationsOf(experiment);
  const loadedBy = (store: object) => ({
    mlModels: unique(
      applications
        .flatMap((one) => one.mlModels.filter((model) => isLoadedBy(experiment, one, model, store)))
        .map((model) => lowerMlModel(model, facts)),
    ),
    scripts: unique(
      applications
        .flatMap((one) => one.scripts.filter((script) => isLoadedBy(experiment, one, script, store)))
        .map((script) => lowerScript(script, facts)),
    ),
  });
  const componentOf = (isIn: (component: PlacedComponent) => boolean) =>
    jobs.flatMap(({ components }) => components).find(isIn);
  return experiment.entities.flatMap((entity): Store[] => {
    if (entity.kind === 'orchestrator') {
      const {
        kind: _kind,
        at: _at,
        name,
        port,
        interface: network,
        cpus,
        engine,
        nodes: _nodes,
        ...described
      } = entity;
      const { requires: _requires, setup: _setup, batch, restart, saveAtEnd, shards: _shards, ...limits } = described;
      const job = jobs.find(({ orchestrators }) => orchestrators.includes(entity));
      const total = job?.components.reduce((sum, { allocation }) => sum + allocation.nodes, 0) ?? 1;
      // A job of its own serves other jobs, which may be on other nodes; on one machine, all are on its node.
      const isAlone = total === 1 && (batch === undefined || input.oneNode);
      const loopback = network === undefined ? isAlone : network === 'lo';
      const scope = loopback ? ('loopback' as const) : ('network' as const);
      const reach = loopback || network === undefined ? { scope } : { scope, interface: network };
      const shards = shardsOf(entity);
      const common = {
        name,
        suffix: suffixOf(name),
        // A store of several servers is beyond one process.
        engine: engine ?? site.engine ?? (shards > 1 ? ('redis' as const) : ('embedded' as const)),
        cpus: cpus ?? 1,
        ...limits,
        ...loadedBy(entity),
        shards,
        restart: restart ?? false,
        saveAtEnd: saveAtEnd ?? [],
      };
      return [{ kind: 'standalone', ...common, port: port ?? 0, ...reach } satisfies StandaloneStore];
    }
    if (entity.colocated === undefined) return [];
    const { kind: _kind, at: _at, transport, cpus, id, engine, ...limits } = entity.colocated;
    const nodes = componentOf(({ applications: one }) => one.includes(entity))?.allocation.nodes ?? 1;
    const common = {
      name: entity.name,
      suffix: id ?? '',
      engine: engine ?? site.engine ?? ('embedded' as const),
      cpus: cpus ?? 1,
      ...limits,
      ...loadedBy(entity.colocated),
    };
    const lowered =
      transport.kind === 'tcp'
        ? { ...transport, port: transport.port ?? 0 }
        : { ...transport, permissions: transport.permissions ?? 0o700 };
    return [{ kind: 'colocated', ...common, transport: lowered, nodes } satisfies ColocatedStore];
  });
}

function isLoadedBy(
  experiment: ExperimentDeclaration,
  application: ApplicationDeclaration,
  loaded: MlModelDeclaration | ScriptDeclaration,
  store: object,
): boolean {
  return storesOfModel(experiment, application, loaded).some(({ declaration }) => declaration === store);
}

/** Each name once. */
function unique<Item extends { readonly name: string }>(items: readonly Item[]): Item[] {
  return [...new Map(items.map((item) => [item.name, item])).values()];
}

function lowerMlModel(model: MlModelDeclaration, facts: Facts): PreloadedModel {
  return {
    name: model.name,
    artifact: facts.mlModels.get(model)?.artifact.path ?? '',
    backend: model.backend,
    device: model.device,
    devicesPerNode: model.devicesPerNode ?? 1,
    firstDevice: model.firstDevice ?? 0,
    batchSize: model.batchSize ?? 0,
    minBatchSize: model.minBatchSize ?? 0,
    minBatchTimeoutMs: model.minBatchTimeoutMs ?? 0,
    tag: model.tag ?? '',
    ...(model.inputs === undefined ? {} : { inputs: model.inputs }),
    ...(model.outputs === undefined ? {} : { outputs: model.outputs }),
  };
}

function lowerScript(script: ScriptDeclaration, facts: Facts): PreloadedScript {
  return {
    name: script.name,
    artifact: facts.scripts.get(script)?.path ?? '',
    device: script.device,
    devicesPerNode: script.devicesPerNode ?? 1,
    firstDevice: script.firstDevice ?? 0,
  };
}

/** Part of the walltime that is kept for ending in order, at most a minute. */
function graceOf(walltimeSeconds: number | undefined): number {
  return walltimeSeconds === undefined ? 0 : Math.min(60, Math.floor(walltimeSeconds / 10));
}

function lowerJob(job: PlacedJob, input: LowerInput, applications: readonly ApplicationDeclaration[]): Job {
  const { site, jobs } = input;
  const colocated = job.applications.filter((one) => one.colocated !== undefined).map(({ name }) => name);
  const [{ allocation }, ...components] = job.components;
  const { mail, directives } = job.batch ?? {};
  return {
    name: job.name,
    script: input.scriptOf(job),
    allocation,
    components: components.map((component) => component.allocation),
    ...(mail === undefined ? {} : { mail }),
    ...(directives === undefined ? {} : { directives }),
    graceSeconds: graceOf(allocation.walltimeSeconds),
    ...(job.array === undefined ? {} : { array: job.array }),
    ...(job.separate === undefined ? {} : { separate: job.separate }),
    modules: [...site.modules, ...(job.batch?.modules ?? [])],
    preamble: [...site.preamble, ...(job.batch?.preamble ?? [])],
    stores: [...job.orchestrators.map(({ name }) => name), ...colocated],
    entities: job.applications.map(({ name }) => name),
    after: jobsBefore(job, jobs, applications).map((other) => ({
      job: other.name,
      event: jobEvent(job, other, applications),
    })),
  };
}

/** What one job waits for of another: the strictest of what their applications wait for; of a store's job, that it runs. */
function jobEvent(job: PlacedJob, other: PlacedJob, applications: readonly ApplicationDeclaration[]) {
  if (other.applications.length === 0) return 'started';
  const events = job.applications
    .flatMap(({ after }) => after)
    .filter(({ name }) => other.applications.includes(entityOf(name, applications) as ApplicationDeclaration))
    .map((after) => (after.kind === 'after' ? after.event : 'started'));
  return (['completed', 'failed', 'ended', 'started'] as const).find((event) => events.includes(event)) ?? 'completed';
}

/**
 * Gives each entity a digest over what it is made of: its command, parameters and files, the ML models it sees, and the same of every
 * entity it waits for or reads. An entity is run again when its digest has changed.
 */
function withDigests(
  entities: readonly Entity[],
  applications: readonly ApplicationDeclaration[],
  input: LowerInput,
): Entity[] {
  const models = lowerStores(input);
  const own = new Map(
    entities.map((entity) => {
      const application = applications.find(({ name }) => name === entity.name);
      const { command, setup } = application ?? {};
      const added = application?.kind === 'ensemble' ? application.added.map((one) => one.command) : [];
      const { job: _job, component: _component, ...rest } = entity;
      const seen = models
        .filter(({ name }) => entity.stores.includes(name))
        .map(({ mlModels, scripts }) => [mlModels, scripts]);
      return [entity.name, digest([rest, command, added, setup, seen])] as const;
    }),
  );
  const reach = (name: string, found: Set<string>): Set<string> => {
    const entity = entities.find((one) => one.name === name);
    if (entity === undefined || found.has(name)) return found;
    found.add(name);
    for (const next of [...entity.after.map((after) => after.name), ...entity.incoming]) {
      reach(entityOf(next, applications)?.name ?? next, found);
    }
    return found;
  };
  return entities.map((entity) => {
    const made = [...reach(entity.name, new Set())].filter((name) => name !== entity.name).sort();
    return { ...entity, digest: digest([own.get(entity.name), made.map((name) => own.get(name))]) };
  });
}

function digest(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value, withoutPlace)).digest('hex').slice(0, 16);
}

/** Where something is declared does not change what it is. Parameters and variables named so are no objects. */
function withoutPlace(key: string, value: unknown): unknown {
  return key === 'at' && typeof value === 'object' ? undefined : value;
}
