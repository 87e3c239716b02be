import { matchesGlob } from '../store/glob.js';
import { CommandError } from './command.js';
import { integer, keyword, latin1 } from './words.js';

/** Scans under way, by what they go through and cursor. What is there from a scan's start to its end is visited: Map iterators see to that. */
const openScans = new WeakMap<object, Map<number, Iterator<string>>>();
const maxOpenScans = 1024;
let lastCursor = 0;

/** What SCAN and its kin may be asked. */
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
    if (option === 'MATCH') options.pattern = latin1(word);
    else if (option === 'COUNT') {
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
  for (let visited = 0; visited < count; visited += 1) {
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
