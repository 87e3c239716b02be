import { assertRoom } from '../ai/room.js';
import type { Reply } from '../resp/reply.js';
import { type Command, type CommandContext, CommandError } from './command.js';
import { stringOf } from './strings.js';
import { latin1, rangeInteger } from './words.js';

const noBytes = Buffer.alloc(0);

function range({ keyspace }: CommandContext, words: readonly Buffer[]): Reply {
  const [start, stop] = [rangeInteger(words[2]), rangeInteger(words[3])];
  const bytes = keyspace.read(latin1(words[1]), 'string')?.bytes.here ?? noBytes;
  const from = Math.max(0, start < 0 ? bytes.length + start : start);
  const to = Math.max(0, stop < 0 ? bytes.length + stop : stop);
  if (start < 0 && stop < 0 && start > stop) return noBytes;
  // A copy: the string's memory may be used again before the reply is written.
  return Buffer.from(bytes.subarray(from, to + 1));
}

function gets(name: string): Command {
  return { name, arity: 4, flags: ['readonly'], keys: [1, 1, 1], run: range };
}

/** `SETRANGE key offset value`: zeros fill what lies between. */
const setrange: Command = {
  name: 'setrange',
  arity: 4,
  flags: ['write', 'denyoom'],
  keys: [1, 1, 1],
  run({ keyspace, server }, words) {
    const offset = rangeInteger(words[2]);
    if (offset < 0) throw new CommandError('ERR offset is out of range');
    const key = latin1(words[1]);
    const before = keyspace.read(key, 'string')?.bytes.here ?? noBytes;
    const value = words[3] as Buffer;
    if (value.length === 0) return before.length;
    const length = Math.max(before.length, offset + value.length);
    if (length > server.limits.maxBulkBytes) {
      throw new CommandError('ERR string exceeds maximum allowed size (proto-max-bulk-len)');
    }
    assertRoom({ server }, length);
    // Fresh memory of the system is zero already, and costs nothing until it is written.
    const bytes = Buffer.from(new ArrayBuffer(length));
    bytes.set(before);
    bytes.set(value, offset);
    keyspace.set(key, stringOf(bytes), { keepExpiry: true });
    return length;
  },
};

/** `GETRANGE key start stop`, by its old name `SUBSTR`, too; `SETRANGE`. */
export const stringRanges: readonly Command[] = [gets('getrange'), gets('substr'), setrange];
