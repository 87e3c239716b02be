import { ownBytes } from '../store/lendable-bytes.js';
import { itemOverheadBytes } from '../store/size.js';
import type { ListValue } from '../store/values.js';
import { type Command, CommandError } from './command.js';
import { integer, latin1 } from './words.js';

/** `RPUSH key member…` */
export const rpush: Command = {
  name: 'rpush',
  arity: -3,
  flags: ['write', 'denyoom', 'fast'],
  keys: [1, 1, 1],
  run({ store }, words) {
    const key = latin1(words[1]);
    let list = store.read(key, 'list');
    if (list === undefined) {
      list = { kind: 'list', members: [] } satisfies ListValue;
      store.set(key, list);
    }
    let grown = 0;
    for (const word of words.slice(2)) {
      list.members.push(ownBytes(word));
      grown += word.length + itemOverheadBytes;
    }
    store.grew(key, grown);
    return list.members.length;
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
