import {
  type Allocation,
  type Entity,
  gpusOfStore,
  type Job,
  lineOfMember,
  type MemberSize,
  type Plan,
  type Store,
  serversOnNode,
  sizeOfMember,
} from '../../ir/index.js';
import { launcherOfProgram } from '../../targets/launchers/index.js';

/** A store, or members of an entity, on one node. */
export interface Running {
  readonly name: string;
  readonly kind: Entity['kind'] | 'store';
  /** Number of members on the node; 1 for a store. */
  readonly members: number;
  /** CPUs and GPUs that they take together on the node. */
  readonly cpus: number;
  readonly gpus: number;
}

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
  readonly waiting: readonly { readonly name: string; readonly members: number }[];
}

/** A job's nodes, and what runs on them at a time. */
export interface JobPlacement {
  readonly name: string;
  readonly nodes: number;
  readonly stages: readonly Stage[];
}

/** A node while it is filled. */
interface Bin {
  readonly running: Running[];
  cpus: number;
  gpus: number;
  isTaken: boolean;
}

/** Nodes that are looked at, one by one for each member, at most: beyond it a picture tells nothing more. */
const mostLooks = 5_000_000;

/** The placement of every job: that of one element, where a job has several. */
export function placementOf(plan: Plan): JobPlacement[] {
  return plan.jobs.map((job) => {
    const entities = plan.entities.filter((one) => one.job === job.name);
    const stores = plan.stores.filter(({ name }) => job.stores.includes(name));
    const depths = depthsOf(entities);
    const count = Math.max(0, ...depths.values()) + 1;
    const stages = Array.from({ length: count }, (_, depth) =>
      stageOf(
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

function stageOf(job: Job, stores: readonly Store[], entities: readonly Entity[]): Stage {
  const waiting: { name: string; members: number }[] = [];
  const nodes = job.groups.flatMap((group, index) => {
    const allocations = componentsOf(job);
    const { cpusPerNode, gpusPerNode = 0 } = allocations[group.component] as Allocation;
    const bins = Array.from({ length: group.nodes }, (): Bin => {
      return { running: [], cpus: cpusPerNode ?? Number.POSITIVE_INFINITY, gpus: gpusPerNode, isTaken: false };
    });
    for (const store of stores) if (store.group === index) placeStore(store, bins);
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
function placeStore({ name, cpus, ...store }: Store, bins: readonly Bin[]): void {
  // With every other launcher a store shares the GPUs of its models with what runs beside it.
  const gpus = launcherOfProgram(store.launch[0])?.storesCpus === 'hold' ? gpusOfStore(store).length : 0;
  const count = store.kind === 'colocated' ? bins.length : Math.min(store.nodes, bins.length);
  const each = store.kind === 'colocated' ? 1 : serversOnNode(store, count);
  for (const bin of bins.slice(0, count)) {
    bin.running.push({ name, kind: 'store', members: 1, cpus: cpus * each, gpus });
    bin.cpus -= cpus * each;
    bin.gpus -= gpus;
  }
}

/** Places members as a job does: one of each entity first, then more while there is room, the emptiest nodes first. */
function placeMembers(job: Job, entities: readonly Entity[], bins: readonly Bin[]): Stage['waiting'] {
  const left = new Map(entities.map((one) => [one, membersOf(one, job)]));
  for (let placed = true, looks = 0; placed && looks < mostLooks; ) {
    placed = false;
    const open = entities.filter((one) => (left.get(one) as number) > 0);
    for (const entity of open) {
      const remaining = left.get(entity) as number;
      const next = membersOf(entity, job) - remaining;
      const isLast = open.length === 1 && entity.size.nodes === 1 && entity.launch.lines.length === 1;
      const count = isLast ? placeRound(entity, bins, remaining) : Number(placeOne(entity, next, bins));
      left.set(entity, remaining - count);
      placed ||= count > 0;
      looks += bins.length;
    }
  }
  return [...left].flatMap(([{ name }, members]) => (members === 0 ? [] : [{ name, members }]));
}

/** Places a member on each node that has room, the emptiest first, up to a number of them; their number. */
function placeRound(entity: Entity, bins: readonly Bin[], limit: number): number {
  const chosen = roomiest(entity, 0, bins).slice(0, limit);
  for (const bin of chosen) put(entity, 0, bin);
  return chosen.length;
}

/** Number of members of an entity that one element of its job starts. */
function membersOf({ members, kind }: Entity, { array, separate }: Job): number {
  if (kind === 'model') return 1;
  if (separate !== undefined) return 1;
  return Math.min(members.count, array?.perElement ?? members.count);
}

function placeOne(entity: Entity, member: number, bins: readonly Bin[]): boolean {
  const { nodes } = sizeOfMember(entity, member);
  const chosen = roomiest(entity, member, bins).slice(0, nodes);
  if (chosen.length < nodes) return false;
  for (const bin of chosen) put(entity, member, bin);
  return true;
}

/** Nodes with room for a member, the emptiest first. */
function roomiest(entity: Entity, member: number, bins: readonly Bin[]): Bin[] {
  const { cpus, gpus } = needOf(sizeOfMember(entity, member));
  const wholeNodes = launcherOfProgram(lineOfMember(entity, member).words[0])?.sharesNodes === false;
  // Without a known number of CPUs a node is full with one member.
  const hasRoom = (bin: Bin) =>
    bin.cpus >= cpus &&
    bin.gpus >= gpus &&
    !(wholeNodes && bin.isTaken) &&
    (Number.isFinite(bin.cpus) || !has(bin, entity.name));
  return bins.filter(hasRoom).sort((a, b) => compare(b.cpus, a.cpus) || compare(b.gpus, a.gpus));
}

function put(entity: Entity, member: number, bin: Bin): void {
  const { name, kind } = entity;
  const { cpus, gpus } = needOf(sizeOfMember(entity, member));
  const at = bin.running.findIndex((one) => one.name === name && one.kind === kind);
  const known = bin.running[at];
  if (known === undefined) bin.running.push({ name, kind, members: 1, cpus, gpus });
  else {
    const members = known.members + 1;
    bin.running[at] = { name, kind, members, cpus: known.cpus + cpus, gpus: known.gpus + gpus };
  }
  bin.cpus -= cpus;
  bin.gpus -= gpus;
  bin.isTaken = true;
}

/** CPUs and GPUs of a member on one node. */
function needOf(size: MemberSize): { readonly cpus: number; readonly gpus: number } {
  return { cpus: size.tasksPerNode * size.cpusPerTask, gpus: size.gpusPerNode ?? 0 };
}

function has({ running }: Bin, name: string): boolean {
  return running.some((one) => one.kind !== 'store' && one.name === name);
}

function compare(a: number, b: number): number {
  return a === b ? 0 : a < b ? -1 : 1;
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
