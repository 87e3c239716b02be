import { quoteShell } from '../targets/quoting.js';

/** A command of Simwright as a user can copy it into a shell: `simwright status 'my runs/out'`. */
export function simwrightCommand(...words: readonly string[]): string {
  return quoteShell(['simwright', ...words]);
}
