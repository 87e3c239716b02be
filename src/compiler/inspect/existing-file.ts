import { accessSync, constants, type Stats, statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Problems, SourceLocation } from '../../diagnostics/index.js';

/** The absolute path of a file that a call names and that can be read; undefined, and a problem, where there is none. */
export function existingFile(
  given: string,
  call: string,
  at: SourceLocation | undefined,
  folder: string,
  problems: Problems,
): string | undefined {
  const path = resolve(folder, given);
  const stat = statIfThere(path);
  if (stat?.isFile()) return isReadable(path, call, at, problems) ? path : undefined;
  if (stat === undefined) problems.error('FILE1001', `${call}: there is no file ${path}`, at);
  else problems.error('FILE1003', `${call}: ${path} is no file`, at);
  return undefined;
}

/** Like `statSync`, and undefined as well for links that go round in circles and names that are too long. */
function statIfThere(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

function isReadable(path: string, call: string, at: SourceLocation | undefined, problems: Problems): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    problems.error('FILE1001', `${call}: ${path} cannot be read: ${reason}`, at);
    return false;
  }
}
