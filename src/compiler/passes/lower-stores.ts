import {
  type ApplicationDeclaration,
  byKind,
  type ColocatedDeclaration,
  type ColocatedStore,
  defined,
  type MlModelDeclaration,
  type OrchestratorDeclaration,
  type PreloadedModel,
  type PreloadedScript,
  type ScriptDeclaration,
  type StandaloneStore,
  type Store,
} from '../../ir/index.js';
import { launcherOf } from '../../targets/target.js';
import type { Artifact, Facts, InspectedModel } from '../inspect/index.js';
import type { Reads, StoreLaunch } from './compilation.js';
import { loadedByStore } from './lookup/loaded-models.js';
import { placeOf } from './lookup/placed-jobs.js';
import { nodesOfStore, shardsOf, suffixOf } from './lookup/visible-stores.js';
import { setupOf } from './lower-entities.js';

/** Input of the plan's stores. */
type Input = Reads<'experiment' | 'facts' | 'jobs' | 'site' | 'target' | 'launchers' | 'storeLaunches'>;

/** The stores of the plan, with the ML models and scripts that they load, in the order of their declaration. */
export function lowerStores(input: Input): Store[] {
  return input.experiment.entities.flatMap((entity) =>
    byKind<Store[]>(entity, {
      orchestrator: (one) => [lowerStandalone(one, input)],
      application: (one) => (one.colocated === undefined ? [] : [lowerColocated(one, one.colocated, input)]),
    }),
  );
}

function lowerStandalone(entity: OrchestratorDeclaration, input: Input): StandaloneStore {
  const { jobs, site, target, launchers } = input;
  const {
    kind: _kind,
    at: _at,
    name,
    port,
    interface: network,
    cpus,
    engine,
    nodes: _nodes,
    apart: _apart,
    ...described
  } = entity;
  const { requires: _requires, setup, batch, restart, saveAtEnd, shards: _shards, replicas, ...limits } = described;
  const place = placeOf(entity, jobs);
  const total = place.job.components.reduce((sum, { allocation }) => sum + allocation.nodes, 0);
  // A store with a job of its own serves other jobs, which may run on other nodes, and a script on a node apart is on another one than the
  // store and its applications, unless there is only one machine.
  const isMetElsewhere = batch !== undefined || launchers[launcherOf(target, site)].scriptApart === true;
  const isAlone = total === 1 && (!isMetElsewhere || target.capabilities.oneNode);
  const loopback = network === undefined ? isAlone : network === 'lo';
  const shards = shardsOf(entity);
  return {
    kind: 'standalone',
    name,
    suffix: suffixOf(name),
    // The embedded engine is one process, so several servers need another engine.
    engine: engine ?? site.engine ?? (shards > 1 ? 'redis' : 'embedded'),
    cpus: cpus ?? 1,
    ...limits,
    ...loadedBy(entity, input),
    shards,
    ...(replicas === 1 && { replicas }),
    nodes: target.capabilities.oneNode ? 1 : nodesOfStore(entity),
    restart: restart ?? false,
    saveAtEnd: saveAtEnd ?? [],
    port: port ?? 0,
    scope: loopback ? 'loopback' : 'network',
    ...defined({ interface: loopback ? undefined : network }),
    group: place.groupIndex,
    ...setupOf(setup),
    ...launchOf(entity, input),
  };
}

function lowerColocated(
  application: ApplicationDeclaration,
  colocated: ColocatedDeclaration,
  input: Input,
): ColocatedStore {
  const { kind: _kind, at: _at, transport, cpus, id, engine, ...limits } = colocated;
  const place = placeOf(application, input.jobs);
  return {
    kind: 'colocated',
    name: application.name,
    suffix: id ?? '',
    engine: engine ?? input.site.engine ?? 'embedded',
    cpus: cpus ?? 1,
    ...limits,
    ...loadedBy(colocated, input),
    transport:
      transport.kind === 'tcp'
        ? { ...transport, port: transport.port ?? 0 }
        : { ...transport, permissions: transport.permissions ?? 0o700 },
    nodes: place.group.nodes,
    group: place.groupIndex,
    ...launchOf(colocated, input),
  };
}

function launchOf(store: OrchestratorDeclaration | ColocatedDeclaration, { storeLaunches }: Input): StoreLaunch {
  return storeLaunches.get(store) as StoreLaunch;
}

function loadedBy(store: object, { experiment, facts }: Input): Pick<Store, 'mlModels' | 'scripts'> {
  const loaded = loadedByStore(experiment).get(store) ?? [];
  return {
    mlModels: unique(loaded.flatMap((one) => (one.kind === 'ml-model' ? [lowerMlModel(one, facts)] : []))),
    scripts: unique(loaded.flatMap((one) => (one.kind === 'script' ? [lowerScript(one, facts)] : []))),
  };
}

/** The items, each name once. */
function unique<Item extends { readonly name: string }>(items: readonly Item[]): Item[] {
  return [...new Map(items.map((item) => [item.name, item])).values()];
}

function lowerMlModel(model: MlModelDeclaration, facts: Facts): PreloadedModel {
  const { artifact, header } = facts.mlModels.get(model) as InspectedModel;
  return {
    name: model.name,
    artifact: artifact.path,
    backend: model.backend,
    device: model.device,
    devicesPerNode: model.devicesPerNode ?? 1,
    firstDevice: model.firstDevice ?? 0,
    batchSize: model.batchSize ?? 0,
    minBatchSize: model.minBatchSize ?? 0,
    minBatchTimeoutMs: model.minBatchTimeoutMs ?? 0,
    tag: model.tag ?? '',
    ...defined({ inputs: model.inputs, outputs: model.outputs }),
    header,
  };
}

function lowerScript(script: ScriptDeclaration, facts: Facts): PreloadedScript {
  return {
    name: script.name,
    artifact: (facts.scripts.get(script) as Artifact).path,
    device: script.device,
    devicesPerNode: script.devicesPerNode ?? 1,
    firstDevice: script.firstDevice ?? 0,
  };
}
