import { BytesReader, type Field, FileReader, fields, type Reader, textField } from './protobuf.js';

/** An input or output of an ONNX graph. */
export interface OnnxValue {
  readonly name: string;
  /** Element type as ONNX numbers it (1 float, 7 int64, 11 double, …); 0 when it is no tensor. */
  readonly elementType: number;
  /** Number of dimensions; undefined where the file does not say it. */
  readonly rank: number | undefined;
}

/** The header of an ONNX file. */
export interface OnnxGraph {
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
}

/**
 * Inputs and outputs of an ONNX file, read without its weights: long fields are skipped over in the file.
 *
 * Field numbers are those of onnx.proto (ModelProto, GraphProto, ValueInfoProto, TypeProto, TensorShapeProto).
 *
 * @throws Error with a plain reason if the file is no ONNX model.
 */
export function readOnnxGraph(source: string | Uint8Array): OnnxGraph {
  const reader = typeof source === 'string' ? new FileReader(source) : new BytesReader(source);
  try {
    return readModel(reader);
  } finally {
    reader.close();
  }
}

function readModel(reader: Reader): OnnxGraph {
  let graph: Field | undefined;
  let irVersion: number | undefined;
  for (const field of fields(reader, 0, reader.size)) {
    if (field.number === 1 && field.wire === 0) irVersion = field.value;
    if (field.number === 7 && field.wire === 2) graph = field;
  }
  if (irVersion === undefined) throw new Error('it has no ir_version, with which every ONNX file starts');
  if (graph === undefined) throw new Error('it holds no graph');
  const inputs: OnnxValue[] = [];
  const outputs: OnnxValue[] = [];
  const initialized = new Set<string>();
  for (const field of fields(reader, graph.start, graph.end)) {
    if (field.wire !== 2) continue;
    if (field.number === 5) initialized.add(textField(reader, field, 8));
    if (field.number === 11) inputs.push(readValue(reader, field));
    if (field.number === 12) outputs.push(readValue(reader, field));
  }
  if (outputs.length === 0) throw new Error('its graph has no outputs');
  return { inputs: inputs.filter(({ name }) => !initialized.has(name)), outputs };
}

/** ValueInfoProto: name = 1, type = 2 → TypeProto: tensor_type = 1 → elem_type = 1, shape = 2 → dim = 1. */
function readValue(reader: Reader, value: Field): OnnxValue {
  let elementType = 0;
  let rank: number | undefined;
  for (const type of inner(reader, value, 2)) {
    for (const tensor of inner(reader, type, 1)) {
      for (const field of fields(reader, tensor.start, tensor.end)) {
        if (field.number === 1 && field.wire === 0) elementType = field.value;
        if (field.number === 2 && field.wire === 2) rank = inner(reader, field, 1).length;
      }
    }
  }
  return { name: textField(reader, value, 1), elementType, rank };
}

function inner(reader: Reader, parent: Field, number: number): Field[] {
  return [...fields(reader, parent.start, parent.end)].filter((field) => field.number === number && field.wire === 2);
}
