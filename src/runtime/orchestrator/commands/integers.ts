import { CommandError } from './command.js';
import { latin1 } from './words.js';

const least = -(2n ** 63n);
const most = 2n ** 63n - 1n;

/** The 64-bit integer in a word. @throws CommandError */
export function signed64(word: Buffer | undefined, error = 'ERR value is not an integer or out of range'): bigint {
  const text = latin1(word);
  if (!/^(0|-?[1-9]\d{0,18})$/.test(text)) throw new CommandError(error);
  const value = BigInt(text);
  if (value < least || value > most) throw new CommandError(error);
  return value;
}

/** The sum. @throws CommandError if it has more than 64 bits */
export function addSigned64(one: bigint, other: bigint): bigint {
  const sum = one + other;
  if (sum < least || sum > most) throw new CommandError('ERR increment or decrement would overflow');
  return sum;
}

/** The same with the other sign. @throws CommandError if that has more than 64 bits */
export function negated64(value: bigint): bigint {
  if (value === least) throw new CommandError('ERR decrement would overflow');
  return -value;
}
