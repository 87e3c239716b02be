import type { Reply } from '../resp/reply.js';
import { type Command, CommandError } from './command.js';
import { setPairs } from './hashes.js';
import { addSigned64, signed64 } from './integers.js';
import { scanOptions, scanPage } from './scan-pages.js';
import { integer, keyword, latin1, rangeInteger } from './words.js';

/** So many fields come in one page of a scan whatever COUNT says. */
const smallHash = 128;

/** `HSETNX key field value` */
const hsetnx: Command = {
  name: 'hsetnx',
  arity: 4,
  flags: ['write', 'denyoom', 'fast'],
  keys: [1, 1, 1],
  run({ keyspace }, words) {
    const key = latin1(words[1]);
    if (keyspace.read(key, 'hash')?.fields.has(latin1(words[2])) === true) return 0;
    return setPairs(keyspace, key, words.slice(2));
  },
};

/** `HSTRLEN key field` */
const hstrlen: Command = {
  name: 'hstrlen',
  arity: 3,
  flags: ['readonly', 'fast'],
  keys: [1, 1, 1],
  run: ({ keyspace }, words) => keyspace.read(latin1(words[1]), 'hash')?.fields.get(latin1(words[2]))?.length ?? 0,
};

/** `HINCRBY key field n` */
const hincrby: Command = {
  name: 'hincrby',
  arity: 4,
  flags: ['write', 'denyoom', 'fast'],
  keys: [1, 1, 1],
  run({ keyspace }, words) {
    const amount = signed64(words[3]);
    const key = latin1(words[1]);
    const before = keyspace.read(key, 'hash')?.fields.get(latin1(words[2]));
    const value = addSigned64(before === undefined ? 0n : signed64(before, 'ERR hash value is not an integer'), amount);
    setPairs(keyspace, key, [words[2] as Buffer, Buffer.from(String(value))]);
    return value;
  },
};

/** `HSCAN key cursor [MATCH pattern] [COUNT n]` */
const hscan: Command = {
  name: 'hscan',
  arity: -3,
  flags: ['readonly'],
  keys: [1, 1, 1],
  run({ keyspace }, words) {
    const cursor = integer(words[2]);
    if (cursor === undefined) throw new CommandError('ERR invalid cursor');
    const fields = keyspace.read(latin1(words[1]), 'hash')?.fields;
    if (fields === undefined) return ['0', []];
    const found: Reply[] = [];
    const asked = scanOptions(words.slice(3), false);
    // A small hash comes whole, whatever the cursor, as Redis's do.
    const whole = fields.size <= smallHash;
    const options = whole ? { ...asked, count: fields.size + 1 } : asked;
    const visit = (field: string): void => {
      const content = fields.get(field);
      if (content !== undefined) found.push(Buffer.from(field, 'latin1'), content);
    };
    const next = scanPage(fields, () => fields.keys(), whole ? 0 : cursor, options, visit);
    return [next, found];
  },
};

/** `HRANDFIELD key [count [WITHVALUES]]`: different fields, or for a negative count any of them as often as it comes. */
const hrandfield: Command = {
  name: 'hrandfield',
  arity: -2,
  flags: ['readonly'],
  keys: [1, 1, 1],
  run({ keyspace, client }, words) {
    const count = words.length > 2 ? rangeInteger(words[2]) : undefined;
    if (words.length > 4 || (words.length === 4 && keyword(words[3]) !== 'WITHVALUES')) {
      throw new CommandError('ERR syntax error');
    }
    const all = [...(keyspace.read(latin1(words[1]), 'hash')?.fields ?? [])];
    const any = (): [string, Buffer] => all[Math.floor(Math.random() * all.length)] as [string, Buffer];
    if (count === undefined) return all.length === 0 ? null : Buffer.from(any()[0], 'latin1');
    if (all.length === 0) return [];
    if (Math.abs(count) > maxRandomFields) throw new CommandError('ERR value is out of range');
    const chosen = count < 0 ? Array.from({ length: -count }, any) : sample(all, count);
    if (words.length < 4) return chosen.map(([field]) => Buffer.from(field, 'latin1'));
    const pairs = chosen.map(([field, content]): Reply[] => [Buffer.from(field, 'latin1'), content]);
    return client.protocol === 3 ? pairs : pairs.flat();
  },
};

const maxRandomFields = 1024 * 1024;

/** So many different items, or all. */
function sample<Item>(items: Item[], count: number): Item[] {
  const wanted = Math.min(count, items.length);
  for (let at = 0; at < wanted; at += 1) {
    const other = at + Math.floor(Math.random() * (items.length - at));
    [items[at], items[other]] = [items[other] as Item, items[at] as Item];
  }
  return items.slice(0, wanted);
}

export const hashFields: readonly Command[] = [hsetnx, hstrlen, hincrby, hscan, hrandfield];
