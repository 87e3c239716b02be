import type { BackendName } from '../../../ml/backends.js';
import type { Dtype } from '../../../ml/dtypes.js';
import type { BatchOptions, LoadedModel } from '../inference/index.js';
import type { LendableBytes } from './lendable-bytes.js';

/** A tensor: row-major, little-endian, never changed once stored. */
export interface TensorValue {
  readonly kind: 'tensor';
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly bytes: LendableBytes;
}

/** What `AI.INFO` counts. */
export interface RunStatistics {
  durationMicros: number;
  samples: number;
  calls: number;
  errors: number;
}

/** An ML model with its bytes as stored. */
export interface ModelValue {
  readonly kind: 'model';
  readonly backend: BackendName;
  readonly device: string;
  readonly tag: Buffer;
  readonly batch: BatchOptions;
  readonly bytes: LendableBytes;
  readonly loaded: LoadedModel;
  readonly statistics: RunStatistics;
}

/** A script, kept as text. */
export interface ScriptValue {
  readonly kind: 'script';
  readonly device: string;
  readonly tag: Buffer;
  readonly entryPoints: readonly string[];
  readonly source: Buffer;
  readonly statistics: RunStatistics;
}

/** A hash; fields by their bytes, read as Latin-1. */
export interface HashValue {
  readonly kind: 'hash';
  readonly fields: Map<string, Buffer>;
}

/** A list. */
export interface ListValue {
  readonly kind: 'list';
  readonly members: Buffer[];
}

/** A plain string; its bytes are never lent. */
export interface StringValue {
  readonly kind: 'string';
  readonly bytes: LendableBytes;
}

/** Whatever a key can hold. */
export type StoredValue = TensorValue | ModelValue | ScriptValue | HashValue | ListValue | StringValue;

/** A value of one kind. */
export type ValueOf<Kind extends StoredValue['kind']> = Extract<StoredValue, { kind: Kind }>;

/** What `TYPE` answers. */
export const typeNames: Readonly<Record<StoredValue['kind'], string>> = {
  tensor: 'AI_TENSOR',
  model: 'AI__MODEL',
  script: 'AI_SCRIPT',
  hash: 'hash',
  list: 'list',
  string: 'string',
};

/** Statistics of something that has not run yet. */
export function newStatistics(): RunStatistics {
  return { durationMicros: 0, samples: 0, calls: 0, errors: 0 };
}
