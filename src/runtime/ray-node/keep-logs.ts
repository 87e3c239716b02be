import { closeSync, mkdirSync, openSync, readdirSync, readSync, realpathSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Most bytes of one log that are kept, its last ones, and of all. */
const most = { ofOne: 8 * 1024 ** 2, ofAll: 64 * 1024 ** 2 };

/** Copies Ray's logs of a node from its temporary folder, before that is removed. What cannot be copied is left out. */
export function keepLogs(temporary: string, to: string): void {
  let left = most.ofAll;
  try {
    const from = join(realpathSync(join(temporary, 'session_latest')), 'logs');
    for (const name of readdirSync(from)) {
      const stat = statSync(join(from, name));
      const bytes = Math.min(stat.size, most.ofOne);
      if (!stat.isFile() || bytes === 0 || bytes > left) continue;
      mkdirSync(to, { recursive: true });
      writeFileSync(join(to, name), lastBytes(join(from, name), stat.size - bytes, bytes));
      left -= bytes;
    }
  } catch {
    // It has not come so far.
  }
}

function lastBytes(path: string, start: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  const file = openSync(path, 'r');
  try {
    return bytes.subarray(0, readSync(file, bytes, 0, length, start));
  } finally {
    closeSync(file);
  }
}
