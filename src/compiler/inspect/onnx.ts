import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/** One input or output of an ONNX graph. `shape` holds names for free dimensions. */
export interface OnnxValue {
  readonly name: string;
  /** Element type as ONNX numbers it (1 float, 7 int64, 11 double, …); 0 when it is no tensor. */
  readonly elementType: number;
  readonly shape: readonly (number | string)[];
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

/** ValueInfoProto: name = 1, type = 2 → TypeProto: tensor_type = 1 → elem_type = 1, shape = 2 → dim = 1 → value = 1 or param = 2. */
function readValue(reader: Reader, value: Field): OnnxValue {
  let elementType = 0;
  const shape: (number | string)[] = [];
  for (const type of inner(reader, value, 2)) {
    for (const tensor of inner(reader, type, 1)) {
      for (const field of fields(reader, tensor.start, tensor.end)) {
        if (field.number === 1 && field.wire === 0) elementType = field.value;
        if (field.number !== 2 || field.wire !== 2) continue;
        for (const dimension of inner(reader, field, 1)) shape.push(readDimension(reader, dimension));
      }
    }
  }
  return { name: textField(reader, value, 1), elementType, shape };
}

function readDimension(reader: Reader, dimension: Field): number | string {
  for (const field of fields(reader, dimension.start, dimension.end)) {
    if (field.number === 1 && field.wire === 0) return field.value;
    if (field.number === 2 && field.wire === 2) return reader.text(field.start, field.end);
  }
  return '?';
}

function inner(reader: Reader, parent: Field, number: number): Field[] {
  return [...fields(reader, parent.start, parent.end)].filter((field) => field.number === number && field.wire === 2);
}

function textField(reader: Reader, parent: Field, number: number): string {
  for (const field of fields(reader, parent.start, parent.end)) {
    if (field.number === number && field.wire === 2) return reader.text(field.start, field.end);
  }
  return '';
}

/** A field of a protobuf message: its value (wire type 0), or the range of its bytes (wire type 2). */
interface Field {
  readonly number: number;
  readonly wire: number;
  readonly value: number;
  readonly start: number;
  readonly end: number;
}

function* fields(reader: Reader, start: number, end: number): Generator<Field> {
  let at = start;
  while (at < end) {
    const [tag, afterTag] = varint(reader, at, end);
    const number = Math.floor(tag / 8);
    const wire = tag % 8;
    if (number === 0) throw new Error('it is not in the ONNX format (protobuf)');
    let value = 0;
    let from = afterTag;
    let to = afterTag;
    if (wire === 0) [value, to] = varint(reader, afterTag, end);
    else if (wire === 1) to = afterTag + 8;
    else if (wire === 5) to = afterTag + 4;
    else if (wire === 2) {
      let length: number;
      [length, from] = varint(reader, afterTag, end);
      to = from + length;
    } else throw new Error('it is not in the ONNX format (protobuf)');
    if (to > end) throw new Error('it ends too early: the file is cut short, or not in the ONNX format');
    yield { number, wire, value, start: from, end: to };
    at = to;
  }
}

function varint(reader: Reader, start: number, end: number): [value: number, next: number] {
  let value = 0;
  let scale = 1;
  for (let at = start; at < end && at < start + 10; at++) {
    const byte = reader.byte(at);
    value += (byte & 0x7f) * scale;
    scale *= 128;
    if (byte < 0x80) return [value, at + 1];
  }
  throw new Error('it is not in the ONNX format (protobuf)');
}

interface Reader {
  readonly size: number;
  byte(at: number): number;
  text(start: number, end: number): string;
  close(): void;
}

class BytesReader implements Reader {
  readonly size: number;

  constructor(readonly bytes: Uint8Array) {
    this.size = bytes.length;
  }

  byte(at: number): number {
    return this.bytes[at] ?? 0;
  }

  text(start: number, end: number): string {
    return Buffer.from(this.bytes.subarray(start, end)).toString('utf8');
  }

  close(): void {}
}

/** Reads a file through a window of 64 KiB that moves with the position. */
class FileReader implements Reader {
  readonly size: number;
  readonly #descriptor: number;
  readonly #window = Buffer.alloc(64 * 1024);
  #start = 0;
  #length = 0;

  constructor(path: string) {
    this.#descriptor = openSync(path, 'r');
    this.size = fstatSync(this.#descriptor).size;
  }

  byte(at: number): number {
    if (at < this.#start || at >= this.#start + this.#length) {
      this.#start = at;
      this.#length = readSync(this.#descriptor, this.#window, 0, this.#window.length, at);
    }
    return this.#window[at - this.#start] ?? 0;
  }

  text(start: number, end: number): string {
    const bytes = Buffer.alloc(Math.min(end - start, 4096));
    const length = readSync(this.#descriptor, bytes, 0, bytes.length, start);
    return bytes.toString('utf8', 0, length);
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}
