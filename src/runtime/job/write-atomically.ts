import { closeSync, mkdirSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

let serial = 0;

/** Writes a file whole or not at all; makes its folder. Several parts are written one after the other, without a copy of all. */
export function writeAtomically(
  path: string,
  content: string | Uint8Array | readonly Uint8Array[],
  mode = 0o644,
): void {
  const temporary = `${path}.${process.pid}.${serial++}.tmp`;
  mkdirSync(dirname(path), { recursive: true });
  try {
    const file = openSync(temporary, 'wx', mode);
    try {
      for (const part of Array.isArray(content) ? content : [content]) writeFileSync(file, part);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}
