import { SimpleString } from '../resp/reply.js';
import type { Command } from './command.js';
import { arityError } from './words.js';

const pong = new SimpleString('PONG');

/** `PING [message]` */
export const ping: Command = {
  name: 'ping',
  arity: -1,
  flags: ['fast'],
  keys: [0, 0, 0],
  run(_context, words) {
    if (words.length > 2) throw arityError('ping');
    return words[1] === undefined ? pong : Buffer.from(words[1]);
  },
};

/** `ECHO message` */
export const echo: Command = {
  name: 'echo',
  arity: 2,
  flags: ['fast'],
  keys: [0, 0, 0],
  run: (_context, words) => Buffer.from(words[1] as Buffer),
};
