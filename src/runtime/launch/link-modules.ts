import { existsSync, lstatSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { isCode } from '../job/job-folder.js';

/** Lets applications written for Node find the packages of DIR/runtime: `run/node_modules` links there. */
export function linkModules(dir: string): void {
  if (lstatSync(join(dir, 'runtime/node_modules'), { throwIfNoEntry: false }) === undefined) return;
  mkdirSync(join(dir, 'run'), { recursive: true });
  try {
    symlinkSync('../runtime/node_modules', join(dir, 'run/node_modules'));
  } catch (error) {
    if (!isCode(error, 'EEXIST')) throw error;
  }
}

/** Folder of the Python packages of DIR/runtime, `simwright` among them, for applications' PYTHONPATH; undefined where there are none. */
export function pythonPackages(dir: string): string | undefined {
  const folder = join(dir, 'runtime/python');
  return existsSync(folder) ? folder : undefined;
}
