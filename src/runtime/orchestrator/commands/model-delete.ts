import { ok } from '../resp/reply.js';
import type { AiCommand } from './command.js';
import { modelAt } from './models.js';
import { latin1 } from './words.js';

/** `AI.MODELDEL key` */
export const modelDelete: AiCommand = {
  name: 'ai.modeldel',
  arity: 2,
  flags: ['write'],
  keys: [1, 1, 1],
  mayNest: true,
  run({ tensors }, words) {
    modelAt(tensors, words[1]);
    tensors.delete(latin1(words[1]));
    return ok;
  },
};
