import { ok } from '../resp/reply.js';
import { ownBytes } from '../store/lendable-bytes.js';
import { type Command, CommandError } from './command.js';
import { latin1 } from './words.js';

/** `GET key` */
export const get: Command = {
  name: 'get',
  arity: 2,
  flags: ['readonly', 'fast'],
  keys: [1, 1, 1],
  run: ({ store }, words) => store.read(latin1(words[1]), 'string')?.bytes ?? null,
};

/** `SET key value`, without options. */
export const set: Command = {
  name: 'set',
  arity: -3,
  flags: ['write', 'denyoom'],
  keys: [1, 1, 1],
  run({ store }, words) {
    const [, key, value] = words;
    if (words.length !== 3 || key === undefined || value === undefined) throw new CommandError('ERR syntax error');
    store.set(latin1(key), { kind: 'string', bytes: ownBytes(value) });
    return ok;
  },
};
