import { CommandError } from './command.js';
import { integer } from './words.js';

/** Seconds or milliseconds, from now on or since 1970. */
export type ExpiryUnit = 'EX' | 'PX' | 'EXAT' | 'PXAT';

/** The moment that a word says, in milliseconds since 1970. @throws CommandError with Redis's texts */
export function timeAt(word: Buffer | undefined, unit: ExpiryUnit, command: string): number {
  const amount = integer(word);
  if (amount === undefined) throw new CommandError('ERR value is not an integer or out of range');
  const ms = unit.startsWith('EX') ? amount * 1000 : amount;
  const at = unit.endsWith('AT') ? ms : Date.now() + ms;
  if (!Number.isSafeInteger(at)) throw new CommandError(`ERR invalid expire time in '${command}' command`);
  return at;
}

/** Like {@link timeAt} for what is to be set: not before now's unit begins. @throws CommandError with Redis's texts */
export function expiryAt(word: Buffer | undefined, unit: ExpiryUnit, command: string): number {
  const at = timeAt(word, unit, command);
  if ((integer(word) ?? 0) <= 0) throw new CommandError(`ERR invalid expire time in '${command}' command`);
  return at;
}
