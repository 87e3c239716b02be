import { MalformedError } from './errors.js';
import type { Dimension, ModelDtype, ModelHeader, TensorHeader } from './header.js';
import { type Field, fields, inner, textField } from './protobuf.js';
import { type Reader, text } from './reader.js';

/** Names of element types by ONNX's numbers of them (TensorProto.DataType). */
const dtypes: Readonly<Record<number, ModelDtype>> = {
  1: 'FLOAT',
  2: 'UINT8',
  3: 'INT8',
  4: 'UINT16',
  5: 'INT16',
  6: 'INT32',
  7: 'INT64',
  8: 'STRING',
  9: 'BOOL',
  10: 'float16',
  11: 'DOUBLE',
  12: 'uint32',
  13: 'uint64',
  14: 'complex64',
  15: 'complex128',
  16: 'bfloat16',
  17: 'float8',
  18: 'float8',
  19: 'float8',
  20: 'float8',
  21: 'uint4',
  22: 'int4',
  23: 'float4',
  24: 'float8',
  25: 'uint2',
  26: 'int2',
};

/**
 * Inputs and outputs of an ONNX file, read without its weights: long fields are skipped over in the file. Inputs with an initial value are
 * left out, since nobody has to send them.
 *
 * Field numbers are those of onnx.proto (ModelProto, GraphProto, ValueInfoProto, TypeProto, TensorShapeProto).
 *
 * @throws MalformedError with a plain reason if the file is no ONNX model
 */
export function readOnnx(reader: Reader): ModelHeader {
  let graph: Field | undefined;
  let hasVersion = false;
  for (const field of fields(reader, 0, reader.size)) {
    if (field.number === 1 && field.wire === 0) hasVersion = true;
    if (field.number === 7 && field.wire === 2) graph = field;
  }
  if (!hasVersion) throw new MalformedError('it has no ir_version, with which every ONNX file starts');
  if (graph === undefined) throw new MalformedError('it holds no graph');
  const inputs: TensorHeader[] = [];
  const outputs: TensorHeader[] = [];
  const initialized = new Set<string>();
  for (const field of fields(reader, graph.start, graph.end)) {
    if (field.wire !== 2) continue;
    if (field.number === 5) initialized.add(textField(reader, field, 8));
    if (field.number === 11) inputs.push(readValue(reader, field));
    if (field.number === 12) outputs.push(readValue(reader, field));
  }
  if (outputs.length === 0) throw new MalformedError('its graph has no outputs');
  return { format: 'ONNX', inputs: inputs.filter(({ name }) => !initialized.has(name as string)), outputs };
}

/** ValueInfoProto: name = 1, type = 2 → TypeProto: tensor_type = 1 → elem_type = 1, shape = 2. */
function readValue(reader: Reader, value: Field): TensorHeader {
  let dtype: ModelDtype | undefined;
  let shape: Dimension[] | undefined;
  for (const type of inner(reader, value, 2)) {
    for (const tensor of inner(reader, type, 1)) {
      for (const field of fields(reader, tensor.start, tensor.end)) {
        if (field.number === 1 && field.wire === 0) dtype = dtypes[field.value] ?? 'unknown';
        if (field.number === 2 && field.wire === 2) shape = readShape(reader, field);
      }
    }
  }
  const name = textField(reader, value, 1);
  if (dtype === undefined) return { name, other: 'sequence or map' };
  return shape === undefined ? { name, dtype } : { name, dtype, shape };
}

/** TensorShapeProto: dim = 1 → dim_value = 1, dim_param = 2. */
function readShape(reader: Reader, shape: Field): Dimension[] {
  const dimensions: Dimension[] = [];
  for (const dim of inner(reader, shape, 1)) {
    let size: Dimension = null;
    for (const field of fields(reader, dim.start, dim.end)) {
      // Some exporters write 0 or -1 for a size that may vary.
      if (field.number === 1 && field.wire === 0 && field.value > 0 && field.value < 2 ** 53) size = field.value;
      if (field.number === 2 && field.wire === 2) size = text(reader, field.start, field.end);
    }
    dimensions.push(size);
  }
  return dimensions;
}
