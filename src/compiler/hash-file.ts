import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';

/** One buffer for all: a folder may have many small files. */
const buffer = Buffer.alloc(1024 * 1024);

/** SHA-256 of a file in hexadecimal, read in pieces: files may be larger than memory. */
export function hashFile(path: string): string {
  const hash = createHash('sha256');
  const descriptor = openSync(path, 'r');
  try {
    for (let read = readSync(descriptor, buffer); read > 0; read = readSync(descriptor, buffer)) {
      hash.update(buffer.subarray(0, read));
    }
  } finally {
    closeSync(descriptor);
  }
  return hash.digest('hex');
}
