import { asBackend, type BackendName } from '../../../ml/backends.js';
import { parseDevice } from '../../../ml/devices.js';
import type { ModelValue, ScriptValue } from '../ai/values.js';
import { type BatchOptions, InferenceError } from '../inference/index.js';

/** Properties of a model, as the server keeps them beside its bytes. */
export interface ModelProperties {
  readonly backend: BackendName;
  /** As the client wrote it. */
  readonly device: string;
  readonly tag: Buffer;
  readonly batch: BatchOptions;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

/** Properties of a script, as the server keeps them beside its text. */
export type ScriptProperties = Pick<ScriptValue, 'device' | 'tag' | 'entryPoints'>;

/** Properties of a value as bytes. */
export function writeProperties(value: ModelValue | ScriptValue): Buffer {
  const { device } = value;
  const tag = value.tag.toString('base64');
  if (value.kind === 'script') return Buffer.from(JSON.stringify({ device, tag, entryPoints: value.entryPoints }));
  const { backend, batch, loaded } = value;
  const { inputs, outputs } = loaded;
  return Buffer.from(JSON.stringify({ backend, device, tag, batch, inputs, outputs }));
}

/** Properties of a model. A client may have put them there by RESTORE, so that nothing of them is sure. @throws InferenceError */
export function modelProperties(bytes: Buffer): ModelProperties {
  const raw = parse(bytes);
  const backend = asBackend(text(raw['backend']));
  const { batchSize, minBatchSize, minBatchTimeoutMs } = object(raw['batch']);
  if (backend === undefined) throw damaged();
  return {
    backend,
    ...common(raw),
    batch: {
      batchSize: count(batchSize),
      minBatchSize: count(minBatchSize),
      minBatchTimeoutMs: count(minBatchTimeoutMs),
    },
    inputs: texts(raw['inputs']),
    outputs: texts(raw['outputs']),
  };
}

/** Properties of a script, as {@link modelProperties}. @throws InferenceError */
export function scriptProperties(bytes: Buffer): ScriptProperties {
  const raw = parse(bytes);
  return { ...common(raw), entryPoints: texts(raw['entryPoints']) };
}

function common(raw: Record<string, unknown>): { readonly device: string; readonly tag: Buffer } {
  const device = text(raw['device']);
  if (parseDevice(device) === undefined) throw damaged();
  return { device, tag: Buffer.from(text(raw['tag']), 'base64') };
}

function parse(bytes: Buffer): Record<string, unknown> {
  try {
    return object(JSON.parse(bytes.toString()));
  } catch {
    throw damaged();
  }
}

function object(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null) throw damaged();
  return value as Record<string, unknown>;
}

function text(value: unknown): string {
  if (typeof value !== 'string') throw damaged();
  return value;
}

function texts(value: unknown): readonly string[] {
  if (!Array.isArray(value)) throw damaged();
  return value.map(text);
}

function count(value: unknown): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw damaged();
  return value as number;
}

function damaged(): InferenceError {
  return new InferenceError('model', 'ERR the value at this key is no model or script of this version');
}
