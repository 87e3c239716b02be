import { type NumericDtype, typedArrays } from '../../ml/dtypes.js';
import { ClientError } from './client-error.js';

/** The array that holds a tensor's elements, by element type. */
export type TensorArrays = { readonly [D in NumericDtype]: InstanceType<(typeof typedArrays)[D]> };

/** Element types that SmartRedis clients share. */
export type Dtype = keyof TensorArrays;

/** A tensor of one element type; elements in row-major order. */
export interface TensorOf<D extends Dtype> {
  readonly dtype: D;
  /** At least one dimension, each at least 1. */
  readonly shape: readonly number[];
  readonly data: TensorArrays[D];
}

/** A tensor; `dtype` says which array it has. */
export type Tensor = { [D in Dtype]: TensorOf<D> }[Dtype];

/** The element type of an array. */
export type DtypeOf<A> = { [D in Dtype]: A extends TensorArrays[D] ? D : never }[Dtype];

type Constructor = new (buffer: ArrayBuffer) => TensorArrays[Dtype];

const arrays: Readonly<Record<Dtype, Constructor>> = typedArrays;

/**
 * A tensor around an array, which is not copied. Without a shape it has one dimension.
 *
 * ```ts
 * tensor(new Float32Array(6), [2, 3]); // FLOAT
 * tensor([1, 2, 3]);                   // DOUBLE
 * ```
 * @throws ClientError if the shape does not fit the array
 */
export function tensor(data: readonly number[], shape?: readonly number[]): TensorOf<'DOUBLE'>;
export function tensor<A extends TensorArrays[Dtype]>(data: A, shape?: readonly number[]): TensorOf<DtypeOf<A>>;
export function tensor(data: readonly number[] | TensorArrays[Dtype], shape?: readonly number[]): Tensor {
  const array = Array.isArray(data) ? Float64Array.from(data) : (data as TensorArrays[Dtype]);
  const dtype = (Object.keys(arrays) as Dtype[]).find((name) => array instanceof arrays[name]);
  if (dtype === undefined) throw new ClientError(`a tensor cannot hold a ${array.constructor.name}`);
  const made = { dtype, shape: shape ?? [array.length], data: array } as Tensor;
  checkTensor(made);
  return made;
}

/** @throws ClientError if shape, element type and array do not fit each other */
export function checkTensor({ dtype, shape, data }: Tensor): void {
  const array = arrays[dtype];
  if (array === undefined) throw new ClientError(`unknown element type ${String(dtype)}`);
  if (!(data instanceof array)) throw new ClientError(`a ${dtype} tensor needs a ${array.name}`);
  // A store gives tensors without dimensions, which models and scripts make, but takes none.
  if (shape.length === 0 || !shape.every((size) => Number.isSafeInteger(size) && size >= 1)) {
    throw new ClientError(`a tensor's shape is one or more positive integers, not [${shape.join(', ')}]`);
  }
  checkCount(shape, data.length);
}

function checkCount(shape: readonly number[], length: number): void {
  const elements = shape.reduce((product, size) => product * size, 1);
  if (elements !== length) {
    throw new ClientError(`shape [${shape.join(', ')}] means ${elements} elements, the array has ${length}`);
  }
}

/** A tensor's bytes, not copied. */
export function bytesOf({ data }: Tensor): Buffer {
  return Buffer.from(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
}

/** The tensor in an `AI.TENSORGET key META BLOB` reply; its shape is empty if it is a single number. @throws ClientError */
export function tensorOfReply(reply: unknown): Tensor {
  if (!Array.isArray(reply) || reply.length < 6) throw new ClientError('the server did not answer with a tensor');
  const [, type, , shape, , blob] = reply as unknown[];
  const dtype = String(type) as Dtype;
  const array = arrays[dtype];
  if (array === undefined) throw new ClientError(`a tensor of type ${dtype} cannot be read here`);
  if (!Buffer.isBuffer(blob) || !Array.isArray(shape)) {
    throw new ClientError('the server did not answer with a tensor');
  }
  const made = { dtype, shape: shape.map(Number), data: new array(ownBuffer(blob)) } as Tensor;
  checkCount(made.shape, made.data.length);
  return made;
}

/** The bytes in an ArrayBuffer that holds nothing else: a typed array needs an aligned start. */
function ownBuffer(bytes: Buffer): ArrayBuffer {
  const { buffer, byteLength } = bytes;
  if (buffer instanceof ArrayBuffer && byteLength === buffer.byteLength) return buffer;
  return new Uint8Array(bytes).buffer;
}
