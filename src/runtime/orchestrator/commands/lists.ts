import { nilArray } from '../resp/reply.js';
import { ownBytes } from '../store/lendable-bytes.js';
import { itemOverheadBytes } from '../store/size.js';
import type { ListValue } from '../store/values.js';
import { type Command, CommandError } from './command.js';
import { arityError, integer, latin1 } from './words.js';

const pushAtOnce = 1024;

function push(name: string, into: (members: Buffer[], added: Buffer[]) => void): Command {
  return {
    name,
    arity: -3,
    flags: ['write', 'denyoom', 'fast'],
    keys: [1, 1, 1],
    run({ store }, words) {
      const key = latin1(words[1]);
      let list = store.change(key, 'list');
      if (list === undefined) {
        list = { kind: 'list', members: [] } satisfies ListValue;
        store.set(key, list);
      }
      let grown = 0;
      const added = words.slice(2).map((word) => {
        grown += word.length + itemOverheadBytes;
        return ownBytes(word);
      });
      into(list.members, added);
      store.grew(key, grown);
      return list.members.length;
    },
  };
}

/** `RPUSH key member…` */
export const rpush = push('rpush', (members, added) => {
  for (const member of added) members.push(member);
});

/** `LPUSH key member…`: the last comes first. */
export const lpush = push('lpush', (members, added) => {
  // A call takes no more arguments than its stack holds.
  for (let at = 0; at < added.length; at += pushAtOnce) members.unshift(...added.slice(at, at + pushAtOnce).reverse());
});

function pop(name: string, take: (members: Buffer[], count: number) => Buffer[]): Command {
  return {
    name,
    arity: -2,
    flags: ['write', 'fast'],
    keys: [1, 1, 1],
    run({ store }, words) {
      if (words.length > 3) throw arityError(name);
      const count = words.length === 3 ? integer(words[2]) : 1;
      if (count === undefined || count < 0) throw new CommandError('ERR value is out of range, must be positive');
      const key = latin1(words[1]);
      const list = store.change(key, 'list');
      // RESP2's nil array is written as Redis does.
      if (list === undefined) return words.length === 3 ? nilArray : null;
      const taken = take(list.members, count);
      store.grew(key, -taken.reduce((bytes, member) => bytes + member.length + itemOverheadBytes, 0));
      if (list.members.length === 0) store.delete(key);
      return words.length === 3 ? taken : (taken[0] ?? null);
    },
  };
}

/** `LPOP key [count]` */
export const lpop = pop('lpop', (members, count) => members.splice(0, count));

/** `RPOP key [count]`: the last comes first. */
export const rpop = pop('rpop', (members, count) => {
  const from = Math.max(0, members.length - count);
  return members.splice(from).reverse();
});

/** `LINDEX key index` */
export const lindex: Command = {
  name: 'lindex',
  arity: 3,
  flags: ['readonly'],
  keys: [1, 1, 1],
  run({ store }, words) {
    const members = store.read(latin1(words[1]), 'list')?.members;
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
  run: ({ store }, words) => store.read(latin1(words[1]), 'list')?.members.length ?? 0,
};

/** `LRANGE key start stop`: both ends included, negative numbers count from the end. */
export const lrange: Command = {
  name: 'lrange',
  arity: 4,
  flags: ['readonly'],
  keys: [1, 1, 1],
  run({ store }, words) {
    const start = integer(words[2]);
    const stop = integer(words[3]);
    if (start === undefined || stop === undefined) {
      throw new CommandError('ERR value is not an integer or out of range');
    }
    const members = store.read(latin1(words[1]), 'list')?.members ?? [];
    const from = start < 0 ? Math.max(0, members.length + start) : start;
    const to = stop < 0 ? members.length + stop : stop;
    return to < from ? [] : members.slice(from, to + 1);
  },
};
