import { type Dtype, elementBytes } from '../../ml/dtypes.js';

/** Element types that a script's tensors have. */
export type TensorDtype = Exclude<Dtype, 'STRING' | 'UINT16'>;

/** Element types by their numbers in ONNX. */
export const onnxTypeOf: Readonly<Record<TensorDtype, number>> = {
  FLOAT: 1,
  UINT8: 2,
  INT8: 3,
  INT16: 5,
  INT32: 6,
  INT64: 7,
  BOOL: 9,
  DOUBLE: 11,
};

/** True for an element type that a script's tensors can have. */
export function isTensorDtype(dtype: Dtype): dtype is TensorDtype {
  return Object.hasOwn(onnxTypeOf, dtype);
}

/** Elements as bytes, little-endian, cut to the type's size as a cast would. */
export function rawBytes(dtype: TensorDtype, elements: readonly (number | bigint)[]): Uint8Array {
  const size = elementBytes[dtype];
  const view = new DataView(new ArrayBuffer(elements.length * size));
  for (const [index, element] of elements.entries()) {
    const at = index * size;
    if (dtype === 'FLOAT') view.setFloat32(at, Number(element), true);
    else if (dtype === 'DOUBLE') view.setFloat64(at, Number(element), true);
    else if (dtype === 'BOOL') view.setUint8(at, Number(element) === 0 ? 0 : 1);
    else {
      const whole = typeof element === 'bigint' ? element : BigInt(Math.trunc(element));
      if (size === 8) view.setBigInt64(at, BigInt.asIntN(64, whole), true);
      else if (size === 4) view.setInt32(at, Number(BigInt.asIntN(32, whole)), true);
      else if (size === 2) view.setInt16(at, Number(BigInt.asIntN(16, whole)), true);
      else view.setInt8(at, Number(BigInt.asIntN(8, whole)));
    }
  }
  return new Uint8Array(view.buffer);
}
