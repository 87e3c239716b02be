import type { Problems } from '../../diagnostics/index.js';
import {
  type ApplicationDeclaration,
  applicationsOf,
  type Entity,
  type EnvValue,
  type Event,
  type ExperimentDeclaration,
  graceOf,
  type Job,
  memberName,
  type Plan,
  planVersion,
  type SetupDeclaration,
  type Site,
  type StagedFile,
} from '../../ir/index.js';
import type { Facts } from '../inspect/index.js';
import type { Sized } from './allocate.js';
import { attachedFiles } from './check-files.js';
import { awaitedStore } from './check-keys.js';
import { visibleStores } from './check-stores.js';
import { lowerStores } from './lower-stores.js';
import { jobsBefore, type PlacedJob, placeOf } from './placed-jobs.js';
import { programWords } from './program-words.js';
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
    entities,
  };
}

function lowerEntity(application: ApplicationDeclaration, input: LowerInput, problems: Problems): Entity {
  const { experiment, sized, facts, jobs } = input;
  const { size, members, launches } = sized.get(application) as Sized;
  const applications = applicationsOf(experiment);
  const planned = (name: string) => plannedNames(name, applications);
  const incoming = [...new Set(application.incoming.flatMap(({ name }) => planned(name)))];
  checkIncoming(application, incoming, input, problems);
  const place = placeOf(application, jobs);
  const files = (input.launcherFiles.get(application) ?? []).map(
    ({ to, artifact }): StagedFile => ({ kind: 'copy', artifact, to, mode: 0o644 }),
  );
  const attached = attachedFiles(application, facts);
  const numberIn = attached.find((file) => 'namesNumber' in file && file.namesNumber);
  const { sharesNodesWith } = application;
  // Beside the entity whose colocated store it sees, that entity's ML models and scripts are its own too.
  const host = sharesNodesWith === undefined ? undefined : entityOf(sharesNodesWith.name, applications);
  const givers = [application, ...(host?.colocated === undefined ? [] : [host])];
  return {
    kind: application.kind,
    name: application.name,
    job: place?.job.name ?? experiment.name,
    members,
    commands: launches.map(({ programs }) =>
      programs.map(({ command, size: { tasks } }) => ({ words: programWords(command), tasks })),
    ),
    ...(application.setup === undefined ? {} : { setup: setupOf(application.setup) }),
    mlModels: namesOf(givers.flatMap((giver) => giver.mlModels)),
    scripts: namesOf(givers.flatMap((giver) => giver.scripts)),
    asArgs: application.params?.asArgs ?? [],
    files: [...attached.map(lowerFile), ...files],
    ...(numberIn === undefined ? {} : { numberIn: numberIn.to }),
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
    component: place?.index ?? 0,
    stores: visibleStores(experiment, application).map(({ name }) => name),
    size: {
      nodes: size.nodes,
      tasks: size.tasks,
      cpusPerTask: size.cpusPerTask,
      ...(size.walltimeSeconds === undefined ? {} : { walltimeSeconds: size.walltimeSeconds }),
    },
  };
}

function namesOf(items: readonly { readonly name: string }[]): string[] {
  return [...new Set(items.map(({ name }) => name))];
}

function setupOf({ modules, commands }: SetupDeclaration): NonNullable<Entity['setup']> {
  return { modules, commands };
}

/** Programs of one launch share an environment. */
function environmentOf({ programs }: Sized['launches'][0]): Record<string, EnvValue> {
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
    graceSeconds: graceOf(allocation.walltimeSeconds ?? 0),
    ...(job.array === undefined ? {} : { array: job.array }),
    ...(job.separate === undefined ? {} : { separate: job.separate }),
    modules: [...site.modules, ...(job.batch?.modules ?? [])],
    preamble: [...site.preamble, ...(job.batch?.preamble ?? [])],
    stores: [...job.orchestrators.map(({ name }) => name), ...colocated],
    entities: job.applications.map(({ name }) => name),
    after: jobEvents(job, jobs, applications),
  };
}

/** What a job waits for of others: the strictest of what their applications wait for; of a store's job, that it runs. */
function jobEvents(
  job: PlacedJob,
  jobs: readonly PlacedJob[],
  applications: readonly ApplicationDeclaration[],
): Job['after'] {
  const events = new Map<PlacedJob, Set<Event>>();
  for (const after of job.applications.flatMap((one) => one.after)) {
    const entity = entityOf(after.name, applications);
    const other = entity === undefined ? undefined : placeOf(entity, jobs)?.job;
    if (other === undefined) continue;
    const known = events.get(other) ?? new Set();
    events.set(other, known.add(after.kind === 'after' ? after.event : 'started'));
  }
  return jobsBefore(job, jobs, applications).map((other) => {
    const strictest = (['completed', 'failed', 'ended', 'started'] as const).find((one) => events.get(other)?.has(one));
    return { job: other.name, event: strictest ?? 'started' };
  });
}
