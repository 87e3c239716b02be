import type { Dimension, ModelDtype, TensorHeader } from './header.js';
import { type Field, fields, inner } from './protobuf.js';
import type { Reader } from './reader.js';

/** Names of element types by TensorFlow's numbers of them (DataType). */
const dtypes: Readonly<Record<number, ModelDtype>> = {
  1: 'FLOAT',
  2: 'DOUBLE',
  3: 'INT32',
  4: 'UINT8',
  5: 'INT16',
  6: 'INT8',
  7: 'STRING',
  8: 'complex64',
  9: 'INT64',
  10: 'BOOL',
  11: 'quantized',
  12: 'quantized',
  13: 'quantized',
  14: 'bfloat16',
  15: 'quantized',
  16: 'quantized',
  17: 'UINT16',
  18: 'complex128',
  19: 'float16',
  20: 'resource',
  21: 'variant',
  22: 'uint32',
  23: 'uint64',
  24: 'float8',
  25: 'float8',
  29: 'int4',
  30: 'uint4',
};

/** Name of an element type by TensorFlow's number; undefined for 0, which says nothing. */
export function dtypeOf(number: number): ModelDtype | undefined {
  return number === 0 ? undefined : (dtypes[number] ?? 'unknown');
}

/** A tensor whose type and shape are in fields of a message. */
export function tensorIn(
  reader: Reader,
  message: Field,
  name: string,
  numbers: { dtype: number; shape: number },
): TensorHeader {
  let dtype: ModelDtype | undefined;
  let shape: Dimension[] | undefined;
  for (const field of fields(reader, message.start, message.end)) {
    if (field.number === numbers.dtype && field.wire === 0) dtype = dtypeOf(field.value);
    if (field.number === numbers.shape && field.wire === 2) shape = shapeOf(reader, field);
  }
  return { name, ...(dtype === undefined ? {} : { dtype }), ...(shape === undefined ? {} : { shape }) };
}

/** TensorShapeProto: dim = 2 → size = 1; unknown_rank = 3. Undefined where the number of dimensions may vary. */
export function shapeOf(reader: Reader, message: Field): Dimension[] | undefined {
  const shape: Dimension[] = [];
  for (const field of fields(reader, message.start, message.end)) {
    if (field.number === 3 && field.value !== 0) return undefined;
    if (field.number === 2 && field.wire === 2) shape.push(sizeOf(reader, field));
  }
  return shape;
}

/** A size; null for -1, which is written as a number of 64 bits. Protobuf leaves out a 0. */
function sizeOf(reader: Reader, dim: Field): Dimension {
  let size = 0;
  for (const field of fields(reader, dim.start, dim.end)) {
    if (field.number === 1 && field.wire === 0) size = field.value;
  }
  return size < 2 ** 53 ? size : null;
}

/** Entries of a map from texts to messages: key = 1, value = 2. */
export function* entriesOf(
  reader: Reader,
  parent: Pick<Field, 'start' | 'end'>,
  number: number,
): Generator<[keyField: Field, value: Field], void> {
  for (const entry of inner(reader, parent, number)) {
    let key: Field | undefined;
    let value: Field | undefined;
    for (const field of fields(reader, entry.start, entry.end)) {
      if (field.wire !== 2) continue;
      if (field.number === 1) key = field;
      if (field.number === 2) value = field;
    }
    if (key !== undefined && value !== undefined) yield [key, value];
  }
}
