import { assertRoom } from '../ai/room.js';
import { LendableBytes, ownBytes } from '../bytes/lendable-bytes.js';
import type { Keyspace } from '../keyspace/keyspace.js';
import type { StringValue } from '../keyspace/values.js';
import { ok, type Reply } from '../resp/reply.js';
import { bytesReply } from './bytes-reply.js';
import { type Command, type CommandContext, CommandError } from './command.js';
import { type ExpiryUnit, expiryAt } from './expiry-time.js';
import { addSigned64, negated64, signed64 } from './integers.js';
import { arityError, keyword, latin1 } from './words.js';

const syntaxError = 'ERR syntax error';

/** A string of its own bytes. */
export function stringOf(bytes: Buffer): StringValue {
  return { kind: 'string', bytes: new LendableBytes(ownBytes(bytes)) };
}

/** The bytes of a string, nil for none. */
export function replyOf(value: StringValue | undefined): Reply {
  return value === undefined ? null : bytesReply(value.bytes, value.bytes.here);
}

/** `GET key` */
export const get: Command = {
  name: 'get',
  arity: 2,
  flags: ['readonly', 'fast'],
  keys: [1, 1, 1],
  run: ({ keyspace }, words) => replyOf(keyspace.read(latin1(words[1]), 'string')),
};

interface SetOptions {
  condition?: 'NX' | 'XX';
  expiresAtMs: number;
  keepExpiry: boolean;
  returnOld: boolean;
}

/** `SET key value [NX | XX] [GET] [EX s | PX ms | EXAT s | PXAT ms | KEEPTTL]` */
export const set: Command = {
  name: 'set',
  arity: -3,
  flags: ['write', 'denyoom'],
  keys: [1, 1, 1],
  run({ keyspace }, words) {
    const key = latin1(words[1]);
    if (words.length === 3) {
      keyspace.set(key, stringOf(words[2] as Buffer));
      return ok;
    }
    const options = setOptions(words);
    const old: Reply = options.returnOld ? replyOf(keyspace.read(key, 'string')) : null;
    const there = keyspace.get(key) !== undefined;
    if (options.condition !== undefined && there !== (options.condition === 'XX')) return old;
    keyspace.set(key, stringOf(words[2] as Buffer), options);
    if (options.expiresAtMs !== 0) keyspace.expire(key, options.expiresAtMs);
    return options.returnOld ? old : ok;
  },
};

function setOptions(words: readonly Buffer[]): SetOptions {
  const options: SetOptions = { expiresAtMs: 0, keepExpiry: false, returnOld: false };
  for (let at = 3; at < words.length; at += 1) {
    const word = keyword(words[at]);
    const timed = options.expiresAtMs !== 0 || options.keepExpiry;
    if ((word === 'NX' || word === 'XX') && (options.condition ?? word) === word) options.condition = word;
    else if (word === 'GET') options.returnOld = true;
    else if (word === 'KEEPTTL' && !timed) options.keepExpiry = true;
    else if (isExpiryUnit(word) && !timed && at + 1 < words.length) {
      at += 1;
      options.expiresAtMs = expiryAt(words[at], word, 'set');
    } else throw new CommandError(syntaxError);
  }
  return options;
}

/** True for the words that say how an expiry is meant. */
export function isExpiryUnit(word: string): word is ExpiryUnit {
  return word === 'EX' || word === 'PX' || word === 'EXAT' || word === 'PXAT';
}

/** `SETNX key value` */
export const setnx: Command = {
  name: 'setnx',
  arity: 3,
  flags: ['write', 'denyoom', 'fast'],
  keys: [1, 1, 1],
  run({ keyspace }, words) {
    const key = latin1(words[1]);
    if (keyspace.get(key) !== undefined) return 0;
    keyspace.set(key, stringOf(words[2] as Buffer));
    return 1;
  },
};

/** `GETDEL key` */
export const getdel: Command = {
  name: 'getdel',
  arity: 2,
  flags: ['write', 'fast'],
  keys: [1, 1, 1],
  run({ keyspace }, words) {
    const key = latin1(words[1]);
    const value = replyOf(keyspace.read(key, 'string'));
    if (value !== null) keyspace.delete(key);
    return value;
  },
};

/** `MGET key…`: nil for what is no string. */
export const mget: Command = {
  name: 'mget',
  arity: -2,
  flags: ['readonly', 'fast'],
  keys: [1, -1, 1],
  run: ({ keyspace }, words) =>
    words.slice(1).map((word) => {
      const value = keyspace.get(latin1(word));
      return value?.kind === 'string' ? replyOf(value) : null;
    }),
};

/** `MSET key value…` */
export const mset: Command = {
  name: 'mset',
  arity: -3,
  flags: ['write', 'denyoom'],
  keys: [1, -1, 2],
  run({ keyspace }, words) {
    if (words.length % 2 === 0) throw arityError('mset');
    for (let at = 1; at < words.length; at += 2) {
      keyspace.set(latin1(words[at]), stringOf(words[at + 1] as Buffer));
    }
    return ok;
  },
};

/** `STRLEN key` */
export const strlen: Command = {
  name: 'strlen',
  arity: 2,
  flags: ['readonly', 'fast'],
  keys: [1, 1, 1],
  run: ({ keyspace }, words) => keyspace.read(latin1(words[1]), 'string')?.bytes.byteLength ?? 0,
};

/** `APPEND key value` */
export const append: Command = {
  name: 'append',
  arity: 3,
  flags: ['write', 'denyoom', 'fast'],
  keys: [1, 1, 1],
  run({ keyspace, server }, words) {
    const key = latin1(words[1]);
    const before = keyspace.read(key, 'string')?.bytes.here ?? Buffer.alloc(0);
    if (before.length + (words[2]?.length ?? 0) > server.limits.maxBulkBytes) {
      throw new CommandError('ERR string exceeds maximum allowed size (proto-max-bulk-len)');
    }
    assertRoom({ server }, before.length + (words[2]?.length ?? 0));
    const bytes = Buffer.concat([before, words[2] as Buffer]);
    keyspace.set(key, stringOf(bytes), { keepExpiry: true });
    return bytes.length;
  },
};

function add(keyspace: Keyspace, key: string, amount: bigint): bigint {
  const before = signed64(keyspace.read(key, 'string')?.bytes.here ?? Buffer.from('0'));
  const value = addSigned64(before, amount);
  keyspace.set(key, stringOf(Buffer.from(String(value))), { keepExpiry: true });
  return value;
}

function counter(name: string, arity: number, amount: (words: readonly Buffer[]) => bigint): Command {
  return {
    name,
    arity,
    flags: ['write', 'denyoom', 'fast'],
    keys: [1, 1, 1],
    run: ({ keyspace }: CommandContext, words) => add(keyspace, latin1(words[1]), amount(words)),
  };
}

/** `INCR key`, `DECR key`, `INCRBY key n`, `DECRBY key n` */
export const counters: readonly Command[] = [
  counter('incr', 2, () => 1n),
  counter('decr', 2, () => -1n),
  counter('incrby', 3, (words) => signed64(words[2])),
  counter('decrby', 3, (words) => negated64(signed64(words[2]))),
];

/** `SETEX key seconds value`, `PSETEX key milliseconds value` */
function setExpiring(name: string, unit: ExpiryUnit): Command {
  return {
    name,
    arity: 4,
    flags: ['write', 'denyoom'],
    keys: [1, 1, 1],
    run({ keyspace }, words) {
      const atMs = expiryAt(words[2], unit, name);
      keyspace.set(latin1(words[1]), stringOf(words[3] as Buffer));
      keyspace.expire(latin1(words[1]), atMs);
      return ok;
    },
  };
}

export const setex = setExpiring('setex', 'EX');
export const psetex = setExpiring('psetex', 'PX');
