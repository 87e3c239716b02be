import { type GatheredInputs, gatherInputs, joinedShape } from '../gather-inputs.js';
import type { TensorSource } from '../tensor.js';
import type { FrameTensor } from './frames.js';

/** Inputs to write, and what to call when they have been. */
export interface WrittenInputs {
  readonly tensors: readonly FrameTensor[];
  readonly release: () => void;
}

/** Inputs of one or more requests where they lie; undefined if some are lent. */
export function inputsInPlace(requests: readonly (readonly TensorSource[])[]): WrittenInputs | undefined {
  const releases: (() => void)[] = [];
  const release = () => {
    for (const one of releases) one();
  };
  const tensors: FrameTensor[] = [];
  for (const [position, first] of (requests[0] ?? []).entries()) {
    const parts: Uint8Array[] = [];
    for (const inputs of requests) {
      const here = inputs[position]?.bytes.peek();
      if (here === undefined) {
        release();
        return undefined;
      }
      releases.push(() => here.release());
      parts.push(here.bytes);
    }
    tensors.push({ dtype: first.dtype, shape: joinedShape(requests, position, first), parts });
  }
  return { tensors, release };
}

/** Inputs once they are back from whom they are lent to. @throws InferenceError */
export async function gatheredInputs(requests: readonly (readonly TensorSource[])[]): Promise<WrittenInputs> {
  const { inputs, loans }: GatheredInputs = await gatherInputs(requests);
  const tensors = inputs.map(({ dtype, shape, parts }) => ({
    dtype,
    shape,
    parts: parts.map(({ buffer }) => new Uint8Array(buffer)),
  }));
  return {
    tensors,
    release: () => {
      for (const loan of loans) loan.giveBack(loan.buffer);
    },
  };
}
