import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Problem } from '../../diagnostics/index.js';

/** A problem where a launch line's program is not on the PATH. Those with a path may be staged or made later. */
export function checkProgram(line: readonly string[], starts: string, path: string | undefined): Problem[] {
  const [program] = line;
  if (program === undefined || program.includes('/') || findOnPath(program, path) !== undefined) return [];
  return [
    {
      code: 'RUN1010',
      severity: 'error',
      message: `${program}, which starts ${starts}, is not on the PATH of the job`,
      hint: 'load the module that has it (modules of the site, or of .batch()), or set launcher in the site',
    },
  ];
}

/** Where a program is found, as the system finds it. */
export function findOnPath(program: string, path: string | undefined): string | undefined {
  for (const folder of (path ?? '/bin:/usr/bin').split(delimiter)) {
    const file = join(folder === '' ? '.' : folder, program);
    try {
      accessSync(file, constants.X_OK);
      if (statSync(file).isFile()) return file;
    } catch {
      // Not here.
    }
  }
  return undefined;
}
