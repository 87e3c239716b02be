import { type Command, CommandError } from './command.js';
import { expiryAt } from './expiry-time.js';
import { isExpiryUnit, replyOf, stringOf } from './strings.js';
import { arityError, keyword, latin1 } from './words.js';

/** `GETSET key value` */
const getset: Command = {
  name: 'getset',
  arity: 3,
  flags: ['write', 'denyoom', 'fast'],
  keys: [1, 1, 1],
  run({ keyspace }, words) {
    const key = latin1(words[1]);
    const old = replyOf(keyspace.read(key, 'string'));
    keyspace.set(key, stringOf(words[2] as Buffer));
    return old;
  },
};

/** `GETEX key [EX s | PX ms | EXAT s | PXAT ms | PERSIST]` */
const getex: Command = {
  name: 'getex',
  arity: -2,
  flags: ['write', 'fast'],
  keys: [1, 1, 1],
  run({ keyspace }, words) {
    const option = keyword(words[2]);
    const timed = isExpiryUnit(option);
    const expected = words.length === 2 ? 2 : timed ? 4 : option === 'PERSIST' ? 3 : 0;
    if (words.length !== expected) throw new CommandError('ERR syntax error');
    const key = latin1(words[1]);
    const value = keyspace.read(key, 'string');
    if (value === undefined) return null;
    const reply = replyOf(value);
    if (timed) {
      const atMs = expiryAt(words[3], option, 'getex');
      if (atMs <= Date.now()) keyspace.delete(key);
      else keyspace.expire(key, atMs);
    } else if (option === 'PERSIST' && keyspace.expiry(key) !== 0) keyspace.expire(key, 0);
    return reply;
  },
};

/** `MSETNX key value…`: all or, if one of the keys is there, none. */
const msetnx: Command = {
  name: 'msetnx',
  arity: -3,
  flags: ['write', 'denyoom'],
  keys: [1, -1, 2],
  run({ keyspace }, words) {
    if (words.length % 2 === 0) throw arityError('msetnx');
    for (let at = 1; at < words.length; at += 2) if (keyspace.get(latin1(words[at])) !== undefined) return 0;
    for (let at = 1; at < words.length; at += 2) keyspace.set(latin1(words[at]), stringOf(words[at + 1] as Buffer));
    return 1;
  },
};

export const stringExchanges: readonly Command[] = [getset, getex, msetnx];
