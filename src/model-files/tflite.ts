import { MalformedError } from './errors.js';
import type { Dimension, ModelDtype, ModelHeader, TensorHeader } from './header.js';
import { cutShort, type Reader, text, uint } from './reader.js';

/** Names of element types by the numbers of TensorFlow Lite's schema (TensorType). */
const dtypes: readonly ModelDtype[] = [
  ...(['FLOAT', 'float16', 'INT32', 'UINT8', 'INT64', 'STRING', 'BOOL', 'INT16', 'complex64', 'INT8'] as const),
  ...(['DOUBLE', 'complex128', 'uint64', 'resource', 'variant', 'uint32', 'UINT16', 'int4', 'bfloat16'] as const),
  ...(['int2', 'uint4', 'float8', 'float8'] as const),
];

/** Most elements of a list of inputs, outputs or dimensions; no model comes near. */
const longestList = 10_000;

/** Most weights of a model that are looked at. */
const mostBuffers = 1_000_000;

/**
 * Inputs and outputs of a TensorFlow Lite model's first graph, which a run without a signature's name takes.
 *
 * Numbers of fields are those of its schema: Model (subgraphs 2, buffers 4), SubGraph (tensors 0, inputs 1, outputs 2), Tensor (shape 0,
 * type 1, name 3, shape_signature 7), Buffer (data 0, offset 1, size 2).
 *
 * @throws MalformedError if it is cut short or damaged
 */
export function readTfLite(reader: Reader): ModelHeader {
  const file = new FlatBuffer(reader);
  const model = file.root();
  const graph = file.tableIn(file.vector(model, 2), 0);
  const tensors = file.vector(graph, 0);
  const named = (field: number): TensorHeader[] =>
    file.numbers(graph, field).map((index) => tensorOf(file, file.tableIn(tensors, index)));
  const header = { format: 'TFLite', inputs: named(1), outputs: named(2) } as const;
  checkTables(file, file.vector(model, 1), []);
  checkTables(file, file.vector(graph, 3), [1, 2]);
  checkWeights(file, file.vector(model, 4));
  return header;
}

function tensorOf(file: FlatBuffer, tensor: number): TensorHeader {
  const signature = file.numbers(tensor, 7);
  // A signature says which of the sizes may vary, by -1; without one, none may.
  const sizes = signature.length > 0 ? signature : file.numbers(tensor, 0);
  return {
    name: file.textOf(tensor, 3),
    dtype: dtypes[file.scalar(tensor, 1, 1)] ?? 'unknown',
    shape: sizes.map((size): Dimension => (size >= 2 ** 31 ? null : size)),
  };
}

/** Sees to it that tables, and the lists of numbers in these fields of theirs, end before the file does. */
function checkTables(file: FlatBuffer, tables: Vector, lists: readonly number[]): void {
  for (let index = 0; index < tables.length && index < mostBuffers; index += 1) {
    const table = file.tableIn(tables, index);
    file.assertTable(table);
    for (const list of lists) file.vector(table, list);
  }
}

/** Sees to it that the weights end before the file does: a header may be whole where they are cut short. */
function checkWeights(file: FlatBuffer, buffers: Vector): void {
  if (buffers.length > mostBuffers) throw new MalformedError('it is damaged: a list in it is too long');
  for (let index = 0; index < buffers.length; index += 1) {
    const buffer = file.tableIn(buffers, index);
    file.vector(buffer, 0, 1);
    const offset = file.scalar(buffer, 1, 6);
    // Weights beyond 2 GiB lie behind the table of all this. A 1 stands for none.
    if (offset > 1) file.assertInside(offset, file.scalar(buffer, 2, 6));
  }
}

/** A list of elements: the place of the first, and their number. */
interface Vector {
  readonly at: number;
  readonly length: number;
}

/** Tables of a flatbuffer by their places. All that is read lies in the file. */
class FlatBuffer {
  constructor(readonly reader: Reader) {}

  assertInside(at: number, bytes: number): void {
    if (at < 0 || at + bytes > this.reader.size) throw new MalformedError(`${cutShort}, or damaged`);
  }

  root(): number {
    return this.#follow(0);
  }

  /** A table's list of places starts with its own size and the table's. */
  assertTable(table: number): void {
    const list = this.#listOf(table);
    this.assertInside(list, this.#uint(list, 2));
    this.assertInside(table, this.#uint(list + 2, 2));
  }

  /** A number of so many bytes; 0 where it is absent. */
  scalar(table: number, field: number, bytes: number): number {
    const at = this.#field(table, field);
    return at === undefined ? 0 : this.#uint(at, bytes);
  }

  textOf(table: number, field: number): string {
    const { at, length } = this.vector(table, field, 1);
    return text(this.reader, at, at + length);
  }

  /** A list whose elements have so many bytes; empty where it is absent. */
  vector(table: number, field: number, elementBytes = 4): Vector {
    const place = this.#field(table, field);
    if (place === undefined) return { at: 0, length: 0 };
    const start = this.#follow(place);
    const length = this.#uint(start, 4);
    this.assertInside(start + 4, length * elementBytes);
    return { at: start + 4, length };
  }

  /** A list of numbers of four bytes. */
  numbers(table: number, field: number): number[] {
    const { at, length } = this.vector(table, field);
    if (length > longestList) throw new MalformedError('it is damaged: a list in it is too long');
    return Array.from({ length }, (_, index) => this.#uint(at + 4 * index, 4));
  }

  tableIn({ at, length }: Vector, index: number): number {
    if (index >= length) throw new MalformedError('it is damaged: a number in it points to nothing');
    return this.#follow(at + 4 * index);
  }

  /** Place of a table's field by its own list of places; undefined if it is absent. */
  #field(table: number, field: number): number | undefined {
    const list = this.#listOf(table);
    if (4 + 2 * field + 2 > this.#uint(list, 2)) return undefined;
    const offset = this.#uint(list + 4 + 2 * field, 2);
    return offset === 0 ? undefined : table + offset;
  }

  #listOf(table: number): number {
    const back = this.#uint(table, 4);
    return table - (back >= 2 ** 31 ? back - 2 ** 32 : back);
  }

  #follow(at: number): number {
    return at + this.#uint(at, 4);
  }

  #uint(at: number, bytes: number): number {
    this.assertInside(at, bytes);
    return uint(this.reader, at, bytes);
  }
}
