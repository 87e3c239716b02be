import { matchesGlob } from '../keyspace/glob.js';
import { CommandError } from './command.js';
import { integer, keyword, latin1 } from './words.js';

/** Scans under way, by collection and cursor. A scan visits all that is there from its start to its end: Map iterators guarantee that. */
const openScans = new WeakMap<object, Map<number, Iterator<string>>>();
const maxOpenScans = 1024;
/** Most names that are visited at a time, whatever COUNT says: it is a hint. */
const mostAtOnce = 10_000;
/** Most bytes of a pattern: a longer one could keep all clients waiting. */
export const mostPatternBytes = 4096;
let lastCursor = 0;

/** Options of SCAN and related commands. */
export interface ScanOptions {
  pattern?: string;
  count: number;
  type?: string;
}

/** `[MATCH pattern] [COUNT n] [TYPE name]`; TYPE only where keys are scanned. @throws CommandError with Redis's texts */
export function scanOptions(words: readonly Buffer[], ofKeys: boolean): ScanOptions {
  const options: ScanOptions = { count: 10 };
  for (let at = 0; at < words.length; at += 2) {
    const word = words[at + 1];
    if (word === undefined) throw new CommandError('ERR syntax error');
    const option = keyword(words[at]);
    if (option === 'MATCH') {
      if (word.length > mostPatternBytes) throw new CommandError(`ERR a pattern has at most ${mostPatternBytes} bytes`);
      options.pattern = latin1(word);
    } else if (option === 'COUNT') {
      const count = integer(word);
      if (count === undefined) throw new CommandError('ERR value is not an integer or out of range');
      if (count < 1) throw new CommandError('ERR syntax error');
      options.count = count;
    } else if (option === 'TYPE' && ofKeys) options.type = latin1(word).toLowerCase();
    else throw new CommandError('ERR syntax error');
  }
  return options;
}

/** Visits the next names that match, of as many as COUNT says; returns the cursor to go on with, `0` at the end. */
export function scanPage(
  owner: object,
  start: () => Iterator<string>,
  cursor: number,
  { pattern, count }: ScanOptions,
  visit: (name: string) => void,
): string {
  const scans = scansOf(owner);
  const iterator = cursor === 0 ? start() : scans.get(cursor);
  scans.delete(cursor);
  if (iterator === undefined) return '0';
  for (let visited = 0; visited < Math.min(count, mostAtOnce); visited += 1) {
    const { done, value: name } = iterator.next();
    if (done === true) return '0';
    if (pattern === undefined || matchesGlob(pattern, name)) visit(name);
  }
  const next = ++lastCursor;
  scans.set(next, iterator);
  const [oldest] = scans.keys();
  if (scans.size > maxOpenScans && oldest !== undefined) scans.delete(oldest);
  return String(next);
}

function scansOf(owner: object): Map<number, Iterator<string>> {
  let scans = openScans.get(owner);
  if (scans === undefined) {
    scans = new Map();
    openScans.set(owner, scans);
  }
  return scans;
}
