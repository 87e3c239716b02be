import { ok } from '../resp/reply.js';
import { type Command, CommandError } from './command.js';
import { latin1 } from './words.js';

/** `RENAME key newkey`: a key may be renamed to itself. */
export const rename: Command = {
  name: 'rename',
  arity: 3,
  flags: ['write'],
  keys: [1, 2, 1],
  run({ keyspace }, words) {
    if (!keyspace.rename(latin1(words[1]), latin1(words[2]))) throw new CommandError('ERR no such key');
    return ok;
  },
};

/** `RENAMENX key newkey` */
export const renamenx: Command = {
  name: 'renamenx',
  arity: 3,
  flags: ['write', 'fast'],
  keys: [1, 2, 1],
  run({ keyspace }, words) {
    const [from, to] = [latin1(words[1]), latin1(words[2])];
    if (keyspace.get(from) === undefined) throw new CommandError('ERR no such key');
    if (keyspace.get(to) !== undefined) return 0;
    return keyspace.rename(from, to) ? 1 : 0;
  },
};
