import { elementBytes, elementCount, parseDtype } from '../../../ml/dtypes.js';
import { readModelHeader } from '../../../model-files/index.js';
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
 * Loads a model or script on each thread or worker of its device, and runs a model there on zeros where it tells the types of its inputs, or
 * those it was traced with; sizes that may vary are 1. No key is written and nothing is counted. Scripts have no types, hence no such run.
 */
export async function warmUp(inference: Inference, key: string, value: ModelValue | ScriptValue): Promise<WarmUp> {
  const { kind } = value;
  const inputs = value.kind === 'model' ? zerosOf(value.loaded.inputTypes ?? tracedTypes(value)) : undefined;
  for (const { bytes } of inputs ?? []) bytes.hold();
  try {
    await inference.tryOut(value.loaded, inputs);
    return { key, kind, outcome: inputs === undefined ? 'unknown' : 'ran' };
  } catch (error) {
    return { key, kind, outcome: 'failed', why: error instanceof Error ? error.message : String(error) };
  } finally {
    for (const { bytes } of inputs ?? []) {
      bytes.letGo();
      bytes.discard();
    }
  }
}

/** Types of the tensors that a TorchScript model was traced with: it says no types itself. */
function tracedTypes({ backend, bytes, loaded }: ModelValue): InputTypes {
  const file = backend === 'TORCH' ? bytes.peek() : undefined;
  if (file === undefined) return undefined;
  try {
    const types = readModelHeader(file.bytes, backend).inputs?.map(({ example }) => {
      const dtype = parseDtype(example?.dtype ?? '');
      return example === undefined || dtype === undefined ? null : { dtype, shape: example.shape };
    });
    return types?.length === loaded.inputs.length ? types : undefined;
  } catch {
    // PyTorch has loaded it: what cannot be read here is no fault of the model's.
    return undefined;
  } finally {
    file.release();
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
