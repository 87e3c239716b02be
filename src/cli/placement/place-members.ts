import { type Entity, type Job, lineOfMember, sizeOfMember } from '../../ir/index.js';
import { membersAtATime } from '../../runtime/launch/hosts.js';
import { needOf } from '../../runtime/launch/pool/launch-hosts.js';
import { type Need, type PoolNode, withinNodes } from '../../runtime/launch/pool/room.js';
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

/** Members of an entity that find no room until others have ended. */
export interface Waiting {
  readonly name: string;
  readonly members: number;
}

/** A node while it is filled. */
export interface Bin {
  readonly running: Running[];
  cpus: number;
  /** CPUs among them that stores use as well. */
  sharedCpus: number;
  gpus: number;
  memoryMiB: number;
  isTaken: boolean;
}

/** Needs of members, by their sizes: as far as the nodes have it when nobody is there. */
type Needs = Map<string, Need>;

/** Nodes that are looked at, one by one for each member, at most: beyond it a picture tells nothing more. */
const mostLooks = 5_000_000;

/** Places members as a job does: one of each entity first, then more while there is room, the emptiest nodes first. */
export function placeMembers(job: Job, entities: readonly Entity[], bins: readonly Bin[]): Waiting[] {
  const needs: Needs = new Map();
  const empty = bins.map((bin) => ({ ...bin }));
  const left = new Map(entities.map((one) => [one, Math.min(membersOf(one, job), atATime(one, bins))]));
  const waiting = new Map(entities.map((one) => [one, membersOf(one, job) - (left.get(one) as number)]));
  const most = new Map(left);
  for (let placed = true, looks = 0; placed && looks < mostLooks; ) {
    placed = false;
    const open = entities.filter((one) => (left.get(one) as number) > 0);
    for (const entity of open) {
      const remaining = left.get(entity) as number;
      const member = (most.get(entity) as number) - remaining;
      const isLast = open.length === 1 && entity.size.nodes === 1 && entity.launch.lines.length === 1;
      const need = needOn(entity, member, empty, needs);
      const count = isLast ? placeRound(entity, need, bins, remaining) : Number(placeOne(entity, need, bins));
      left.set(entity, remaining - count);
      placed ||= count > 0;
      looks += bins.length;
    }
  }
  return entities.flatMap((one) => {
    const members = (left.get(one) as number) + (waiting.get(one) as number);
    return members === 0 ? [] : [{ name: one.name, members }];
  });
}

/** Members that a job starts at a time, however much room there is. */
function atATime({ launch, size }: Entity, bins: readonly Bin[]): number {
  const { atMost = Number.POSITIVE_INFINITY, lines } = launch;
  if (size.nodes === 1 || lines.length > 1) return atMost;
  return Math.min(atMost, membersAtATime({ hosts: bins.map(() => ''), cpusPerNode: undefined }, size));
}

/** Need of a member on nodes of which stores have had theirs. */
function needOn(entity: Entity, member: number, empty: readonly Bin[], needs: Needs): Need {
  const { words } = lineOfMember(entity, member);
  const size = sizeOfMember(entity, member);
  const key = JSON.stringify([size, words.find((word) => word.startsWith('--mem='))]);
  const known = needs.get(key);
  if (known !== undefined) return known;
  const nodes = empty.map(({ cpus, gpus, memoryMiB }): PoolNode => {
    return { name: '', cpus, gpus: Array.from({ length: Math.max(0, gpus) }, (_, gpu) => gpu), memoryMiB };
  });
  const need = withinNodes(needOf(size, words, [...empty.keys()]), nodes);
  needs.set(key, need);
  return need;
}

/** Places a member on each node that has room, the emptiest first, up to a number of them; their number. */
function placeRound(entity: Entity, need: Need, bins: readonly Bin[], limit: number): number {
  const chosen = roomiest(entity, need, bins).slice(0, limit);
  for (const bin of chosen) put(entity, need, bin);
  return chosen.length;
}

/** Number of members of an entity that one element of its job starts. */
function membersOf({ members, kind }: Entity, { array, separate }: Job): number {
  if (kind === 'model') return 1;
  if (separate !== undefined) return 1;
  return Math.min(members.count, array?.perElement ?? members.count);
}

function placeOne(entity: Entity, need: Need, bins: readonly Bin[]): boolean {
  const chosen = roomiest(entity, need, bins).slice(0, need.nodes);
  if (chosen.length < need.nodes) return false;
  for (const bin of chosen) put(entity, need, bin);
  return true;
}

/** Nodes with room for a member, the emptiest first. */
function roomiest(entity: Entity, { cpus, gpus, memoryMiB = 0 }: Need, bins: readonly Bin[]): Bin[] {
  const wholeNodes = launcherOfProgram(entity.launch.lines[0]?.words[0])?.sharesNodes === false;
  // Without a known number of CPUs a node is full with one member.
  const hasRoom = (bin: Bin) =>
    bin.cpus >= cpus &&
    bin.gpus >= gpus &&
    bin.memoryMiB >= memoryMiB &&
    !(wholeNodes && bin.isTaken) &&
    (Number.isFinite(bin.cpus) || !has(bin, entity.name));
  const emptiness = (bin: Bin) => bin.cpus - bin.sharedCpus;
  return bins.filter(hasRoom).sort((a, b) => compare(emptiness(b), emptiness(a)) || compare(b.gpus, a.gpus));
}

function put({ name, kind }: Entity, { cpus, gpus, memoryMiB = 0 }: Need, bin: Bin): void {
  const at = bin.running.findIndex((one) => one.name === name && one.kind === kind);
  const known = bin.running[at];
  if (known === undefined) bin.running.push({ name, kind, members: 1, cpus, gpus });
  else {
    const members = known.members + 1;
    bin.running[at] = { name, kind, members, cpus: known.cpus + cpus, gpus: known.gpus + gpus };
  }
  bin.cpus -= cpus;
  bin.gpus -= gpus;
  bin.memoryMiB -= memoryMiB;
  bin.isTaken = true;
}

function has({ running }: Bin, name: string): boolean {
  return running.some((one) => one.kind !== 'store' && one.name === name);
}

function compare(a: number, b: number): number {
  return a === b ? 0 : a < b ? -1 : 1;
}
