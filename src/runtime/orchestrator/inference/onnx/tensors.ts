import { type Dtype, elementCount, typedArrays } from '../../../../ml/dtypes.js';
import { InferenceError } from '../inference-error.js';
import type { InputType } from '../input-type.js';
import type { ModelInput, OutputMessage } from '../messages.js';
import type { OnnxRuntime, OnnxTensor, OnnxValueMetadata } from './runtime.js';

type View = new (buffer: ArrayBuffer) => ArrayBufferView;

const numeric: Readonly<Record<Exclude<Dtype, 'STRING'>, { readonly type: string; readonly view: View }>> = {
  FLOAT: { type: 'float32', view: typedArrays.FLOAT },
  DOUBLE: { type: 'float64', view: typedArrays.DOUBLE },
  INT8: { type: 'int8', view: typedArrays.INT8 },
  INT16: { type: 'int16', view: typedArrays.INT16 },
  INT32: { type: 'int32', view: typedArrays.INT32 },
  INT64: { type: 'int64', view: typedArrays.INT64 },
  UINT8: { type: 'uint8', view: typedArrays.UINT8 },
  UINT16: { type: 'uint16', view: typedArrays.UINT16 },
  BOOL: { type: 'bool', view: Uint8Array },
};

const dtypes: ReadonlyMap<string, Dtype> = new Map([
  ...Object.entries(numeric).map(([dtype, { type }]) => [type, dtype as Dtype] as const),
  ['string', 'STRING'],
]);

/** Type of an input; null where the model does not say it, or no tensor here can have it. */
export function inputTypeOf({ type = '', shape = [] }: OnnxValueMetadata): InputType | null {
  const dtype = dtypes.get(type);
  // A scalar, or any shape: ONNX Runtime does not tell them apart.
  if (dtype === undefined || shape.length === 0) return null;
  return { dtype, shape: shape.map((size) => (typeof size === 'number' && size >= 0 ? size : null)) };
}

/** An input as ONNX Runtime takes it; numbers are not copied. */
export function toOnnx(runtime: OnnxRuntime, input: ModelInput): OnnxTensor {
  if (input.dtype === 'STRING') {
    const words = Buffer.from(input.buffer).toString().split('\0').slice(0, elementCount(input.shape));
    return new runtime.Tensor('string', words, input.shape);
  }
  const { type, view } = numeric[input.dtype];
  return new runtime.Tensor(type, new view(input.buffer), input.shape);
}

/** An output in a buffer of its own that can be transferred. @throws InferenceError for element types without a name here */
export function fromOnnx(name: string, output: OnnxTensor): OutputMessage {
  const dtype = dtypes.get(output.type);
  if (dtype === undefined) {
    throw new InferenceError('failed', `output ${name} has the type ${output.type}, which no tensor here can hold`);
  }
  return { dtype, shape: [...output.dims], buffer: bytesOf(output.data) };
}

function bytesOf(data: ArrayBufferView | readonly string[]): ArrayBuffer {
  if (!ArrayBuffer.isView(data)) {
    return copied(Buffer.from(data.map((word) => `${word}\0`).join('')));
  }
  const whole = data.byteOffset === 0 && data.byteLength === data.buffer.byteLength;
  return whole && data.buffer instanceof ArrayBuffer ? data.buffer : copied(data);
}

function copied(data: ArrayBufferView): ArrayBuffer {
  const copy = new Uint8Array(data.byteLength);
  copy.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  return copy.buffer;
}
