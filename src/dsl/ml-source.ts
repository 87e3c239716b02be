import type { MlSource } from '../ir/index.js';

/** An ML model in a file; a relative path is taken from the workflow's folder. */
export function mlFile(path: string): MlSource {
  return Object.freeze({ kind: 'file', path });
}

/** An ML model in memory: the bytes of its file. */
export function mlBytes(bytes: Uint8Array): MlSource {
  return Object.freeze({ kind: 'bytes', bytes });
}
