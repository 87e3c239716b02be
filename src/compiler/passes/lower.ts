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
  planVersion,
  type Site,
  type StagedFile,
  type StandaloneStore,
  type Store,
} from '../../ir/index.js';
import type { Facts } from '../inspect/index.js';
import { attachedFiles } from './check-files.js';
import { entityOf } from './check-names.js';
import { storesOfModel, suffixOf, visibleStores } from './check-stores.js';
import { jobsBefore, type PlacedJob, type Sized } from './place-jobs.js';

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
  const { size, members } = sized.get(application) as Sized;
  const incoming = [...new Set(application.incoming.map(({ name }) => name))];
  checkIncoming(application, incoming, input, problems);
  return {
    kind: application.kind,
    name: application.name,
    job: jobs.find((job) => job.applications.includes(application))?.name ?? experiment.name,
    members,
    asArgs: application.params?.asArgs ?? [],
    files: attachedFiles(application, facts).map(lowerFile),
    env: application.command.env ?? {},
    keyPrefixing: application.keyPrefixing ?? application.kind === 'ensemble',
    incoming,
    after: application.after.map(({ name, event }) => ({ name, event })),
    stores: visibleStores(experiment, application).map((store) =>
      store.kind === 'standalone' ? store.declaration.name : application.name,
    ),
    size: {
      nodes: size.nodes,
      tasks: size.tasks,
      cpusPerTask: size.cpusPerTask,
      ...(size.walltimeSeconds === undefined ? {} : { walltimeSeconds: size.walltimeSeconds }),
    },
    digest: '',
  };
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

function lowerStores({ experiment, facts, jobs }: LowerInput): Store[] {
  const applications = applicationsOf(experiment);
  const modelsOf = (isLoadedBy: (application: ApplicationDeclaration, model: MlModelDeclaration) => boolean) => {
    const models = new Map<string, PreloadedModel>();
    for (const application of applications) {
      for (const model of application.mlModels) {
        if (isLoadedBy(application, model)) models.set(model.name, lowerMlModel(model, facts));
      }
    }
    return [...models.values()];
  };
  const home = jobs.find((job) => job.applications.some(({ batch }) => batch === undefined)) ?? jobs[0];
  return experiment.entities.flatMap((entity): Store[] => {
    if (entity.kind === 'orchestrator') {
      const { kind: _kind, at: _at, name, port, interface: network, cpus, ...limits } = entity;
      const loopback = network === undefined ? home?.allocation.nodes === 1 : network === 'lo';
      const mlModels = modelsOf((application, model) =>
        storesOfModel(experiment, application, model).some(({ declaration }) => declaration === entity),
      );
      const scope = loopback ? ('loopback' as const) : ('network' as const);
      const reach = loopback || network === undefined ? { scope } : { scope, interface: network };
      const common = {
        name,
        suffix: suffixOf(name),
        engine: 'embedded' as const,
        cpus: cpus ?? 1,
        ...limits,
        mlModels,
      };
      return [{ kind: 'standalone', ...common, port: port ?? 0, ...reach } satisfies StandaloneStore];
    }
    if (entity.colocated === undefined) return [];
    const { kind: _kind, at: _at, transport, cpus, id, ...limits } = entity.colocated;
    const mlModels = modelsOf(
      (application, model) =>
        application === entity &&
        storesOfModel(experiment, application, model).some(({ declaration }) => declaration === entity.colocated),
    );
    const nodes = jobs.find((job) => job.applications.includes(entity))?.allocation.nodes ?? 1;
    const common = {
      name: entity.name,
      suffix: id ?? '',
      engine: 'embedded' as const,
      cpus: cpus ?? 1,
      ...limits,
      mlModels,
    };
    const lowered =
      transport.kind === 'tcp'
        ? { kind: 'tcp' as const, port: transport.port ?? 0 }
        : {
            kind: 'uds' as const,
            ...(transport.socket === undefined ? {} : { socket: transport.socket }),
            permissions: transport.permissions ?? 0o700,
          };
    return [{ kind: 'colocated', ...common, transport: lowered, nodes } satisfies ColocatedStore];
  });
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
  };
}

/** Part of the walltime that is kept for ending in order, at most a minute. */
function graceOf(walltimeSeconds: number | undefined): number {
  return walltimeSeconds === undefined ? 0 : Math.min(60, Math.floor(walltimeSeconds / 10));
}

function lowerJob(job: PlacedJob, input: LowerInput, applications: readonly ApplicationDeclaration[]): Job {
  const { experiment, site, jobs } = input;
  const isHome = job.applications.some(({ batch }) => batch === undefined);
  const standalone = experiment.entities.filter((entity) => entity.kind === 'orchestrator').map(({ name }) => name);
  const colocated = job.applications.filter((one) => one.colocated !== undefined).map(({ name }) => name);
  return {
    name: job.name,
    script: input.scriptOf(job),
    allocation: job.allocation,
    graceSeconds: graceOf(job.allocation.walltimeSeconds),
    ...(job.array === undefined ? {} : { array: job.array }),
    modules: [...site.modules, ...(job.batch?.modules ?? [])],
    preamble: [...site.preamble, ...(job.batch?.preamble ?? [])],
    stores: [...(isHome ? standalone : []), ...colocated],
    entities: job.applications.map(({ name }) => name),
    after: jobsBefore(job, jobs, applications).map((other) => ({
      job: other.name,
      event: jobEvent(job, other, applications),
    })),
  };
}

/** What one job waits for of another: the strictest of what their applications wait for. */
function jobEvent(job: PlacedJob, other: PlacedJob, applications: readonly ApplicationDeclaration[]) {
  const events = job.applications
    .flatMap(({ after }) => after)
    .filter(({ name }) => other.applications.includes(entityOf(name, applications) as ApplicationDeclaration))
    .map(({ event }) => event);
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
      const { at: _at, ...command } = application?.command ?? { at: undefined };
      const { job: _job, ...rest } = entity;
      const seen = models.filter(({ name }) => entity.stores.includes(name)).map(({ mlModels }) => mlModels);
      return [entity.name, digest([rest, command, seen])] as const;
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
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 16);
}
