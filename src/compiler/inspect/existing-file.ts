import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Problems, SourceLocation } from '../../diagnostics/index.js';

/** The absolute path of a file that a call names, unless there is none. */
export function existingFile(
  given: string,
  call: string,
  at: SourceLocation | undefined,
  folder: string,
  problems: Problems,
): string | undefined {
  const path = resolve(folder, given);
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat?.isFile()) return path;
  if (stat === undefined) problems.error('FILE1001', `${call}: there is no file ${path}`, at);
  else problems.error('FILE1003', `${call}: ${path} is no file`, at);
  return undefined;
}
