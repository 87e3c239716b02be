import {
  type ApplicationDeclaration,
  applicationsOf,
  defined,
  type Entity,
  type EnvValue,
  hasNumbers,
  type Launch,
  type RayCluster,
  type SetupDeclaration,
  type Site,
  type StagedFile,
} from '../../ir/index.js';
import type { AttachedFile } from '../inspect/index.js';
import type { Reads, Sized, SizedLaunch, StepSize } from './compilation.js';
import { attachedFiles } from './lookup/attached-files.js';
import { placeOf } from './lookup/placed-jobs.js';
import { programWords } from './lookup/program-words.js';
import { entityOf, incomingNames, plannedNames } from './lookup/references.js';
import { awaitedStore, type VisibleStore, visibleStores } from './lookup/visible-stores.js';

/** A model, an ensemble or a Ray cluster of the plan. */
export function lowerEntity(
  application: ApplicationDeclaration,
  {
    experiment,
    site,
    sized,
    facts,
    jobs,
    launches: launchOf,
    launcherFiles,
  }: Reads<'experiment' | 'site' | 'sized' | 'facts' | 'jobs' | 'launches' | 'launcherFiles'>,
): Entity {
  const { size, members, launches } = sized.get(application) as Sized;
  const applications = applicationsOf(experiment);
  const planned = (name: string) => plannedNames(name, applications);
  const place = placeOf(application, jobs);
  const files = (launcherFiles.get(application) ?? []).map(
    ({ to, artifact }): StagedFile => ({ kind: 'copy', artifact: artifact.path, to, mode: 0o644 }),
  );
  const attached = attachedFiles(application, facts);
  const numberIn = attached.find((file) => 'namesNumber' in file && file.namesNumber);
  const { sharesNodesWith } = application;
  // An application that shares an entity's colocated store has that entity's ML models and scripts too.
  const host = sharesNodesWith === undefined ? undefined : entityOf(sharesNodesWith.name, applications);
  const givers = [application, ...(host?.colocated === undefined ? [] : [host])];
  return {
    kind: application.kind,
    name: application.name,
    job: place.job.name,
    members,
    commands: launches.map(({ programs }) =>
      programs.map(({ command, size: { tasks } }) => ({ words: programWords(command), tasks })),
    ),
    launch: withSizes(launchOf.get(application) as Launch, launches),
    ...setupOf(application.setup),
    mlModels: namesOf(givers.flatMap((giver) => giver.mlModels)),
    scripts: namesOf(givers.flatMap((giver) => giver.scripts)),
    asArgs: application.params?.asArgs ?? [],
    files: [...attached.map(lowerFile), ...files],
    ...defined({ numberIn: numberIn?.to }),
    env: launches.length > 1 ? {} : environmentOf(launches[0]),
    ...(launches.length > 1 ? { memberEnv: launches.map(environmentOf) } : {}),
    keyPrefixing: application.keyPrefixing ?? hasNumbers(application),
    incoming: incomingNames(application, applications),
    after: application.after.flatMap((after): Entity['after'] => {
      if (after.kind === 'after') return planned(after.name).map((name) => ({ name, event: after.event }));
      const store = (awaitedStore(experiment, application, after) as VisibleStore).name;
      return planned(after.name).map((name) => ({ name, key: after.key, store }));
    }),
    ...defined({ ray: rayOf(application, site), usesRay: application.usesRay?.name }),
    ...defined({ sharesNodesWith: sharesNodesWith?.name }),
    group: place.groupIndex,
    stores: visibleStores(experiment, application).map(({ name }) => name),
    size: lowerSize(size),
  };
}

/** Facts of a Ray cluster; undefined for every other application. */
function rayOf(application: ApplicationDeclaration, site: Site): RayCluster | undefined {
  if (application.kind !== 'ray-cluster') return undefined;
  const { nodes: _nodes, cpusPerNode: _cpusPerNode, python = site.python ?? 'python3', ...ray } = application.ray;
  const { cpusPerTask, gpusPerNode = 0 } = application.command;
  return { ...ray, ...defined({ cpusPerNode: cpusPerTask }), gpusPerNode, python };
}

/** The launch, with the size of each line where members added by hand have lines of their own. */
function withSizes(launch: Launch, launches: readonly SizedLaunch[]): Launch {
  if (launches.length === 1) return launch;
  const lines = launch.lines.map((line, index) => ({
    ...line,
    size: lowerSize((launches[index] as SizedLaunch).size),
  }));
  return { ...launch, lines };
}

function lowerSize({ nodes, tasks, tasksPerNode, cpusPerTask, ...size }: StepSize): Entity['size'] {
  const { gpusPerTask, memoryPerNodeMiB, walltimeSeconds } = size;
  const gpusPerNode = size.gpusPerNode ?? (gpusPerTask === undefined ? undefined : gpusPerTask * tasksPerNode);
  return { nodes, tasks, tasksPerNode, cpusPerTask, ...defined({ gpusPerNode, memoryPerNodeMiB, walltimeSeconds }) };
}

function namesOf(items: readonly { readonly name: string }[]): string[] {
  return [...new Set(items.map(({ name }) => name))];
}

/** The setup of an application or a store, if it has one. */
export function setupOf(setup: SetupDeclaration | undefined): Pick<Entity, 'setup'> {
  return setup === undefined ? {} : { setup: { modules: setup.modules, commands: setup.commands } };
}

/** The environment of a launch, which all its programs share. */
function environmentOf({ programs }: SizedLaunch): Record<string, EnvValue> {
  return Object.assign({}, ...[...programs].reverse().map(({ command }) => command.env ?? {}));
}

function lowerFile(file: AttachedFile): StagedFile {
  const { to } = file;
  switch (file.kind) {
    case 'directory':
      return { kind: 'directory', to };
    case 'symlink':
      return typeof file.target === 'string'
        ? { kind: 'symlink', target: file.target, inPlan: false, to }
        : { kind: 'symlink', target: file.target.path, inPlan: true, to };
    case 'copy':
      return { kind: 'copy', artifact: file.artifact.path, to, mode: file.mode };
    case 'configure':
      return { kind: 'configure', artifact: file.artifact.path, to, mode: file.mode, tag: file.attach.tag };
    default:
      return file satisfies never;
  }
}
