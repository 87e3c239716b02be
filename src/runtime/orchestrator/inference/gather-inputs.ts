import { takeBuffer } from '../memory/spare-buffers.js';
import { InferenceError } from './inference-error.js';
import type { InputMessage } from './messages.js';
import type { ByteSource, Loan, TensorSource } from './tensor.js';

/** Inputs of a run up to this size together are copied; larger ones are borrowed. */
const copyLimitBytes = 4 * 1024 * 1024;

/** Inputs on their way to a thread, and the loans of their buffers that are to be transferred. */
export interface GatheredInputs {
  readonly inputs: readonly InputMessage[];
  /** In the order in which their buffers first stand in the inputs. */
  readonly loans: readonly Loan[];
}

/** The inputs of one or more requests, joined along dimension 0 if there are several. @throws InferenceError */
export async function gatherInputs(requests: readonly (readonly TensorSource[])[]): Promise<GatheredInputs> {
  return copyAll(requests) ?? borrowAll(requests);
}

/** Undefined if they are too many bytes to copy, or not all here. */
export function copyAll(requests: readonly (readonly TensorSource[])[]): GatheredInputs | undefined {
  let total = 0;
  for (const inputs of requests) for (const { bytes } of inputs) total += bytes.byteLength;
  if (total > copyLimitBytes) return undefined;
  const inputs: InputMessage[] = [];
  const loans: Loan[] = [];
  for (const [position, first] of (requests[0] ?? []).entries()) {
    const whole = joined(requests, position);
    if (whole === undefined) return undefined;
    loans.push({ buffer: whole, missed: false, giveBack: () => undefined });
    inputs.push({
      dtype: first.dtype,
      shape: joinedShape(requests, position, first),
      parts: [{ buffer: whole, missed: false }],
    });
  }
  return { inputs, loans };
}

function joined(requests: readonly (readonly TensorSource[])[], position: number): ArrayBuffer | undefined {
  let length = 0;
  for (const inputs of requests) length += inputs[position]?.bytes.byteLength ?? 0;
  const whole = takeBuffer(length);
  let at = 0;
  for (const inputs of requests) {
    const here = inputs[position]?.bytes.peek();
    if (here === undefined) return undefined;
    whole.set(here.bytes, at);
    at += here.bytes.length;
    here.release();
  }
  return whole.buffer as ArrayBuffer;
}

/** Borrows each distinct source once, always in the order of their serials, so that two threads never wait for each other. */
async function borrowAll(requests: readonly (readonly TensorSource[])[]): Promise<GatheredInputs> {
  const sources = [...new Set(requests.flat().map(({ bytes }) => bytes))].sort((a, b) => a.serial - b.serial);
  const lent = new Map<ByteSource, Loan>();
  try {
    for (const source of sources) lent.set(source, await source.borrow());
  } catch (error) {
    for (const loan of lent.values()) loan.giveBack(loan.buffer);
    throw new InferenceError('failed', error instanceof Error ? error.message : String(error));
  }
  const loans = new Set<Loan>();
  const inputs = (requests[0] ?? []).map((first, position): InputMessage => {
    const parts = requests.flatMap((own) => {
      const source = own[position]?.bytes;
      const loan = source && lent.get(source);
      return loan === undefined ? [] : [loan];
    });
    for (const loan of parts) loans.add(loan);
    return { dtype: first.dtype, shape: joinedShape(requests, position, first), parts };
  });
  return { inputs: inputs.map(withoutFunctions), loans: [...loans] };
}

/** Functions cannot be sent to a thread. */
function withoutFunctions({ dtype, shape, parts }: InputMessage): InputMessage {
  return { dtype, shape, parts: parts.map(({ buffer, missed }) => ({ buffer, missed })) };
}

/** Shape of an input of one or more requests. */
export function joinedShape(
  requests: readonly (readonly TensorSource[])[],
  position: number,
  first: TensorSource,
): readonly number[] {
  if (requests.length === 1) return first.shape;
  const size = requests.reduce((sum, inputs) => sum + (inputs[position]?.shape[0] ?? 0), 0);
  return [size, ...first.shape.slice(1)];
}
