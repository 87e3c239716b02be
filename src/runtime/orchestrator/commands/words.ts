import { CommandError } from './command.js';

/** Names are compared and hashed as a whole while everybody waits. */
const mostTextBytes = 1024 * 1024;
const longestKeyword = 64;

/** A word as text for comparison with keywords and as a key: its bytes read as Latin-1. */
export function latin1(word: Buffer | undefined): string {
  if (word === undefined) return '';
  if (word.length > mostTextBytes) {
    throw new CommandError(`ERR a name or number has at most ${mostTextBytes} bytes`);
  }
  return word.toString('latin1');
}

/** A keyword in upper case; of a word that is too long for one its beginning. */
export function keyword(word: Buffer | undefined): string {
  return latin1(
    word !== undefined && word.length > longestKeyword ? word.subarray(0, longestKeyword) : word,
  ).toUpperCase();
}

/** A decimal integer within ±2^53, or undefined. */
export function integer(word: Buffer | undefined): number | undefined {
  const text = latin1(word);
  if (!/^-?(0|[1-9]\d{0,18})$/.test(text)) return undefined;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : undefined;
}

/** Redis's text for the wrong number of words. */
export function arityError(name: string): CommandError {
  return new CommandError(`ERR wrong number of arguments for '${name}' command`);
}

/** The integer in a word. @throws CommandError with Redis's text */
export function rangeInteger(word: Buffer | undefined): number {
  const value = integer(word);
  if (value === undefined) throw new CommandError('ERR value is not an integer or out of range');
  return value;
}

/** An integer above 0. @throws CommandError with Redis's text */
export function positiveInteger(word: Buffer | undefined, what: string): number {
  const value = integer(word);
  if (value === undefined || value <= 0) throw new CommandError(`ERR ${what} should be greater than 0`);
  return value;
}

/** Milliseconds to wait, from a word in seconds; 0 for ever. @throws CommandError with Redis's texts */
export function waitMs(word: Buffer | undefined): number {
  const text = latin1(word);
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) {
    throw new CommandError('ERR timeout is not a float or out of range');
  }
  const ms = Math.ceil(Number(text) * 1000);
  if (ms < 0) throw new CommandError('ERR timeout is negative');
  if (ms > Number.MAX_SAFE_INTEGER) throw new CommandError('ERR timeout is out of range');
  return ms;
}
