import { matchesGlob } from '../keyspace/glob.js';
import { typeNames } from '../keyspace/values.js';
import { LongReply, ok, type Reply } from '../resp/reply.js';
import { type Command, CommandError } from './command.js';
import { mostPatternBytes, scanOptions, scanPage } from './scan-pages.js';
import { inTurns } from './turns.js';
import { integer, keyword, latin1 } from './words.js';

/** More of them are sent bit by bit. */
const fewKeys = 256;

/** `DBSIZE` */
export const dbsize: Command = {
  name: 'dbsize',
  arity: 1,
  flags: ['readonly', 'fast'],
  keys: [0, 0, 0],
  run: ({ keyspace }) => keyspace.size,
};

/** `FLUSHDB`, `FLUSHALL`, with or without `SYNC` or `ASYNC`. */
function flush(name: string): Command {
  return {
    name,
    arity: -1,
    flags: ['write'],
    keys: [0, 0, 0],
    run({ keyspace }, words) {
      const mode = keyword(words[1]);
      if (words.length > 2 || (words.length === 2 && mode !== 'SYNC' && mode !== 'ASYNC')) {
        throw new CommandError('ERR syntax error');
      }
      keyspace.clear();
      return ok;
    },
  };
}

export const flushdb = flush('flushdb');
export const flushall = flush('flushall');

function* atMost(keys: Iterator<string>, count: number): Generator<string, void> {
  for (let left = count; left > 0; left -= 1) {
    const { done, value } = keys.next();
    if (done === true) return;
    yield value;
  }
}

/** Names as a reply, of which each is made into bytes as it is sent. */
export function keysReply(names: readonly string[]): Reply {
  if (names.length <= fewKeys) return names.map((name) => Buffer.from(name, 'latin1'));
  const elements = {
    *[Symbol.iterator]() {
      for (const name of names) yield Buffer.from(name, 'latin1');
    },
  };
  return new LongReply(names.length, elements, names.length * 8);
}

/** `KEYS pattern` */
export const keys: Command = {
  name: 'keys',
  arity: 2,
  flags: ['readonly'],
  keys: [0, 0, 0],
  run({ keyspace }, words) {
    const pattern = latin1(words[1]);
    if (pattern.length > mostPatternBytes)
      throw new CommandError(`ERR a pattern has at most ${mostPatternBytes} bytes`);
    const found: string[] = [];
    const visit = (key: string): void => {
      if ((pattern === '*' || matchesGlob(pattern, key)) && keyspace.peek(key) !== undefined) found.push(key);
    };
    // Keys that are added meanwhile come at the end.
    return inTurns(atMost(keyspace.keys(), keyspace.size), visit, () => keysReply(found));
  },
};

/** `SCAN cursor [MATCH pattern] [COUNT n] [TYPE name]` */
export const scan: Command = {
  name: 'scan',
  arity: -2,
  flags: ['readonly'],
  keys: [0, 0, 0],
  run({ keyspace }, words) {
    const cursor = integer(words[1]);
    if (cursor === undefined || cursor < 0) throw new CommandError('ERR invalid cursor');
    const options = scanOptions(words.slice(2), true);
    const found: Reply[] = [];
    const next = scanPage(
      keyspace.generation,
      () => keyspace.keys(),
      cursor,
      options,
      (key) => {
        const value = keyspace.peek(key)?.value;
        if (value === undefined) return;
        if (options.type !== undefined && typeNames[value.kind].toLowerCase() !== options.type) return;
        found.push(Buffer.from(key, 'latin1'));
      },
    );
    return [next, found];
  },
};
