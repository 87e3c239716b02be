import type { Command } from './command.js';
import { latin1 } from './words.js';

function counts(name: string): Command {
  return {
    name,
    arity: -2,
    flags: ['readonly', 'fast'],
    keys: [1, -1, 1],
    run({ keyspace }, words) {
      let found = 0;
      for (let at = 1; at < words.length; at += 1) {
        if (keyspace.get(latin1(words[at])) !== undefined) found += 1;
      }
      return found;
    },
  };
}

/** `EXISTS key…`: a key named twice counts twice. */
export const exists = counts('exists');

/** `TOUCH key…`: the same, said by those who want the keys to count as used. */
export const touch = counts('touch');
