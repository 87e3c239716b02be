import { type Command, CommandError } from './command.js';
import { arityError, keyword, latin1 } from './words.js';
import { residentBytes } from './worker-facts.js';

/** `MEMORY USAGE key [SAMPLES n]`: what the key counts for against the limit. `MEMORY STATS`: the store's, and its workers'. */
export const memory: Command = {
  name: 'memory',
  arity: -2,
  flags: ['readonly'],
  keys: [2, 2, 1],
  run({ keyspace, inference }, words) {
    if (keyword(words[1]) === 'STATS' && words.length === 2) {
      const { workers } = inference;
      return [
        ...['peak.allocated', keyspace.peakBytes, 'total.allocated', keyspace.usedBytes],
        ...['keys.count', keyspace.size, 'dataset.bytes', keyspace.usedBytes],
        ...['workers.count', workers.length, 'workers.resident', residentBytes(workers)],
      ];
    }
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
