import type {
  ColocatedStore,
  MlModelDeclaration,
  PreloadedModel,
  PreloadedScript,
  ScriptDeclaration,
  StandaloneStore,
  Store,
} from '../../ir/index.js';
import type { Facts } from '../inspect/index.js';
import { loadedByStore, shardsOf, suffixOf } from './check-stores.js';
import type { LowerInput } from './lower.js';
import { placeOf } from './placed-jobs.js';

/** The stores with the ML models and scripts that they load, in the order of their declaration. */
export function lowerStores(input: LowerInput): Store[] {
  const { experiment, facts, jobs, site } = input;
  const loadedBy = (store: object) => {
    const loaded = loadedByStore(experiment).get(store) ?? [];
    return {
      mlModels: unique(loaded.flatMap((one) => (one.kind === 'ml-model' ? [lowerMlModel(one, facts)] : []))),
      scripts: unique(loaded.flatMap((one) => (one.kind === 'script' ? [lowerScript(one, facts)] : []))),
    };
  };
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
      const job = placeOf(entity, jobs)?.job;
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
    const nodes = placeOf(entity, jobs)?.component.allocation.nodes ?? 1;
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
