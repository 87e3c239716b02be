import { counted } from '../../diagnostics/index.js';
import type { Entity, Plan, Store } from '../../ir/index.js';

/** A box of the picture. */
export interface GraphNode {
  /** Unique among the nodes: `entity:sweep`, `store:orchestrator`, `ml:surrogate@orchestrator`. */
  readonly id: string;
  readonly kind: 'model' | 'ensemble' | 'ray-cluster' | 'store' | 'ml-model' | 'script';
  readonly name: string;
  /** Lines below the name. */
  readonly details: readonly string[];
  /** Name of the job that it is part of. */
  readonly job: string;
}

/** A line of the picture. `after` and `reads` go from what comes first; `sees` and `loads` join a store to its users and its ML models. */
export interface GraphEdge {
  readonly kind: 'after' | 'reads' | 'sees' | 'loads' | 'beside';
  readonly from: string;
  readonly to: string;
  readonly label: string;
}

/** A job: a box around others. */
export interface GraphJob {
  readonly name: string;
  readonly details: string;
}

/** A plan as boxes and lines, whatever they are drawn with. */
export interface Graph {
  readonly title: string;
  readonly jobs: readonly GraphJob[];
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
}

/** Entities, stores and ML models of a plan, and who waits for, reads and sees whom. */
export function graphOf(plan: Plan): Graph {
  const jobs = plan.jobs.map(({ name, allocation, components, array, separate }): GraphJob => {
    const nodes = [allocation, ...components].reduce((sum, one) => sum + one.nodes, 0);
    const times = array?.size ?? separate;
    return { name, details: `${counted(nodes, 'node')}${times === undefined ? '' : `, ${counted(times, 'job')}`}` };
  });
  const jobOfStore = new Map(plan.jobs.flatMap((job) => job.stores.map((store) => [store, job.name] as const)));
  const nodes: GraphNode[] = plan.entities.map((entity) => ({
    id: `entity:${entity.name}`,
    kind: entity.kind,
    name: entity.name,
    details: detailsOf(entity),
    job: entity.job,
  }));
  const edges = plan.entities.flatMap((entity) => edgesOf(plan, entity));
  for (const store of plan.stores) {
    const job = jobOfStore.get(store.name) ?? '';
    const id = storeId(store.name);
    nodes.push({ id, kind: 'store', name: store.name, details: [describeStore(store)], job });
    for (const { name, backend, device, devicesPerNode } of store.mlModels) {
      const model = `ml:${name}@${store.name}`;
      const copies = devicesPerNode > 1 ? ` × ${devicesPerNode}` : '';
      nodes.push({ id: model, kind: 'ml-model', name, details: [`${backend} on ${device}${copies}`], job });
      edges.push({ kind: 'loads', from: id, to: model, label: '' });
    }
    for (const { name, device } of store.scripts) {
      const script = `script:${name}@${store.name}`;
      nodes.push({ id: script, kind: 'script', name, details: [`TorchScript on ${device}`], job });
      edges.push({ kind: 'loads', from: id, to: script, label: '' });
    }
  }
  return { title: plan.experiment, jobs, nodes, edges };
}

function edgesOf(plan: Plan, entity: Entity): GraphEdge[] {
  const to = `entity:${entity.name}`;
  const edges: GraphEdge[] = entity.after.map((one) => {
    const { id, member } = entityOf(plan, one.name);
    const event = 'event' in one && one.event !== 'completed' ? one.event : '';
    const what = 'key' in one ? `key ${one.key}` : one.name === entity.usesRay ? 'uses Ray' : event;
    return { kind: 'after', from: id, to, label: [member, what].filter((text) => text !== '').join(' ') };
  });
  for (const name of entity.incoming) {
    const { id, member } = entityOf(plan, name);
    edges.push({ kind: 'reads', from: id, to, label: member });
  }
  for (const name of entity.stores) edges.push({ kind: 'sees', from: storeId(name), to, label: '' });
  if (entity.sharesNodesWith !== undefined) {
    edges.push({ kind: 'beside', from: `entity:${entity.sharesNodesWith}`, to, label: 'same nodes' });
  }
  return edges;
}

/** The entity that a name stands for: a member's is its ensemble's. */
function entityOf(plan: Plan, name: string): { id: string; member: string } {
  if (plan.entities.some((entity) => entity.name === name)) return { id: `entity:${name}`, member: '' };
  const ensemble = plan.entities.find(
    (entity) => name.startsWith(`${entity.name}_`) && /^\d+$/.test(name.slice(entity.name.length + 1)),
  );
  return { id: `entity:${ensemble?.name ?? name}`, member: name };
}

function storeId(name: string): string {
  return `store:${name}`;
}

/** Names of the kinds of entities. */
const kindNames: { readonly [Kind in Entity['kind']]: string } = {
  model: 'model',
  ensemble: 'ensemble',
  'ray-cluster': 'Ray cluster',
};

function detailsOf({ kind, members, size, incoming, name }: Entity): string[] {
  const lines = [kind === 'ensemble' ? `ensemble of ${members.count}` : kindNames[kind]];
  const { tasks, nodes, cpusPerTask } = size;
  const parts = [
    counted(tasks, 'task'),
    ...(cpusPerTask > 1 ? [`${cpusPerTask} CPUs each`] : []),
    ...(nodes > 1 ? [counted(nodes, 'node')] : []),
  ];
  if (tasks > 1 || nodes > 1 || cpusPerTask > 1) lines.push(parts.join(', '));
  if (incoming.includes(name)) lines.push('reads its own keys');
  return lines;
}

function describeStore(store: Store): string {
  if (store.kind === 'colocated') return `store on each node of ${store.name}, ${store.transport.kind}`;
  const replicas = store.replicas === undefined ? '' : ' with replicas';
  return store.shards > 1 ? `store of ${store.shards} shards${replicas}` : 'store';
}
