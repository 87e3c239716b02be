import { findOnPath } from '../../../src/runtime/assert/programs.js';

/** Whether a program is on the PATH. */
export function onPath(program: string): boolean {
  return findOnPath(program, process.env['PATH']) !== undefined;
}
