import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Call } from './standins.js';

/** Files as a command that runs in a folder sees them. */
export function filesOf(cwd: string): Pick<Call, 'readFile' | 'isDirectory'> {
  return {
    readFile: (path) => {
      try {
        return readFileSync(resolve(cwd, path), 'utf8');
      } catch {
        return undefined;
      }
    },
    isDirectory: (path) => statSync(resolve(cwd, path), { throwIfNoEntry: false })?.isDirectory() === true,
  };
}
