import { typeNames } from '../keyspace/values.js';
import { SimpleString } from '../resp/reply.js';
import type { Command } from './command.js';
import { latin1 } from './words.js';

/** `TYPE key` */
export const type: Command = {
  name: 'type',
  arity: 2,
  flags: ['readonly', 'fast'],
  keys: [1, 1, 1],
  run({ keyspace }, words) {
    const value = keyspace.get(latin1(words[1]));
    return new SimpleString(value === undefined ? 'none' : typeNames[value.kind]);
  },
};
