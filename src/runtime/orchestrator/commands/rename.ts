import { ok } from '../resp/reply.js';
import { type Command, CommandError } from './command.js';
import { latin1 } from './words.js';

/** `RENAME key newkey`: a key may be renamed to itself. */
export const rename: Command = {
  name: 'rename',
  arity: 3,
  flags: ['write'],
  keys: [1, 2, 1],
  run({ store }, words) {
    if (!store.rename(latin1(words[1]), latin1(words[2]))) throw new CommandError('ERR no such key');
    return ok;
  },
};
