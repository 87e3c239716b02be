import {
  type Allocation,
  type Entity,
  gpusOfStore,
  type Job,
  type Plan,
  type Store,
  serversOnNode,
} from '../../ir/index.js';
import { overlapsStore } from '../../runtime/launch/pool/job-nodes.js';
import { queriesOf } from '../../targets/schedulers.js';
import { type Bin, placeMembers, type Running, type Waiting } from './place-members.js';

export type { Running } from './place-members.js';

/** Nodes of a job on which the same runs: `first` is a position among all nodes of the job, from 0. */
export interface NodeRange {
  readonly first: number;
  readonly nodes: number;
  readonly component: number;
  /** Index of their group in the plan. */
  readonly group: number;
  /** CPUs and GPUs of each node, as far as they are known. */
  readonly cpusPerNode?: number;
  readonly gpusPerNode: number;
  readonly running: readonly Running[];
}

/** A part of a job's time: entities that wait for the end of others come in a later one. */
export interface Stage {
  readonly nodes: readonly NodeRange[];
  /** Members that find no room until others have ended. */
  readonly waiting: readonly Waiting[];
}

/** A job's nodes, and what runs on them at a time. */
export interface JobPlacement {
  readonly name: string;
  readonly nodes: number;
  readonly stages: readonly Stage[];
}

/** The placement of every job: that of one element, where a job has several. */
export function placementOf(plan: Plan): JobPlacement[] {
  return plan.jobs.map((job) => {
    const entities = plan.entities.filter((one) => one.job === job.name);
    const stores = plan.stores.filter(({ name }) => job.stores.includes(name));
    const depths = depthsOf(entities);
    const count = Math.max(0, ...depths.values()) + 1;
    const stages = Array.from({ length: count }, (_, depth) =>
      stageOf(
        plan,
        job,
        stores,
        entities.filter((one) => depths.get(one) === depth),
      ),
    );
    const nodes = componentsOf(job).reduce((sum, one) => sum + one.nodes, 0);
    return { name: job.name, nodes, stages };
  });
}

function componentsOf({ allocation, components }: Job): readonly Allocation[] {
  return [allocation, ...components];
}

/** For each entity, the number of ends of others that come before its start, one after the other. */
function depthsOf(entities: readonly Entity[]): ReadonlyMap<Entity, number> {
  const depths = new Map(entities.map((one) => [one, 0]));
  // Each round follows the chains by one step further.
  for (let round = 0, isChanged = true; isChanged && round < entities.length; round++) {
    isChanged = false;
    for (const entity of entities) {
      const before = entity.after.flatMap((after) => {
        if ('key' in after || after.event === 'started') return [];
        const other = entities.find(({ name }) => name === after.name || isMember(after.name, name));
        return other === undefined || other === entity ? [] : [(depths.get(other) as number) + 1];
      });
      const depth = Math.max(0, ...before);
      if (depth <= (depths.get(entity) as number)) continue;
      depths.set(entity, depth);
      isChanged = true;
    }
  }
  return depths;
}

/** True if a name is that of a member of an ensemble: `NAME_i`. */
function isMember(name: string, ensemble: string): boolean {
  return name.startsWith(`${ensemble}_`) && /^\d+$/.test(name.slice(ensemble.length + 1));
}

function stageOf(plan: Plan, job: Job, stores: readonly Store[], entities: readonly Entity[]): Stage {
  const waiting: { name: string; members: number }[] = [];
  const nodes = job.groups.flatMap((group, index) => {
    const allocations = componentsOf(job);
    const { cpusPerNode, gpusPerNode = 0, memoryPerNodeMiB } = allocations[group.component] as Allocation;
    const [cpus, memoryMiB] = [cpusPerNode ?? Number.POSITIVE_INFINITY, memoryPerNodeMiB ?? Number.POSITIVE_INFINITY];
    const bins = Array.from({ length: group.nodes }, (): Bin => {
      return { running: [], cpus, sharedCpus: 0, gpus: gpusPerNode, memoryMiB, isTaken: false };
    });
    for (const store of stores) if (store.group === index) placeStore(store, plan, job, bins);
    waiting.push(
      ...placeMembers(
        job,
        entities.filter((one) => one.group === index),
        bins,
      ),
    );
    const before = allocations.slice(0, group.component).reduce((sum, one) => sum + one.nodes, 0);
    const known = cpusPerNode === undefined ? {} : { cpusPerNode };
    return bins.map(({ running }, node): NodeRange => {
      const first = before + group.first + node;
      return { first, nodes: 1, component: group.component, group: index, ...known, gpusPerNode, running };
    });
  });
  return { nodes: merged(nodes), waiting };
}

/** Stores of several processes run on the first nodes of their group, colocated ones on all. */
function placeStore(store: Store, { target }: Plan, job: Job, bins: readonly Bin[]): void {
  const { name } = store;
  const count = store.kind === 'colocated' ? bins.length : Math.min(store.nodes, bins.length);
  const cpus = store.cpus * (store.kind === 'colocated' ? 1 : serversOnNode(store, count));
  const isShared = overlapsStore(store, job);
  // On one machine nobody shares out GPUs.
  const gpus = isShared || queriesOf[target] === undefined ? 0 : gpusOfStore(store).length;
  for (const bin of bins.slice(0, count)) {
    bin.running.push({ name, kind: 'store', members: 1, cpus, gpus });
    if (isShared) bin.sharedCpus += cpus;
    else bin.cpus -= cpus;
    bin.gpus -= gpus;
  }
}

/** Ranges of nodes that follow each other and on which the same runs. */
function merged(nodes: readonly NodeRange[]): NodeRange[] {
  const ranges: NodeRange[] = [];
  for (const node of nodes) {
    const last = ranges.at(-1);
    const isAlike = last?.group === node.group && JSON.stringify(last.running) === JSON.stringify(node.running);
    if (last !== undefined && isAlike) ranges[ranges.length - 1] = { ...last, nodes: last.nodes + 1 };
    else ranges.push(node);
  }
  return ranges;
}
