import type { ProcessIdentity } from '../../job/process-identity.js';
import { type Need, type PoolNode, Room, type Share } from './room.js';

/** A launch in the books: what its members hold, and its place in the line if one of them waits. */
export interface Entry extends ProcessIdentity {
  readonly entity: string;
  /** Shares of its members; those that are alike but for their number are one, `members` times. */
  readonly shares: readonly (Share & { readonly members: number })[];
  readonly waits?: { readonly turn: number; readonly need: Need };
}

/** The books of a job's hosts: its launches that hold some or wait for some. */
export interface Books {
  readonly entries: readonly Entry[];
  /** Turn of the next launch that waits. */
  readonly nextTurn: number;
}

export const emptyBooks: Books = { entries: [], nextTurn: 0 };

/** True if an entry is that of a process. */
export function isOf(entry: Entry, { pid, startTicks }: ProcessIdentity): boolean {
  return entry.pid === pid && entry.startTicks === startTicks;
}

/** Shares with the equal ones counted together. */
export function countShares(shares: Iterable<Share>): Entry['shares'] {
  const counted = new Map<string, Share & { members: number }>();
  for (const share of shares) {
    const key = JSON.stringify([share.nodes, share.cpus, share.memoryMiB, share.gpus, share.cores]);
    const known = counted.get(key);
    if (known === undefined) counted.set(key, { ...share, members: 1 });
    else known.members++;
  }
  return [...counted.values()];
}

/** Room that the entries leave. */
export function roomBeside(nodes: readonly PoolNode[], entries: readonly Entry[]): Room {
  const room = new Room(nodes);
  for (const { cpus, memoryMiB = 0, members, ...share } of entries.flatMap(({ shares }) => shares)) {
    room.take({ ...share, cpus: cpus * members, memoryMiB: memoryMiB * members });
  }
  return room;
}

/**
 * Room for a launch whose turn it is in the line: those before it get theirs first, and while one of them has to wait nobody behind it gets a
 * node that it may have. So a member of many nodes is not kept waiting by small ones. `isUrgent` is true for launches that others, which hold
 * hosts, may be waiting for: they come first, since these would hold their hosts for ever.
 */
export function roomInLine(
  nodes: readonly PoolNode[],
  entries: readonly Entry[],
  own: { readonly turn: number; readonly need: Need; readonly isUrgent: boolean },
  isUrgent: (entry: Entry) => boolean,
): Room | undefined {
  const room = roomBeside(nodes, entries);
  const before = entries
    .flatMap((entry) => (entry.waits === undefined ? [] : [{ ...entry.waits, isUrgent: isUrgent(entry) }]))
    .filter((one) => (one.isUrgent === own.isUrgent ? one.turn < own.turn : one.isUrgent))
    .sort((a, b) => Number(b.isUrgent) - Number(a.isUrgent) || a.turn - b.turn);
  const ours = new Set(own.need.among);
  for (const { need } of before) {
    const share = room.fit(need);
    if (share !== undefined) room.take(share);
    else if (need.among.some((node) => ours.has(node))) return undefined;
  }
  return room;
}
