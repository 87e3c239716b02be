import { SimpleString } from '../resp/reply.js';
import { typeNames } from '../store/values.js';
import type { Command } from './command.js';
import { latin1 } from './words.js';

/** `TYPE key` */
export const type: Command = {
  name: 'type',
  arity: 2,
  flags: ['readonly', 'fast'],
  keys: [1, 1, 1],
  run({ store }, words) {
    const value = store.get(latin1(words[1]));
    return new SimpleString(value === undefined ? 'none' : typeNames[value.kind]);
  },
};
