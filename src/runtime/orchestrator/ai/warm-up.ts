import { elementBytes, elementCount } from '../../../ml/dtypes.js';
import { LendableBytes } from '../bytes/lendable-bytes.js';
import type { Inference, InputTypes, TensorSource } from '../inference/index.js';
import type { ModelValue, ScriptValue } from './values.js';

/** Inputs beyond this are not made up: a run on them may take all there is. */
const mostBytes = 256 * 1024 * 1024;

/** Result of warming up a model or script. */
export interface WarmUp {
  readonly key: string;
  readonly kind: 'model' | 'script';
  /** `ran`: on zeros of its inputs' types; `failed`, for the reason `why`; `unknown`: it is loaded, and says no shapes to run it on. */
  readonly outcome: 'ran' | 'failed' | 'unknown';
  readonly why?: string;
}

/**
 * Runs a model once on zeros, on each thread of its device, where it tells the types of its inputs; sizes that may vary are 1. No key is
 * written and nothing is counted. Scripts have no types, hence no such run.
 */
export async function warmUp(inference: Inference, key: string, value: ModelValue | ScriptValue): Promise<WarmUp> {
  const inputs = value.kind === 'model' ? zerosOf(value.loaded.inputTypes) : undefined;
  if (value.kind === 'script') return { key, kind: 'script', outcome: 'unknown' };
  for (const { bytes } of inputs ?? []) bytes.hold();
  try {
    await inference.tryOut(value.loaded, inputs);
    return { key, kind: 'model', outcome: inputs === undefined ? 'unknown' : 'ran' };
  } catch (error) {
    return { key, kind: 'model', outcome: 'failed', why: error instanceof Error ? error.message : String(error) };
  } finally {
    for (const { bytes } of inputs ?? []) {
      bytes.letGo();
      bytes.discard();
    }
  }
}

/** Tensors of zeros; undefined where a type is not known, or they would be large. */
function zerosOf(types: InputTypes): TensorSource[] | undefined {
  const known = types?.flatMap((type) => (type === null || type.dtype === 'STRING' ? [] : [type]));
  if (known === undefined || known.length !== types?.length) return undefined;
  const shaped = known.map(({ dtype, shape }) => ({ dtype, shape: shape.map((size) => size ?? 1) }));
  const sizes = shaped.map(({ dtype, shape }) => elementBytes[dtype] * elementCount(shape));
  if (sizes.reduce((sum, size) => sum + size, 0) > mostBytes) return undefined;
  return shaped.map(({ dtype, shape }, index) => ({
    dtype,
    shape,
    bytes: new LendableBytes(Buffer.from(new ArrayBuffer(sizes[index] ?? 0))),
  }));
}
