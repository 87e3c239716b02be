import { MalformedError, TooLargeError } from './errors.js';
import type { ModelDtype, TensorHeader } from './header.js';
import { type Field, fields, inner } from './protobuf.js';
import { type Reader, text } from './reader.js';
import { dtypeOf, entriesOf, shapeOf } from './tensorflow-shapes.js';

/** A node of a graph: its operation, and where its attributes are. */
interface Node {
  readonly operation: string;
  readonly message: Field;
}

/** Most nodes of a graph that are listed. */
const mostNodes = 1_000_000;

/** Attribute that says the type of an operation's output, by operation. */
const outputTypes: Readonly<Record<string, string>> = {
  ...{ Placeholder: 'dtype', PlaceholderWithDefault: 'dtype', Const: 'dtype', Cast: 'DstT' },
  ...{ ArgMax: 'output_type', ArgMin: 'output_type', Shape: 'out_type', Identity: 'T' },
  ...{ Softmax: 'T', Sigmoid: 'T', Tanh: 'T', Relu: 'T', BiasAdd: 'T', MatMul: 'T', AddV2: 'T', Add: 'T', Mul: 'T' },
  ...{ Reshape: 'T', Squeeze: 'T', ConcatV2: 'T', LogSoftmax: 'T', Sub: 'T', StridedSlice: 'T', Mean: 'T', Sum: 'T' },
};

/** A TensorFlow graph: its nodes by name, without their weights. */
export class TensorFlowGraph {
  readonly #reader: Reader;
  readonly #nodes = new Map<string, Node>();
  readonly #consumed = new Set<string>();

  /**
   * Reads a GraphDef: node = 1 → NodeDef: name = 1, op = 2, input = 3.
   *
   * @throws MalformedError if it is none, or has no nodes
   */
  constructor(reader: Reader, range: { readonly start: number; readonly end: number }) {
    this.#reader = reader;
    for (const message of inner(reader, range, 1)) {
      let name = '';
      let operation = '';
      for (const field of fields(reader, message.start, message.end)) {
        if (field.wire !== 2 || field.number > 3) continue;
        const value = text(reader, field.start, field.end);
        if (field.number === 1) name = value;
        else if (field.number === 2) operation = value;
        else this.#consumed.add(nodeOf(value.replace(/^\^/, '')));
      }
      if (name === '' || operation === '') throw new MalformedError('a node of its graph has no name or no operation');
      this.#nodes.set(name, { operation, message });
      if (this.#nodes.size > mostNodes) throw new TooLargeError();
    }
    if (this.#nodes.size === 0) throw new MalformedError('its graph has no nodes');
  }

  get names(): IterableIterator<string> {
    return this.#nodes.keys();
  }

  /** True if `NAME` or `NAME:n` is an output of a node. */
  has(tensor: string): boolean {
    return this.#nodes.has(nodeOf(tensor));
  }

  /** Names of the nodes that a run has to be given values of. */
  get placeholders(): string[] {
    return [...this.#nodes].filter(([, { operation }]) => operation === 'Placeholder').map(([name]) => name);
  }

  /** Names of the nodes whose output no other node takes. */
  get ends(): string[] {
    const isEnd = ([name, { operation }]: [string, Node]) =>
      !this.#consumed.has(name) && operation !== 'NoOp' && operation !== 'Const' && operation !== 'Placeholder';
    return [...this.#nodes].filter(isEnd).map(([name]) => name);
  }

  /** Type and shape of a node's output, as far as its attributes say them. */
  tensor(tensor: string): TensorHeader {
    const node = this.#nodes.get(nodeOf(tensor));
    if (node === undefined) return { name: tensor };
    const dtype = this.#dtype(node);
    const shape = this.#shape(node);
    return { name: tensor, ...(dtype === undefined ? {} : { dtype }), ...(shape === undefined ? {} : { shape }) };
  }

  /** AttrValue: type = 6. */
  #dtype({ operation, message }: Node): ModelDtype | undefined {
    const attribute = Object.hasOwn(outputTypes, operation) ? outputTypes[operation] : undefined;
    const value = attribute === undefined ? undefined : this.#attribute(message, attribute);
    if (value === undefined) return undefined;
    for (const field of fields(this.#reader, value.start, value.end)) {
      if (field.number === 6 && field.wire === 0) return dtypeOf(field.value);
    }
    return undefined;
  }

  /** AttrValue: shape = 7. A placeholder that says no sizes may have any. */
  #shape({ operation, message }: Node): TensorHeader['shape'] {
    if (operation !== 'Placeholder') return undefined;
    const value = this.#attribute(message, 'shape');
    for (const field of value === undefined ? [] : inner(this.#reader, value, 7)) return shapeOf(this.#reader, field);
    return undefined;
  }

  /** NodeDef: attr = 5. */
  #attribute(message: Field, name: string): Field | undefined {
    for (const [key, value] of entriesOf(this.#reader, message, 5)) {
      if (text(this.#reader, key.start, key.end) === name) return value;
    }
    return undefined;
  }
}

/** The node of `NODE` and `NODE:n`. */
function nodeOf(tensor: string): string {
  return tensor.replace(/:\d+$/, '');
}
