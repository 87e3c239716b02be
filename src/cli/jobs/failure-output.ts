import { join } from 'node:path';
import { tailOf } from '../../runtime/output/index.js';

/** End of an output that shows why a member failed. */
export interface FailureOutput {
  /** Relative to the folder. */
  readonly file: string;
  readonly lines: readonly string[];
}

/**
 * The last lines of a file that shows a failure; of standard output where that of standard error is empty: Fortran and CFD codes write
 * there.
 */
export function failureOutput(folder: string, file: string, count: number): FailureOutput {
  const linesOf = (path: string) => tailOf(join(folder, path), count)?.lines ?? [];
  const lines = linesOf(file);
  const other = file.replace(/\.err$/, '.out');
  const further = lines.length > 0 ? [] : linesOf(other);
  return further.length > 0 ? { file: other, lines: further } : { file, lines };
}
