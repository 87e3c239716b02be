import { readFileSync, statSync } from 'node:fs';
import { ownNumberVariables } from '../../ir/index.js';

/** Largest file that is looked through, in bytes: programs are smaller, data sets larger. */
const mostBytes = 16 * 1024 * 1024;

/** True if a file names a variable that tells a member its number: what it does may then depend on that. */
export function namesOwnNumber(path: string): boolean {
  if (statSync(path).size > mostBytes) return false;
  const bytes = readFileSync(path);
  return ownNumberVariables.some((variable) => bytes.includes(variable));
}
