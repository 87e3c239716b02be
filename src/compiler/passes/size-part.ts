import type { Problems } from '../../diagnostics/index.js';
import type { ApplicationDeclaration } from '../../ir/index.js';
import type { Launcher } from '../../targets/target.js';
import type { Amounts } from './lookup/packing.js';
import { type Piece, packs, packsInAnyOrder } from './lookup/packing.js';
import { nodesOfStore } from './lookup/visible-stores.js';
import { type Demand, most } from './part-demand.js';
import { refuseCircles, refuseMeeting, refuseSharing, refuseStart } from './part-problems.js';
import { type PartSets, setsOf } from './part-sets.js';

/** Size of a part: its nodes, and what it needs of each of them. */
export interface PartSize {
  readonly nodes: number;
  /** CPUs a node for all that may run at the same time; a node may have fewer. */
  readonly wantedCpus: number;
  readonly cpusPerNode: number;
  /** CPUs a node without which one of them could not start. */
  readonly leastCpus: number;
  readonly gpusPerNode: number;
  readonly memoryMiB: number;
  /** Nodes that are taken at the same time by launches that have nodes of their own. */
  readonly nodesApart: number;
  /** Limits of members at a time, which leave room for those who have to run beside them. */
  readonly atMost: ReadonlyMap<ApplicationDeclaration, number>;
}

/** Limits of a part's size. */
export interface PartLimits {
  /** Number of nodes, if it is given. */
  readonly nodes?: number | undefined;
  /** Nodes that it has at least unless they are given: those of hosts that are named. */
  readonly atLeast: number;
  readonly maxNodes: number;
  /** The most that a node may have, as far as the site or the user says. */
  readonly node: Amounts;
  /** The job has whole nodes. */
  readonly isExclusive: boolean;
  /** CPUs of stores: see the launcher's field of this name. */
  readonly storesCpus: Launcher['storesCpus'];
}

/** The entity that owns the nodes of a part, if others share them. */
export function sharedOwner({ part }: Demand): NonNullable<Demand['part']['owner']> | undefined {
  return part.applications.length + part.orchestrators.length > 1 ? part.owner : undefined;
}

/** The size of a part that has room for all that runs at the same time. */
export function sizePart(demand: Demand, limits: PartLimits, problems: Problems): PartSize {
  const sum = sharedOwner(demand) === undefined ? undefined : demand.sumOnNode(limits.storesCpus === 'hold');
  const colocated = demand.colocatedCpus();
  const holds = limits.storesCpus === 'hold';
  const sets = setsOf(demand, holds);
  const fits = (set: readonly ApplicationDeclaration[], count: number, node: Amounts) =>
    packsInAnyOrder(
      set.map((one) => demand.piece(one)),
      demand.nodesLeft(count, node, holds),
    );
  // On one machine all nodes are one.
  const { oneNode } = demand.input.target.capabilities;
  let nodes = oneNode ? 1 : (limits.nodes ?? nodesFor(demand, limits));
  const roomiest = limits.nodes ?? Math.max(nodes, Math.min(limits.maxNodes, nodes + mostPieces(demand, sets.all)));
  if (canGrow(demand)) {
    const holdAll = (some: number) => sets.all.every((set) => fits(set, some, limits.node));
    let count = nodes;
    while (count < roomiest && !holdAll(count)) count++;
    // More nodes that do not help either are not asked for.
    if (holdAll(count)) nodes = count;
  }
  if (sum !== undefined) refuseSharing(demand, sum, nodes, limits.node, problems);
  const isWide = nodes >= demand.widest();
  const overlaps = limits.storesCpus === 'overlap';
  const left = overlaps
    ? Array.from({ length: nodes }, () => limits.node)
    : demand.nodesLeft(nodes, limits.node, holds);
  const isTooMuch = (set: readonly ApplicationDeclaration[]) =>
    isWide &&
    !packs(
      set.map((one) => demand.piece(one)),
      left,
    );
  const meetingTooMuch = sets.meeting.filter(isTooMuch);
  const circlesTooMuch = meetingTooMuch.length > 0 ? [] : sets.circles.filter(isTooMuch);
  const tooMuch = [...meetingTooMuch, ...circlesTooMuch];
  const meeting = { nodes, node: limits.node, overlaps, holdsGpus: holds };
  for (const set of meetingTooMuch) refuseMeeting(demand, { set, ...meeting }, problems);
  for (const set of circlesTooMuch) refuseCircles(demand, { set, ...meeting }, problems);
  for (const [one] of sets.single) {
    if (one !== undefined && sum === undefined && isWide && !packs([demand.piece(one)], left)) {
      refuseStart(demand, one, meeting, problems);
    }
  }
  const enough = (amounts: Amounts) => sets.all.every((set) => tooMuch.includes(set) || fits(set, nodes, amounts));
  const wantedCpus = Math.max(Math.ceil(demand.peakCpus(nodes) / nodes) + colocated, sum?.cpus ?? 0);
  const leastCpus = Math.max(demand.cpusOfOne(), sum?.cpus ?? 0);
  const cpusPerNode = least(
    Math.max(Math.min(wantedCpus, limits.node.cpus), leastCpus),
    Math.min(limits.node.cpus, demand.peakCpus(nodes) + colocated),
    (cpus) => enough({ ...limits.node, cpus }),
  );
  const memoryMiB = least(
    Math.max(demand.memoryOfOne(), sum?.memoryMiB ?? 0),
    Math.min(
      limits.node.memoryMiB,
      sumOf(demand, ({ memoryMiB: one }) => one),
    ),
    (amount) => enough({ ...limits.node, memoryMiB: amount }),
  );
  const gpusPerNode = Math.max(gpusFor(demand, limits, nodes), sum?.gpus ?? 0);
  const whole = { ...limits.node, cpus: limits.isExclusive ? limits.node.cpus : cpusPerNode };
  const atMost = membersBeside(demand, sets, { nodes, whole }, (pieces) =>
    packsInAnyOrder(pieces, demand.nodesLeft(nodes, whole, holds)),
  );
  return { nodes, wantedCpus, cpusPerNode, leastCpus, gpusPerNode, memoryMiB, nodesApart: demand.apart(), atMost };
}

/** Places of members on nodes, above which nobody looks at each. */
const mostPlaces = 50_000;

/** The most members, up to `high` and at least 1, that fit; fewer never need more room. */
function mostFitting(high: number, fits: (count: number) => boolean): number {
  let [most, top] = [1, high];
  while (most < top) {
    const middle = Math.ceil((most + top) / 2);
    if (fits(middle)) most = middle;
    else top = middle - 1;
  }
  return most;
}

/** The most members of each ensemble that leave room, on the nodes of a part, for all who have to run at the same time. */
function membersBeside(
  demand: Demand,
  { meeting, circles }: PartSets,
  { nodes, whole }: { readonly nodes: number; readonly whole: Amounts },
  fits: (pieces: readonly Piece[]) => boolean,
): ReadonlyMap<ApplicationDeclaration, number> {
  const limits = new Map<ApplicationDeclaration, number>();
  for (const set of [...meeting, ...circles]) {
    for (const one of set.filter((some) => demand.isFlexible(some) && demand.facts(some).launches.length === 1)) {
      const piece = demand.piece(one);
      const others = set.filter((other) => other !== one).map((other) => demand.piece(other));
      const onNode = piece.wholeNodes ? 1 : Math.max(1, Math.floor(whole.cpus / piece.onNode.cpus));
      const high = Math.min(demand.facts(one).members.count, Math.ceil((nodes * onNode) / piece.nodes));
      const fitsBeside = (count: number) => fits([...Array.from({ length: count }, () => piece), ...others]);
      const apart = others.reduce((sum, other) => sum + other.nodes, 0);
      const most =
        high * nodes > mostPlaces
          ? Math.max(1, Math.floor(((nodes - apart) * onNode) / piece.nodes))
          : mostFitting(high, fitsBeside);
      if (most < high) limits.set(one, Math.min(most, limits.get(one) ?? most));
    }
  }
  return limits;
}

/** The nodes of a part that nobody has given: as many as the widest launch has, or more where CPUs or GPUs are few. */
function nodesFor(demand: Demand, { atLeast, maxNodes }: PartLimits): number {
  const { part, input } = demand;
  const { cores, gpus } = input.site.node;
  const owner = sharedOwner(demand);
  const application = part.applications.find((one) => one === owner);
  const store = part.orchestrators.find((one) => one === owner);
  if (store !== undefined) return nodesOfStore(store);
  if (application !== undefined && !demand.isFlexible(application)) return demand.facts(application).size.nodes;
  // Without a launcher everything runs on one host.
  if (part.applications.length > 0 && part.applications.every((one) => demand.facts(one).startsHere)) {
    return Math.max(1, ...part.orchestrators.map(nodesOfStore));
  }
  const widest = application === undefined ? Math.max(demand.widest(), atLeast) : demand.facts(application).size.nodes;
  const fitting = Math.max(
    demand.apart(),
    cores === undefined ? 1 : Math.ceil(demand.peakCpus() / Math.max(1, cores - demand.colocatedCpus())),
    gpus === undefined || gpus === 0 ? 1 : Math.ceil(demand.peakGpus() / gpus),
  );
  return Math.min(Math.max(widest, fitting), Math.max(widest, maxNodes));
}

/** True unless the nodes are those of one launch, which no other can use more of. */
function canGrow(demand: Demand): boolean {
  const owner = sharedOwner(demand);
  if (owner === undefined) return true;
  const application = demand.part.applications.find((one) => one === owner);
  return application !== undefined && demand.isFlexible(application);
}

/** GPUs a node. More than one member needs are wanted only if nodes are known to have them, but for those that run at the same time. */
function gpusFor(demand: Demand, { node, storesCpus }: PartLimits, nodes: number): number {
  const { gpus } = demand.input.site.node;
  const ofOne = demand.gpusOfOne();
  if (gpus !== undefined) return Math.max(ofOne, Math.min(gpus, Math.ceil(demand.peakGpus(nodes) / nodes)));
  const users = demand.part.applications.filter((one) => demand.piece(one).onNode.gpus > 0);
  const held = storesCpus === 'hold' ? demand.gpusOfStores() : 0;
  if (users.length < (held > 0 ? 1 : 2)) return Math.max(ofOne, held);
  // The sets of many are too many to look at.
  if (users.length > 32)
    return Math.max(ofOne, Math.min(node.gpus, Math.ceil(demand.peakGpusOfOneEach() / nodes) + held));
  const sets = demand.input.order.together(users);
  const free = { cpus: Number.POSITIVE_INFINITY, memoryMiB: Number.POSITIVE_INFINITY };
  const all = sets.map((set) => set.map((one) => demand.piece(one)));
  return least(ofOne, Math.min(node.gpus, sumOf(demand, (one) => one.gpus) + held), (amount) => {
    const bins = demand.nodesLeft(nodes, { ...free, gpus: amount }, held > 0);
    return all.every((pieces) => packsInAnyOrder(pieces, bins));
  });
}

/** Sum of what one member of each application takes on one node. */
function sumOf(demand: Demand, amount: (onNode: Amounts) => number): number {
  return demand.part.applications.reduce((sum, one) => sum + amount(demand.piece(one).onNode), 0);
}

/** The most nodes that a set needs if no two of it share one. */
function mostPieces(demand: Demand, sets: readonly (readonly ApplicationDeclaration[])[]): number {
  return most(sets.map((set) => set.reduce((sum, one) => sum + demand.piece(one).nodes, 0)));
}

/** The least amount from `low` to `high` that is enough, or `low` if none is; more is taken to be enough wherever less is. */
function least(low: number, high: number, isEnough: (amount: number) => boolean): number {
  if (high <= low || isEnough(low) || !isEnough(high)) return low;
  let [short, enough] = [low, high];
  while (enough - short > 1) {
    const middle = Math.floor((short + enough) / 2);
    if (isEnough(middle)) enough = middle;
    else short = middle;
  }
  return enough;
}
