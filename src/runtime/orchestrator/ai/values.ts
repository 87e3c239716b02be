import type { BackendName } from '../../../ml/backends.js';
import type { Dtype } from '../../../ml/dtypes.js';
import type { LendableBytes } from '../bytes/lendable-bytes.js';
import type { BatchOptions, LoadedModel, LoadedScript } from '../inference/index.js';

/** A tensor: row-major, little-endian, never changed once stored. */
export interface TensorValue {
  readonly kind: 'tensor';
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly bytes: LendableBytes;
}

/** Counts of a model's or script's runs, as `AI.INFO` shows them. */
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

/** A script, with its text as it was given. */
export interface ScriptValue {
  readonly kind: 'script';
  readonly device: string;
  readonly tag: Buffer;
  readonly entryPoints: readonly string[];
  readonly source: Buffer;
  readonly loaded: LoadedScript;
  readonly statistics: RunStatistics;
}

/** A value that the AI layer works with. */
export type AiValue = TensorValue | ModelValue | ScriptValue;

/** Statistics of something that has not run yet. */
export function newStatistics(): RunStatistics {
  return { durationMicros: 0, samples: 0, calls: 0, errors: 0 };
}
