import type { Command, CommandContext } from './command.js';
import { latin1 } from './words.js';

function deleteKeys(context: CommandContext, words: Buffer[]): number {
  let deleted = 0;
  for (let at = 1; at < words.length; at += 1) {
    if (context.keyspace.delete(latin1(words[at]))) deleted += 1;
  }
  return deleted;
}

/** `DEL key…` */
export const del: Command = { name: 'del', arity: -2, flags: ['write'], keys: [1, -1, 1], run: deleteKeys };

/** `UNLINK key…` */
export const unlink: Command = {
  name: 'unlink',
  arity: -2,
  flags: ['write', 'fast'],
  keys: [1, -1, 1],
  run: deleteKeys,
};
