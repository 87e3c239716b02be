import { type Problems, suggestion } from '../../../diagnostics/index.js';
import {
  type ApplicationDeclaration,
  applicationsOf,
  type ExperimentDeclaration,
  engines,
  orchestratorsOf,
  serversOnNode,
} from '../../../ir/index.js';
import type { Reads } from '../compilation.js';
import { callOf, type Loaded, storesOfModel } from '../lookup/loaded-models.js';
import {
  nodesOfStore,
  shardsOf,
  sizeOf,
  storeName,
  type VisibleStore,
  visibleStores,
} from '../lookup/visible-stores.js';

/** Every application can tell its stores apart, and every ML model and script has a store that loads it. */
export function checkStores({ experiment }: Reads<'experiment'>, problems: Problems): void {
  for (const application of applicationsOf(experiment)) {
    const visible = visibleStores(experiment, application);
    const bySuffix = new Map<string, VisibleStore>();
    for (const store of visible) {
      const other = bySuffix.get(store.suffix);
      bySuffix.set(store.suffix, other ?? store);
      if (other === undefined) continue;
      const [place, hint] =
        other.kind === 'colocated'
          ? [other.declaration.at, "give the colocated store an id: .colocate({ …, id: 'local' })"]
          : [store.declaration.at, 'give one of them a name of its own'];
      const which = store.suffix === '' ? 'two stores without a name' : `two stores named '${store.suffix}'`;
      problems.error('STORE1001', `${application.kind} '${application.name}' would see ${which}`, place, hint);
    }
    checkLoaded(experiment, application, visible, problems);
  }
  checkSharedModels(experiment, problems);
  checkSockets(experiment, problems);
  checkShards(experiment, problems);
  checkSharedStores(experiment, problems);
}

/** Several entities may give a store an ML model or script of the same name only if it is the same one. */
function checkSharedModels(experiment: ExperimentDeclaration, problems: Problems): void {
  const first = new Map<string, { readonly application: ApplicationDeclaration; readonly model: Loaded }>();
  for (const application of applicationsOf(experiment)) {
    for (const model of [...application.mlModels, ...application.scripts]) {
      for (const store of storesOfModel(experiment, application, model)) {
        const key = JSON.stringify([store.name, model.kind, model.name]);
        const other = first.get(key);
        if (other === undefined) first.set(key, { application, model });
        else if (other.application !== application && !sameModel(other.model, model)) {
          const message = `${callOf(model)}: '${other.application.name}' gives store '${store.name}' another ${kindOf(model)} of that name`;
          problems.error(
            'DSL1003',
            message,
            model.at,
            'give one of them another name, or both the same source and options',
          );
        }
      }
    }
  }
}

function sameModel(a: Loaded, b: Loaded): boolean {
  const plain = ({ at: _at, orchestrator: _orchestrator, source: _source, ...options }: Loaded) =>
    JSON.stringify(Object.entries(options).sort(([one], [other]) => (one < other ? -1 : 1)));
  return plain(a) === plain(b) && sameSource(a.source, b.source);
}

function sameSource(a: Loaded['source'], b: Loaded['source']): boolean {
  if (a.kind === 'bytes') return b.kind === 'bytes' && (a.bytes === b.bytes || Buffer.compare(a.bytes, b.bytes) === 0);
  return JSON.stringify(a) === JSON.stringify(b);
}

function kindOf({ kind }: Loaded): string {
  return kind === 'ml-model' ? 'ML model' : 'script';
}

function checkLoaded(
  experiment: ExperimentDeclaration,
  application: ApplicationDeclaration,
  visible: readonly VisibleStore[],
  problems: Problems,
): void {
  const seen = new Set<string>();
  for (const model of [...application.mlModels, ...application.scripts]) {
    if (storesOfModel(experiment, application, model).length === 0) {
      const message =
        model.orchestrator === undefined
          ? `${callOf(model)}: '${application.name}' has no store that could load it`
          : `${callOf(model)}: '${application.name}' sees no store named '${model.orchestrator}'`;
      const hint =
        model.orchestrator === undefined
          ? 'open one with .orchestrator(), or give the entity its own with .colocate()'
          : suggestion(model.orchestrator, visible.map(storeName));
      problems.error('ML1002', message, model.at, hint);
    }
    const key = `${model.kind} ${model.name}`;
    if (seen.has(key)) {
      problems.error('DSL1003', `'${application.name}' has two ${kindOf(model)}s named '${model.name}'`, model.at);
    }
    seen.add(key);
  }
}

/** Slots of a Redis Cluster, of which each shard needs one, and the highest port. */
const [mostShards, mostPort] = [16_384, 65_535];

function checkShards(experiment: ExperimentDeclaration, problems: Problems): void {
  for (const entity of orchestratorsOf(experiment)) {
    const shards = shardsOf(entity);
    const refuse = (message: string, hint: string) =>
      problems.error('STORE1004', `.orchestrator(): store '${entity.name}' ${message}`, entity.at, hint);
    if (shards > 1 && entity.engine !== undefined && !engines[entity.engine].hasShards) {
      refuse(
        `has ${shards} shards, and the ${entity.engine} engine has one`,
        "say engine: 'redis', or leave out shards",
      );
    }
    if (entity.interface === 'lo' && nodesOfStore(entity) > 1) {
      refuse(
        `listens on 'lo' of ${nodesOfStore(entity)} nodes, which the others cannot reach`,
        'name a network interface',
      );
    }
    if (entity.nodes !== undefined && entity.nodes > shards) {
      refuse(`has ${shards} shards for ${entity.nodes} nodes`, 'raise shards, or lower nodes');
    }
    if (shards > mostShards) {
      refuse(
        `has ${shards} shards, and a Redis Cluster ${mostShards} slots at most`,
        'lower shards: one a node will do',
      );
    }
    const servers = serversOnNode(sizeOf(entity), nodesOfStore(entity));
    if (entity.port !== undefined && entity.port + servers - 1 > mostPort) {
      refuse(
        `has ${servers} servers on a node, and ${mostPort - entity.port + 1} ports from ${entity.port} on`,
        'name a lower port, or leave it out for free ones',
      );
    }
    if (entity.replicas === 1 && shards === 1) {
      refuse(
        'has one shard, and replicas belong to several',
        "say engine: 'redis' and raise shards, or leave out replicas",
      );
    } else if (entity.replicas === 1 && nodesOfStore(entity) === 1) {
      problems.warning(
        'STORE1007',
        `.orchestrator(): store '${entity.name}' has its shards and their replicas on one node: they outlive the death of a server, not that of the node`,
        entity.at,
        'raise nodes, so that no replica is on the node of its shard',
      );
    }
    if (entity.hosts !== undefined && entity.hosts.length < (entity.nodes ?? shards)) {
      refuse(`names ${entity.hosts.length} hosts for ${entity.nodes ?? shards} nodes`, 'name as many hosts as nodes');
    }
  }
}

/** Longest path of a Unix socket in bytes: `sun_path` has 108, the last one NUL. Node truncates a longer path silently. */
const longestSocketPath = 107;

function checkSockets(experiment: ExperimentDeclaration, problems: Problems): void {
  for (const { colocated } of applicationsOf(experiment)) {
    if (colocated?.transport.kind !== 'uds' || colocated.transport.socket === undefined) continue;
    const bytes = Buffer.byteLength(colocated.transport.socket);
    if (!colocated.transport.socket.startsWith('/')) {
      const message = `.colocate(): the socket's path '${colocated.transport.socket}' is relative`;
      problems.error('STORE1002', message, colocated.at, 'write an absolute path, or leave it out');
    } else if (!/^[A-Za-z0-9.:,/_-]+$/.test(colocated.transport.socket)) {
      const hint = 'SmartRedis clients take letters, digits and the signs . : , / _ - in an address';
      problems.error(
        'STORE1002',
        `.colocate(): the socket's path '${colocated.transport.socket}' cannot be an address`,
        colocated.at,
        hint,
      );
    } else if (bytes > longestSocketPath) {
      const message = `.colocate(): the socket's path has ${bytes} bytes, and a Unix socket's at most ${longestSocketPath}`;
      problems.error('STORE1002', message, colocated.at, 'choose a shorter one, under /tmp say, or leave it out');
    }
  }
}

/** A store that other jobs use has a job of its own: a store in the experiment's job ends with that job. */
function checkSharedStores(experiment: ExperimentDeclaration, problems: Problems): void {
  for (const application of applicationsOf(experiment)) {
    if (application.batch === undefined) continue;
    const inside = visibleStores(experiment, application).find(
      ({ kind, declaration }) => kind === 'standalone' && !('batch' in declaration && declaration.batch !== undefined),
    );
    if (inside === undefined) continue;
    const message = `'${application.name}' is a job of its own, and store '${inside.name}' lives in the experiment's job`;
    const hint = `make the store a job as well: .orchestrator({ … }).batch({ … }); or leave out the .batch() of '${application.name}'`;
    problems.error('STORE1003', message, application.batch.at, hint);
  }
}
