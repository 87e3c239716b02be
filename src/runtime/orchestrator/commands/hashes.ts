import { ownBytes } from '../bytes/lendable-bytes.js';
import type { Keyspace } from '../keyspace/keyspace.js';
import { itemOverheadBytes, sizeOf } from '../keyspace/size.js';
import type { HashValue } from '../keyspace/values.js';
import { LongReply, MapReply, ok, type Reply } from '../resp/reply.js';
import type { Command, CommandContext } from './command.js';
import { assertItems } from './room.js';
import { arityError, latin1 } from './words.js';

/** More of them are sent bit by bit. */
const fewFields = 128;

/** Sets fields; returns how many are new. */
function setFields({ keyspace }: CommandContext, words: Buffer[], name: string): number {
  if (words.length % 2 !== 0) throw arityError(name);
  return setPairs(keyspace, latin1(words[1]), words.slice(2));
}

/** Sets fields to what follows each of them, in the hash at the key, which is made if need be; returns how many are new. */
export function setPairs(keyspace: Keyspace, key: string, words: readonly Buffer[]): number {
  let hash = keyspace.change(key, 'hash');
  if (hash === undefined) {
    hash = { kind: 'hash', fields: new Map() } satisfies HashValue;
    keyspace.set(key, hash);
  }
  assertItems(hash.fields.size + words.length / 2);
  let added = 0;
  let grown = 0;
  for (let at = 0; at + 1 < words.length; at += 2) {
    const field = latin1(words[at]);
    const content = ownBytes(words[at + 1] as Buffer);
    const before = hash.fields.get(field);
    if (before === undefined) added += 1;
    grown += content.length - (before === undefined ? -(field.length + itemOverheadBytes) : before.length);
    hash.fields.set(field, content);
  }
  keyspace.grew(key, grown);
  return added;
}

/** `HSET key field value…` */
export const hset: Command = {
  name: 'hset',
  arity: -4,
  flags: ['write', 'denyoom', 'fast'],
  keys: [1, 1, 1],
  run: (context, words) => setFields(context, words, 'hset'),
};

/** `HMSET key field value…` */
export const hmset: Command = {
  name: 'hmset',
  arity: -4,
  flags: ['write', 'denyoom', 'fast'],
  keys: [1, 1, 1],
  run(context, words) {
    setFields(context, words, 'hmset');
    return ok;
  },
};

/** `HGET key field` */
export const hget: Command = {
  name: 'hget',
  arity: 3,
  flags: ['readonly', 'fast'],
  keys: [1, 1, 1],
  run: ({ keyspace }, words) => keyspace.read(latin1(words[1]), 'hash')?.fields.get(latin1(words[2])) ?? null,
};

/** `HGETALL key`: fields and values in turn, in the order in which the fields came. */
export const hgetall: Command = {
  name: 'hgetall',
  arity: 2,
  flags: ['readonly'],
  keys: [1, 1, 1],
  run({ keyspace }, words) {
    const hash = keyspace.read(latin1(words[1]), 'hash');
    if (hash === undefined) return new MapReply([]);
    const pairs: (string | Buffer)[] = [];
    for (const [field, content] of hash.fields) pairs.push(field, content);
    if (hash.fields.size > fewFields) return new LongReply(pairs.length, asBytes(pairs), sizeOf(hash), undefined, true);
    return new MapReply([...asBytes(pairs)]);
  },
};

/** `HEXISTS key field` */
export const hexists: Command = {
  name: 'hexists',
  arity: 3,
  flags: ['readonly', 'fast'],
  keys: [1, 1, 1],
  run: ({ keyspace }, words) =>
    keyspace.read(latin1(words[1]), 'hash')?.fields.has(latin1(words[2])) === true ? 1 : 0,
};

/** `HLEN key` */
export const hlen: Command = {
  name: 'hlen',
  arity: 2,
  flags: ['readonly', 'fast'],
  keys: [1, 1, 1],
  run: ({ keyspace }, words) => keyspace.read(latin1(words[1]), 'hash')?.fields.size ?? 0,
};

/** `HDEL key field…`: a hash without fields is gone. */
export const hdel: Command = {
  name: 'hdel',
  arity: -3,
  flags: ['write', 'fast'],
  keys: [1, 1, 1],
  run({ keyspace }, words) {
    const key = latin1(words[1]);
    const there = keyspace.read(key, 'hash')?.fields;
    const named = words.slice(2);
    if (there === undefined || !named.some((word) => there.has(latin1(word)))) return 0;
    const hash = keyspace.change(key, 'hash');
    if (hash === undefined) return 0;
    let deleted = 0;
    let shrunk = 0;
    for (const word of named) {
      const field = latin1(word);
      const content = hash.fields.get(field);
      if (content === undefined) continue;
      hash.fields.delete(field);
      deleted += 1;
      shrunk += field.length + content.length + itemOverheadBytes;
    }
    keyspace.grew(key, -shrunk);
    if (hash.fields.size === 0) keyspace.delete(key);
    return deleted;
  },
};

/** Field names as bytes, made as they are wanted. */
function* asBytes(words: readonly (string | Buffer)[]): Generator<Buffer, void> {
  for (const word of words) yield typeof word === 'string' ? Buffer.from(word, 'latin1') : word;
}

function longIfMany(words: readonly (string | Buffer)[]): Reply {
  if (words.length <= fewFields) return [...asBytes(words)];
  return new LongReply(
    words.length,
    asBytes(words),
    words.reduce((bytes, { length }) => bytes + length, 0),
  );
}

/** `HKEYS key` */
export const hkeys: Command = {
  name: 'hkeys',
  arity: 2,
  flags: ['readonly'],
  keys: [1, 1, 1],
  run: ({ keyspace }, words) => longIfMany([...(keyspace.read(latin1(words[1]), 'hash')?.fields.keys() ?? [])]),
};

/** `HVALS key` */
export const hvals: Command = {
  name: 'hvals',
  arity: 2,
  flags: ['readonly'],
  keys: [1, 1, 1],
  run: ({ keyspace }, words) => longIfMany([...(keyspace.read(latin1(words[1]), 'hash')?.fields.values() ?? [])]),
};

/** `HMGET key field…` */
export const hmget: Command = {
  name: 'hmget',
  arity: -3,
  flags: ['readonly', 'fast'],
  keys: [1, 1, 1],
  run({ keyspace }, words) {
    const fields = keyspace.read(latin1(words[1]), 'hash')?.fields;
    return words.slice(2).map((word) => fields?.get(latin1(word)) ?? null);
  },
};
