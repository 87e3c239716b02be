import { ok } from '../resp/reply.js';
import type { Command } from './command.js';

/** `QUIT`: the connection ends after the reply. */
export const quit: Command = {
  name: 'quit',
  arity: -1,
  flags: ['fast'],
  keys: [0, 0, 0],
  inTransaction: 'runs',
  run({ client }) {
    client.quitting = true;
    return ok;
  },
};
