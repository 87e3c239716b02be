import { ownBytes } from '../bytes/lendable-bytes.js';
import type { Keyspace } from '../keyspace/keyspace.js';
import { itemOverheadBytes } from '../keyspace/size.js';
import type { ListValue } from '../keyspace/values.js';
import { LongReply, nilArray } from '../resp/reply.js';
import { type Command, CommandError } from './command.js';
import { assertItems } from './room.js';
import { arityError, integer, latin1 } from './words.js';

const pushAtOnce = 1024;
/** More of them are sent bit by bit. */
const fewMembers = 256;

type Into = (members: Buffer[], added: Buffer[]) => void;

const toTail: Into = (members, added) => {
  for (const member of added) members.push(member);
};

/** The last comes first. */
const toHead: Into = (members, added) => {
  // A call takes no more arguments than its stack holds.
  for (let at = 0; at < added.length; at += pushAtOnce) members.unshift(...added.slice(at, at + pushAtOnce).reverse());
};

function push(name: string, into: Into, onlyThere: boolean): Command {
  return {
    name,
    arity: -3,
    flags: ['write', 'denyoom', 'fast'],
    keys: [1, 1, 1],
    run({ keyspace }, words) {
      const key = latin1(words[1]);
      if (onlyThere && keyspace.read(key, 'list') === undefined) return 0;
      return pushTo(keyspace, key, words.slice(2), into);
    },
  };
}

function pushTo(keyspace: Keyspace, key: string, words: readonly Buffer[], into: Into): number {
  let list = keyspace.change(key, 'list');
  if (list === undefined) {
    list = { kind: 'list', members: [] } satisfies ListValue;
    keyspace.set(key, list);
  }
  assertItems(list.members.length + words.length);
  const added = words.map(ownBytes);
  into(list.members, added);
  keyspace.grew(key, bytesOfMembers(added));
  return list.members.length;
}

/** Size of members of a list in bytes, overhead included. */
export function bytesOfMembers(members: readonly Buffer[]): number {
  return members.reduce((bytes, member) => bytes + member.length + itemOverheadBytes, 0);
}

/** One of a list's ends. */
export type ListEnd = 'LEFT' | 'RIGHT';

/** Adds a member at an end of the list, which is made if need be. */
export function pushAt(keyspace: Keyspace, key: string, end: ListEnd, member: Buffer): void {
  pushTo(keyspace, key, [member], end === 'LEFT' ? toHead : toTail);
}

/** Takes up to so many members off an end of the list, the outermost first; undefined if there is no list. */
export function popFrom(keyspace: Keyspace, key: string, end: ListEnd, count: number): Buffer[] | undefined {
  const there = keyspace.read(key, 'list');
  if (there === undefined || count === 0) return there && [];
  const { members } = keyspace.change(key, 'list') ?? there;
  const taken = end === 'LEFT' ? members.splice(0, count) : members.splice(-count).reverse();
  keyspace.grew(key, -bytesOfMembers(taken));
  if (members.length === 0) keyspace.delete(key);
  return taken;
}

/** `RPUSH key member…`, `LPUSH key member…`, and, for lists that are there already, `RPUSHX`, `LPUSHX`. */
export const rpush = push('rpush', toTail, false);
export const lpush = push('lpush', toHead, false);
export const rpushx = push('rpushx', toTail, true);
export const lpushx = push('lpushx', toHead, true);

function pop(name: string, end: ListEnd): Command {
  return {
    name,
    arity: -2,
    flags: ['write', 'fast'],
    keys: [1, 1, 1],
    run({ keyspace }, words) {
      if (words.length > 3) throw arityError(name);
      const count = words.length === 3 ? integer(words[2]) : 1;
      if (count === undefined || count < 0) throw new CommandError('ERR value is out of range, must be positive');
      const taken = popFrom(keyspace, latin1(words[1]), end, count);
      // RESP2's nil array is written as Redis does.
      if (taken === undefined) return words.length === 3 ? nilArray : null;
      return words.length === 3 ? taken : (taken[0] ?? null);
    },
  };
}

/** `LPOP key [count]`, `RPOP key [count]` */
export const lpop = pop('lpop', 'LEFT');
export const rpop = pop('rpop', 'RIGHT');

/** `LINDEX key index` */
export const lindex: Command = {
  name: 'lindex',
  arity: 3,
  flags: ['readonly'],
  keys: [1, 1, 1],
  run({ keyspace }, words) {
    const members = keyspace.read(latin1(words[1]), 'list')?.members;
    if (members === undefined) return null;
    const index = integer(words[2]);
    if (index === undefined) throw new CommandError('ERR value is not an integer or out of range');
    return members.at(index) ?? null;
  },
};

/** `LLEN key` */
export const llen: Command = {
  name: 'llen',
  arity: 2,
  flags: ['readonly', 'fast'],
  keys: [1, 1, 1],
  run: ({ keyspace }, words) => keyspace.read(latin1(words[1]), 'list')?.members.length ?? 0,
};

/** `LRANGE key start stop`: both ends included, negative numbers count from the end. */
export const lrange: Command = {
  name: 'lrange',
  arity: 4,
  flags: ['readonly'],
  keys: [1, 1, 1],
  run({ keyspace }, words) {
    const start = integer(words[2]);
    const stop = integer(words[3]);
    if (start === undefined || stop === undefined) {
      throw new CommandError('ERR value is not an integer or out of range');
    }
    const members = keyspace.read(latin1(words[1]), 'list')?.members ?? [];
    const from = start < 0 ? Math.max(0, members.length + start) : start;
    const to = stop < 0 ? members.length + stop : stop;
    if (to < from) return [];
    const found = members.slice(from, to + 1);
    return found.length <= fewMembers ? found : new LongReply(found.length, found, bytesOfMembers(found));
  },
};
