import { type Dtype, elementBytes, elementCount } from '../../../ml/dtypes.js';
import { InferenceError } from './inference-error.js';
import type { OutputMessage } from './messages.js';
import type { TensorSource } from './tensor.js';

/** Options of batches. 0 means not asked for. */
export interface BatchOptions {
  /** Requests are joined until their sizes reach this. */
  readonly batchSize: number;
  /** Fewer than this are not run … */
  readonly minBatchSize: number;
  /** … unless the first of them has waited longer than this. */
  readonly minBatchTimeoutMs: number;
}

/** Shape of a request's inputs, as far as it decides if two requests to the same model can be one run. */
export interface BatchShape {
  /** Dimension 0 of all inputs. */
  readonly size: number;
  /** Equal for requests that differ at most in their size. */
  readonly likeness: string;
}

/** The inputs' batch shape, or undefined if they cannot be joined with others. */
export function batchShapeOf(inputs: readonly TensorSource[]): BatchShape | undefined {
  const size = inputs[0]?.shape[0] ?? 0;
  let likeness = '';
  for (const { dtype, shape } of inputs) {
    if (shape[0] !== size || size === 0 || dtype === 'STRING') return undefined;
    likeness += dtype;
    for (let at = 1; at < shape.length; at += 1) likeness += `,${shape[at]}`;
    likeness += ';';
  }
  return { size, likeness };
}

/** A batch's outputs cut back into those of its members. @throws InferenceError */
export function cutOutputs(
  outputs: readonly (OutputMessage | null)[],
  sizes: readonly number[],
): (OutputMessage | null)[][] {
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const members: (OutputMessage | null)[][] = sizes.map(() => []);
  for (const output of outputs) {
    if (output !== null && output.shape[0] !== total) {
      throw new InferenceError('batch-size', 'the outputs of the model are not as long as the batch');
    }
    let from = 0;
    for (const [index, size] of sizes.entries()) {
      if (output === null) {
        members[index]?.push(null);
        continue;
      }
      const shape = [size, ...output.shape.slice(1)];
      const to = endOf(output, from, elementCount(shape));
      members[index]?.push({ dtype: output.dtype, shape, buffer: output.buffer.slice(from, to) });
      from = to;
    }
  }
  return members;
}

/** Position after `elements` elements from the byte `from` on. */
function endOf(
  { dtype, buffer }: { readonly dtype: Dtype; readonly buffer: ArrayBuffer },
  from: number,
  elements: number,
) {
  if (dtype !== 'STRING') return from + elements * elementBytes[dtype];
  const bytes = Buffer.from(buffer);
  let end = from;
  for (let element = 0; element < elements; element += 1) end = bytes.indexOf(0, end) + 1;
  return end;
}
