import { ok } from '../resp/reply.js';
import type { Command } from './command.js';
import { modelAt } from './models.js';
import { latin1 } from './words.js';

/** `AI.MODELDEL key` */
export const modelDelete: Command = {
  name: 'ai.modeldel',
  arity: 2,
  flags: ['write'],
  keys: [1, 1, 1],
  mayNest: true,
  run({ store }, words) {
    modelAt(store, words[1]);
    store.delete(latin1(words[1]));
    return ok;
  },
};
