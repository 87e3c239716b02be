import { ok, type Reply } from '../resp/reply.js';
import { matchesGlob } from '../store/glob.js';
import { typeNames } from '../store/values.js';
import { type Command, type CommandContext, CommandError } from './command.js';
import { integer, keyword, latin1 } from './words.js';

/** `DBSIZE` */
export const dbsize: Command = {
  name: 'dbsize',
  arity: 1,
  flags: ['readonly', 'fast'],
  keys: [0, 0, 0],
  run: ({ store }) => store.size,
};

/** `FLUSHDB`, `FLUSHALL`, with or without `SYNC` or `ASYNC`. */
function flush(name: string): Command {
  return {
    name,
    arity: -1,
    flags: ['write'],
    keys: [0, 0, 0],
    run({ store }, words) {
      const mode = keyword(words[1]);
      if (words.length > 2 || (words.length === 2 && mode !== 'SYNC' && mode !== 'ASYNC')) {
        throw new CommandError('ERR syntax error');
      }
      store.clear();
      return ok;
    },
  };
}

export const flushdb = flush('flushdb');
export const flushall = flush('flushall');

/** `KEYS pattern` */
export const keys: Command = {
  name: 'keys',
  arity: 2,
  flags: ['readonly'],
  keys: [0, 0, 0],
  run({ store }, words) {
    const pattern = latin1(words[1]);
    const found: Reply[] = [];
    for (const key of store.keys()) {
      if ((pattern === '*' || matchesGlob(pattern, key)) && store.peek(key) !== undefined) {
        found.push(Buffer.from(key, 'latin1'));
      }
    }
    return found;
  },
};

/** Scans under way, by cursor. A key that is there from a scan's start to its end is visited: Map iterators see to that. */
const openScans = new WeakMap<object, Map<number, IterableIterator<string>>>();
const maxOpenScans = 1024;
let lastCursor = 0;

/** `SCAN cursor [MATCH pattern] [COUNT n] [TYPE name]` */
export const scan: Command = {
  name: 'scan',
  arity: -2,
  flags: ['readonly'],
  keys: [0, 0, 0],
  run(context, words) {
    const cursor = integer(words[1]);
    if (cursor === undefined || cursor < 0) throw new CommandError('ERR invalid cursor');
    const { pattern, count, type } = scanOptions(words);
    const scans = scansOf(context);
    const iterator = cursor === 0 ? context.store.keys() : scans.get(cursor);
    scans.delete(cursor);
    const found: Reply[] = [];
    if (iterator === undefined) return ['0', found];
    for (let visited = 0; visited < count; visited += 1) {
      const { done, value: key } = iterator.next();
      if (done === true) return ['0', found];
      const value = context.store.peek(key)?.value;
      if (value === undefined) continue;
      if (pattern !== undefined && !matchesGlob(pattern, key)) continue;
      if (type !== undefined && typeNames[value.kind].toLowerCase() !== type) continue;
      found.push(Buffer.from(key, 'latin1'));
    }
    const next = ++lastCursor;
    scans.set(next, iterator);
    if (scans.size > maxOpenScans) scans.delete(Math.min(...scans.keys()));
    return [String(next), found];
  },
};

function scansOf({ store }: CommandContext): Map<number, IterableIterator<string>> {
  let scans = openScans.get(store);
  if (scans === undefined) {
    scans = new Map();
    openScans.set(store, scans);
  }
  return scans;
}

function scanOptions(words: readonly Buffer[]): { pattern?: string; count: number; type?: string } {
  const options: { pattern?: string; count: number; type?: string } = { count: 10 };
  for (let at = 2; at < words.length; at += 2) {
    const word = words[at + 1];
    if (word === undefined) throw new CommandError('ERR syntax error');
    switch (keyword(words[at])) {
      case 'MATCH':
        options.pattern = latin1(word);
        break;
      case 'COUNT': {
        const count = integer(word);
        if (count === undefined) throw new CommandError('ERR value is not an integer or out of range');
        if (count < 1) throw new CommandError('ERR syntax error');
        options.count = count;
        break;
      }
      case 'TYPE':
        options.type = latin1(word).toLowerCase();
        break;
      default:
        throw new CommandError('ERR syntax error');
    }
  }
  return options;
}
