import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';

/** A buffer for all files: a folder may have many small ones. */
const buffer = Buffer.alloc(1024 * 1024);

/** SHA-256 of a file in hexadecimal. The file may be larger than memory. */
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
