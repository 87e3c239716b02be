import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { dirname, isAbsolute, join, normalize } from 'node:path';
import { MalformedError } from '../../model-files/errors.js';
import { type Field, fields, textField, varint } from '../../model-files/protobuf.js';
import { BytesReader, FileReader, type Reader } from '../../model-files/reader.js';

/** Bytes that a model may have: protobuf's own limit, which ONNX Runtime keeps for models it is given as bytes. */
const mostModelBytes = 2 ** 31 - 1;

/** Most messages within each other: protobuf's own limit. */
const maxDepth = 100;

/** External data that cannot be taken along, with what to do about it. */
export class ExternalDataError extends Error {
  constructor(
    message: string,
    readonly hint: string,
  ) {
    super(message);
  }
}

/** Messages of onnx.proto that tensors may be in, with the kinds of their fields by number. */
const children: Readonly<Record<string, Readonly<Record<number, string>>>> = {
  Model: { 7: 'Graph', 20: 'Training', 25: 'Function' },
  Training: { 1: 'Graph', 2: 'Graph' },
  Function: { 7: 'Node', 11: 'Attribute' },
  Graph: { 1: 'Node', 5: 'Tensor', 15: 'SparseTensor' },
  Node: { 5: 'Attribute' },
  Attribute: { 5: 'Tensor', 6: 'Graph', 10: 'Tensor', 11: 'Graph', 22: 'SparseTensor', 23: 'SparseTensor' },
  SparseTensor: { 1: 'Tensor', 2: 'Tensor' },
};

/** A part of what a message becomes: of the graph's own bytes, of a data file, or new. */
type Piece =
  | { readonly kind: 'own'; readonly start: number; readonly end: number }
  | { readonly kind: 'data'; readonly file: DataFile; readonly offset: number; readonly length: number }
  | { readonly kind: 'new'; readonly bytes: Uint8Array };

interface DataFile {
  readonly path: string;
  readonly descriptor: number;
  readonly size: number;
}

/** A model in one piece, and the files that its data were in. */
export interface WholeModel {
  readonly bytes: Uint8Array;
  readonly dataFiles: readonly string[];
}

/**
 * An ONNX model (its file, or its bytes) with the data that it keeps in files beside it, as one piece; undefined if it keeps none there. A
 * model in one piece goes wherever its bytes go: to any store, device and client.
 *
 * @throws ExternalDataError for data that are missing, cut short, outside the model's folder, or more than a model can hold.
 */
export function withExternalData(model: string | Uint8Array): WholeModel | undefined {
  const isFile = typeof model === 'string';
  const reader = isFile ? new FileReader(model) : new BytesReader(model);
  const merge = new Merge(reader, isFile ? model : undefined);
  try {
    assertSize(reader.size, 'it has');
    const pieces = merge.rewrite('Model', 0, reader.size);
    if (pieces === undefined) return undefined;
    return { bytes: assemble(isFile ? readFileSync(model) : model, pieces), dataFiles: merge.dataFiles };
  } finally {
    merge.close();
    reader.close();
  }
}

class Merge {
  readonly #reader: Reader;
  readonly #file: string | undefined;
  readonly #data = new Map<string, DataFile>();

  constructor(reader: Reader, file: string | undefined) {
    this.#reader = reader;
    this.#file = file;
  }

  get dataFiles(): string[] {
    return [...this.#data.values()].map(({ path }) => path);
  }

  close(): void {
    for (const { descriptor } of this.#data.values()) closeSync(descriptor);
  }

  /** The pieces that a message becomes; undefined if it stays as it is. */
  rewrite(kind: string, start: number, end: number, depth = 1): Piece[] | undefined {
    if (depth > maxDepth) throw new MalformedError('its messages lie too deep in each other');
    const kinds = children[kind] ?? {};
    const pieces: Piece[] = [];
    let kept = start;
    for (const field of fields(this.#reader, start, end)) {
      const child = field.wire === 2 ? kinds[field.number] : undefined;
      if (child === undefined) continue;
      const inner = child === 'Tensor' ? this.#tensor(field) : this.rewrite(child, field.start, field.end, depth + 1);
      if (inner === undefined) continue;
      pieces.push(own(kept, field.at), { kind: 'new', bytes: header(field.number, lengthOf(inner)) }, ...inner);
      kept = field.end;
    }
    return pieces.length === 0 ? undefined : [...pieces, own(kept, end)];
  }

  /** TensorProto: dims = 1, data_type = 2, name = 8, raw_data = 9, external_data = 13 (key = 1, value = 2), data_location = 14 (1: external). */
  #tensor(tensor: Field): Piece[] | undefined {
    const rest: Piece[] = [];
    const entries = new Map<string, string>();
    const shape: number[] = [];
    let isExternal = false;
    let elementType = 0;
    for (const field of fields(this.#reader, tensor.start, tensor.end)) {
      if (field.number === 1) shape.push(...this.#dimensions(field));
      if (field.number === 2) elementType = field.value;
      if (field.number === 14) isExternal = field.value === 1;
      else if (field.number === 13) entries.set(textField(this.#reader, field, 1), textField(this.#reader, field, 2));
      else rest.push(own(field.at, field.end));
    }
    if (!isExternal) return undefined;
    const name = textField(this.#reader, tensor, 8);
    const data = this.#dataOf(name, entries, byteCount(shape, elementType));
    return [...rest, { kind: 'new', bytes: header(9, data.length) }, data];
  }

  /** Dimensions are in one field each, or all in one field. */
  #dimensions(field: Field): number[] {
    if (field.wire === 0) return [field.value];
    const found: number[] = [];
    for (let at = field.start; at < field.end; ) {
      const [value, next] = varint(this.#reader, at, field.end);
      found.push(value);
      at = next;
    }
    return found;
  }

  #dataOf(tensor: string, entries: ReadonlyMap<string, string>, expected: number | undefined) {
    const location = entries.get('location') ?? '';
    const file = this.#open(tensor, location);
    const offset = numberOf(entries.get('offset')) ?? 0;
    const length = numberOf(entries.get('length')) ?? expected ?? Math.max(0, file.size - offset);
    if (expected !== undefined && length !== expected) {
      const message = `tensor '${tensor}' has ${length} bytes in ${location}, and its shape needs ${expected}`;
      throw new ExternalDataError(message, exportAgain);
    }
    if (offset + length > file.size) {
      const message = `${location} has ${file.size} bytes, and tensor '${tensor}' is in bytes ${offset} to ${offset + length}`;
      throw new ExternalDataError(message, `the file is cut short, or of another model: ${exportAgain}`);
    }
    return { kind: 'data', file, offset, length } as const;
  }

  #open(tensor: string, location: string): DataFile {
    const known = this.#data.get(location);
    if (known !== undefined) return known;
    if (this.#file === undefined) {
      const message = `the data of tensor '${tensor}' are in a file '${location}', and a model given as bytes has no files beside it`;
      throw new ExternalDataError(message, `give the model with mlFile(), or ${inOnePiece}`);
    }
    // A model may come from a stranger: it takes along what lies beside it, and nothing else of the user's.
    if (location === '' || isAbsolute(location) || normalize(location).split('/').includes('..')) {
      const message = `the data of tensor '${tensor}' are in '${location}', which is not beside the model`;
      throw new ExternalDataError(message, inOnePiece);
    }
    const path = join(dirname(this.#file), location);
    const file = openData(path);
    if (file === undefined) {
      const message = `the data of tensor '${tensor}' are in ${path}, which is no file`;
      throw new ExternalDataError(message, `put it beside the model, or ${inOnePiece}`);
    }
    this.#data.set(location, file);
    return file;
  }
}

const inOnePiece =
  'export the model in one piece: torch.onnx.export(…, external_data=False), or onnx.save(model, path, save_as_external_data=False)';
const exportAgain = 'export the model again';

function openData(path: string): DataFile | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(path, 'r');
  } catch {
    return undefined;
  }
  const stat = fstatSync(descriptor);
  if (stat.isFile()) return { path, descriptor, size: stat.size };
  closeSync(descriptor);
  return undefined;
}

function own(start: number, end: number): Piece {
  return { kind: 'own', start, end };
}

function numberOf(text: string | undefined): number | undefined {
  return text === undefined || !/^\d+$/.test(text) ? undefined : Number(text);
}

/** Bits of an element by ONNX's number of its type. */
const elementBits: Readonly<Record<number, number>> = {
  1: 32,
  2: 8,
  3: 8,
  4: 16,
  5: 16,
  6: 32,
  7: 64,
  9: 8,
  10: 16,
  11: 64,
  12: 32,
  13: 64,
  14: 64,
  15: 128,
  16: 16,
  17: 8,
  18: 8,
  19: 8,
  20: 8,
  21: 4,
  22: 4,
};

function byteCount(shape: readonly number[], elementType: number): number | undefined {
  const bits = elementBits[elementType];
  return bits === undefined ? undefined : Math.ceil((shape.reduce((count, size) => count * size, 1) * bits) / 8);
}

/** Tag and length of a field that holds bytes. */
function header(number: number, length: number): Uint8Array {
  return Buffer.from([...varintBytes(number * 8 + 2), ...varintBytes(length)]);
}

function varintBytes(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return [...bytes, rest];
}

function assertSize(bytes: number, what: string): void {
  if (bytes <= mostModelBytes) return;
  const message = `${what} ${(bytes / 2 ** 30).toFixed(1)} GiB, and a model that is sent to a store has less than 2`;
  throw new ExternalDataError(message, 'export it in half precision or quantized, or split it into several models');
}

function lengthOf(pieces: readonly Piece[]): number {
  return pieces.reduce((sum, piece) => {
    if (piece.kind === 'own') return sum + piece.end - piece.start;
    return sum + (piece.kind === 'data' ? piece.length : piece.bytes.length);
  }, 0);
}

function assemble(model: Uint8Array, pieces: readonly Piece[]): Uint8Array {
  const total = lengthOf(pieces);
  assertSize(total, 'with its external data it has');
  const bytes = Buffer.allocUnsafe(total);
  let at = 0;
  for (const piece of pieces) {
    if (piece.kind === 'data') {
      readFully(piece.file.descriptor, bytes.subarray(at, at + piece.length), piece.offset);
      at += piece.length;
      continue;
    }
    const part = piece.kind === 'own' ? model.subarray(piece.start, piece.end) : piece.bytes;
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** Fills `bytes` from a place in a file. */
function readFully(descriptor: number, bytes: Uint8Array, position: number): void {
  for (let done = 0; done < bytes.length; ) {
    const read = readSync(descriptor, bytes, done, Math.min(bytes.length - done, 2 ** 30), position + done);
    if (read === 0) throw new ExternalDataError('its data file became shorter while it was read', exportAgain);
    done += read;
  }
}
