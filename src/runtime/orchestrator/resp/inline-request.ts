import { ProtocolError } from './protocol-error.js';

const backslash = 92;
const doubleQuote = 34;
const singleQuote = 39;
const escaped: ReadonlyMap<number, number> = new Map([
  [0x6e, 0x0a],
  [0x72, 0x0d],
  [0x74, 0x09],
  [0x62, 0x08],
  [0x61, 0x07],
]);

/**
 * The words of a request that is one line of text, without its line break: separated by blanks, quoted as in Redis. None for an
 * empty line.
 * @throws ProtocolError for quotes that do not match, and for a line of HTTP: a browser can be made to send one by anybody's page
 */
export function inlineWords(line: Buffer): Buffer[] {
  const words: Buffer[] = [];
  for (let at = skipBlanks(line, 0); at < line.length; at = skipBlanks(line, at)) {
    const word: number[] = [];
    at = readWord(line, at, word);
    words.push(Buffer.from(word));
  }
  const first = words[0]?.toString('latin1').toLowerCase();
  const isHttp = first === 'post' || first === 'host:' || /^HTTP\/\d/.test(words.at(-1)?.toString('latin1') ?? '');
  if (isHttp && words.length > 1) throw new ProtocolError('HTTP is not spoken here');
  return words;
}

function skipBlanks(line: Buffer, from: number): number {
  let at = from;
  while (isBlank(line[at])) at += 1;
  return at;
}

function isBlank(byte: number | undefined): boolean {
  return byte === 32 || (byte !== undefined && byte >= 9 && byte <= 13);
}

/** Reads the word at `from` into `word`; returns where it ends. */
function readWord(line: Buffer, from: number, word: number[]): number {
  let at = from;
  while (at < line.length && !isBlank(line[at])) {
    const byte = line[at] as number;
    at += 1;
    if (byte === doubleQuote || byte === singleQuote) {
      at = readQuoted(line, at, byte, word);
      if (at < line.length && !isBlank(line[at])) throw unbalanced();
    } else word.push(byte);
  }
  return at;
}

/** Reads up to the closing quote; returns where what follows it begins. */
function readQuoted(line: Buffer, from: number, quote: number, word: number[]): number {
  for (let at = from; at < line.length; at += 1) {
    const byte = line[at] as number;
    if (byte === quote) return at + 1;
    const next = line[at + 1];
    if (byte !== backslash || next === undefined || (quote === singleQuote && next !== singleQuote)) {
      word.push(byte);
      continue;
    }
    const hex = /^x[0-9a-f]{2}$/i.exec(line.toString('latin1', at + 1, at + 4));
    if (quote === doubleQuote && hex !== null) {
      word.push(Number.parseInt(hex[0].slice(1), 16));
      at += 3;
    } else {
      word.push(quote === singleQuote ? next : (escaped.get(next) ?? next));
      at += 1;
    }
  }
  throw unbalanced();
}

function unbalanced(): ProtocolError {
  return new ProtocolError('unbalanced quotes in request');
}
