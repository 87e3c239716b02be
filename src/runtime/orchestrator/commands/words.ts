import { CommandError } from './command.js';

/** A word as text for comparison with keywords and as a key: its bytes read as Latin-1. */
export function latin1(word: Buffer | undefined): string {
  return word === undefined ? '' : word.toString('latin1');
}

/** A keyword in upper case. */
export function keyword(word: Buffer | undefined): string {
  return latin1(word).toUpperCase();
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
