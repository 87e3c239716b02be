import { CommandError } from './command.js';

/** Redis's words for memory that is used up. */
export const outOfMemoryText = "OOM command not allowed when used memory > 'maxmemory'.";

/** The most members of a list, fields of a hash, and elements of most replies: what one command may look at while others wait. */
const mostItems = 1024 * 1024;
/** The most words of a request. */
export const mostWords = 64 * 1024;

/** @throws CommandError if a list or hash would have too many items */
export function assertItems(count: number): void {
  if (count > mostItems) throw new CommandError(`ERR a list or hash has at most ${mostItems} items here`);
}
