import type { Command } from './command.js';

/** `RANDOMKEY` */
export const randomkey: Command = {
  name: 'randomkey',
  arity: 1,
  flags: ['readonly'],
  keys: [0, 0, 0],
  run({ keyspace }) {
    const key = keyspace.anyKey();
    return key === undefined ? null : Buffer.from(key, 'latin1');
  },
};
