import { type Command, CommandError } from './command.js';
import { arityError, keyword, latin1 } from './words.js';

/** `MEMORY USAGE key [SAMPLES n]`: what the key counts for against the limit. */
export const memory: Command = {
  name: 'memory',
  arity: -2,
  flags: ['readonly'],
  keys: [2, 2, 1],
  run({ keyspace }, words) {
    if (keyword(words[1]) !== 'USAGE') {
      throw new CommandError(`ERR unknown subcommand '${latin1(words[1])}'. Try MEMORY HELP.`);
    }
    if (words.length < 3) throw arityError('memory|usage');
    if (words.length !== 3 && (words.length !== 5 || keyword(words[3]) !== 'SAMPLES')) {
      throw new CommandError('ERR syntax error');
    }
    return keyspace.peek(latin1(words[2]))?.bytes ?? null;
  },
};
