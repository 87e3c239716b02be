import { assertRoom } from '../ai/room.js';
import { newStatistics } from '../ai/values.js';
import { sizeOf } from '../keyspace/size.js';
import { frozen } from '../keyspace/snapshot.js';
import type { StoredValue } from '../keyspace/values.js';
import { type Command, type CommandContext, CommandError } from './command.js';
import { integer, keyword, latin1 } from './words.js';

/** `COPY source destination [DB 0] [REPLACE]` */
export const copy: Command = {
  name: 'copy',
  arity: -3,
  flags: ['write', 'denyoom'],
  keys: [1, 2, 1],
  run(context, words) {
    const { keyspace } = context;
    const replace = mayReplace(words);
    const [from, to] = [latin1(words[1]), latin1(words[2])];
    if (from === to) throw new CommandError('ERR source and destination objects are the same');
    const value = keyspace.get(from);
    if (value === undefined) return 0;
    if (!replace && keyspace.get(to) !== undefined) return 0;
    const expiresAtMs = keyspace.expiry(from) ?? 0;
    // Bytes are shared, and counted for both all the same: one of them may go.
    assertRoom(context, sizeOf(value));
    keyspace.set(to, copyOf(context, value));
    if (expiresAtMs !== 0) keyspace.expire(to, expiresAtMs);
    return 1;
  },
};

/** Bytes and models never change once they are stored: copies share them. */
function copyOf({ inference }: CommandContext, value: StoredValue): StoredValue {
  switch (value.kind) {
    case 'tensor':
    case 'string':
      return { ...value, bytes: value.bytes.share() };
    case 'model':
      return { ...value, loaded: inference.share(value.loaded), statistics: newStatistics() };
    case 'script':
      return { ...value, loaded: inference.share(value.loaded), statistics: newStatistics() };
    default:
      return frozen(value);
  }
}

function mayReplace(words: readonly Buffer[]): boolean {
  let replace = false;
  for (let at = 3; at < words.length; at += 1) {
    const word = keyword(words[at]);
    if (word === 'REPLACE') replace = true;
    else if (word === 'DB' && at + 1 < words.length) {
      at += 1;
      const database = integer(words[at]);
      if (database === undefined) throw new CommandError('ERR value is not an integer or out of range');
      if (database !== 0) throw new CommandError('ERR DB index is out of range');
    } else throw new CommandError('ERR syntax error');
  }
  return replace;
}
