import type { MlSource, ScriptSource } from '../ir/index.js';

/** An ML model in a file; a relative path is taken from the workflow's folder. */
export function mlFile(path: string): MlSource {
  return Object.freeze({ kind: 'file', path });
}

/** An ML model in memory: the bytes of its file. */
export function mlBytes(bytes: Uint8Array): MlSource {
  return Object.freeze({ kind: 'bytes', bytes });
}

/** A TorchScript in a file; a relative path is taken from the workflow's folder. */
export function scriptFile(path: string): ScriptSource {
  return Object.freeze({ kind: 'file', path });
}

/** A TorchScript as text. */
export function scriptText(text: string): ScriptSource {
  return Object.freeze({ kind: 'text', text });
}
