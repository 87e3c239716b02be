import { elementCount } from '../../ml/dtypes.js';
import { MessageWriter } from './protobuf-writer.js';
import { onnxTypeOf, rawBytes, type TensorDtype } from './tensor-types.js';

/** A tensor in a graph: computed once, never changed. Its shape is known. */
export interface GraphValue {
  readonly name: string;
  readonly dtype: TensorDtype;
  readonly shape: readonly number[];
  /** Its elements, where they are known when the graph is built, and few. */
  readonly constant?: readonly (number | bigint)[];
}

/** Value of a node's attribute. Integers are bigints, floats are numbers. */
export type Attribute = bigint | number | string | readonly bigint[];

/** Attributes of a node by their names. */
export type Attributes = Readonly<Record<string, Attribute>>;

/** Type and shape of a value to be. */
export interface ValueType {
  readonly dtype: TensorDtype;
  readonly shape: readonly number[];
}

const opset = 20;
const irVersion = 9;
/** Nodes that a graph may have: what is larger comes from a loop that was unrolled. */
const maxNodes = 20_000;

/** The graph has become too large. */
export class GraphSizeError extends Error {
  override readonly name = 'GraphSizeError';
}

/** An ONNX graph that is being built. Equal nodes and constants are kept once. */
export class Graph {
  readonly #nodes: MessageWriter[] = [];
  readonly #initializers: MessageWriter[] = [];
  readonly #inputs: GraphValue[] = [];
  readonly #known = new Map<string, readonly GraphValue[]>();
  #count = 0;

  /** The next input. */
  input(type: ValueType): GraphValue {
    const value = { name: `input${this.#inputs.length}`, dtype: type.dtype, shape: type.shape };
    this.#inputs.push(value);
    return value;
  }

  /** A tensor whose elements are given. */
  constant(dtype: TensorDtype, shape: readonly number[], elements: readonly (number | bigint)[]): GraphValue {
    const key = `${dtype} [${shape.join()}] ${elements.map((one) => (Object.is(one, -0) ? '-0' : one)).join()}`;
    return this.#once(key, () => {
      const value: GraphValue = { name: this.#newName(), dtype, shape, constant: elements };
      this.#initializers.push(tensorMessage(value.name, dtype, shape, elements));
      return [value];
    })[0] as GraphValue;
  }

  /** A tensor of one dimension of integers, as operators take axes and shapes. */
  integers(...elements: readonly number[]): GraphValue {
    return this.constant('INT64', [elements.length], elements.map(BigInt));
  }

  /** The output of a node. Inputs left out at the end need not be given; one in between is undefined. */
  node(
    operator: string,
    inputs: readonly (GraphValue | undefined)[],
    type: ValueType,
    attributes: Attributes = {},
  ): GraphValue {
    return this.nodes(operator, inputs, [type], attributes)[0] as GraphValue;
  }

  /** Outputs of a node that has several. @throws GraphSizeError */
  nodes(
    operator: string,
    inputs: readonly (GraphValue | undefined)[],
    types: readonly ValueType[],
    attributes: Attributes = {},
  ): readonly GraphValue[] {
    const names = inputs.map((input) => input?.name ?? '');
    const ofAttributes = Object.entries(attributes).map(([name, value]) => `${name}=${typeof value}${value}`);
    const ofTypes = types.map(({ dtype }) => dtype);
    return this.#once(`${operator}(${names.join()}) ${ofAttributes.join(';')} ${ofTypes.join()}`, () => {
      if (this.#nodes.length >= maxNodes) throw new GraphSizeError();
      const outputs = types.map(({ dtype, shape }) => ({ name: this.#newName(), dtype, shape }));
      this.#nodes.push(nodeMessage(operator, names, outputs, attributes));
      return outputs;
    });
  }

  /** The number 1 if a count is 0; a run with another count fails in the node of that name. */
  guard(name: string, count: GraphValue, dtype: TensorDtype): GraphValue {
    return this.#once(`guard ${name} ${count.name} ${dtype}`, () => {
      const value = { name: this.#newName(), dtype, shape: [] };
      const one = this.constant(dtype, [1], [dtype === 'FLOAT' || dtype === 'DOUBLE' ? 1 : 1n]);
      this.#nodes.push(nodeMessage('Gather', [one.name, count.name], [value], { axis: 0n }, name));
      return [value];
    })[0] as GraphValue;
  }

  /** The model's bytes, a ModelProto with these outputs. */
  finish(outputs: readonly GraphValue[]): Uint8Array {
    const graph = new MessageWriter();
    // An output must be a node's own, and no two may be the same.
    const own = outputs.map((value, index) => {
      const output = { ...value, name: `output${index}` };
      this.#nodes.push(nodeMessage('Identity', [value.name], [output], {}));
      return output;
    });
    for (const node of this.#nodes) graph.bytes(1, node);
    graph.bytes(2, 'script');
    for (const initializer of this.#initializers) graph.bytes(5, initializer);
    for (const input of this.#inputs) graph.bytes(11, valueMessage(input));
    for (const output of own) graph.bytes(12, valueMessage(output));
    return new MessageWriter()
      .integer(1, irVersion)
      .bytes(2, 'simwright')
      .bytes(7, graph)
      .bytes(8, new MessageWriter().bytes(1, '').integer(2, opset))
      .finish();
  }

  #once(key: string, make: () => readonly GraphValue[]): readonly GraphValue[] {
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const made = make();
    this.#known.set(key, made);
    return made;
  }

  #newName(): string {
    this.#count += 1;
    return `v${this.#count}`;
  }
}

/** input = 1, output = 2, name = 3, op_type = 4, attribute = 5. */
function nodeMessage(
  operator: string,
  inputs: readonly string[],
  outputs: readonly GraphValue[],
  attributes: Attributes,
  name = '',
): MessageWriter {
  const message = new MessageWriter().bytes(3, name);
  for (const input of inputs) message.bytes(1, input);
  for (const output of outputs) message.bytes(2, output.name);
  message.bytes(4, operator);
  for (const [key, value] of Object.entries(attributes)) message.bytes(5, attributeMessage(key, value));
  return message;
}

/** name = 1, f = 2, i = 3, s = 4, ints = 8, type = 20 (1 float, 2 integer, 3 text, 7 integers). */
function attributeMessage(name: string, value: Attribute): MessageWriter {
  const message = new MessageWriter().bytes(1, name);
  if (typeof value === 'bigint') return message.integer(3, value).integer(20, 2);
  if (typeof value === 'number') return message.float(2, value).integer(20, 1);
  if (typeof value === 'string') return message.bytes(4, value).integer(20, 3);
  for (const one of value) message.integer(8, one);
  return message.integer(20, 7);
}

/** dims = 1, data_type = 2, name = 8, raw_data = 9. */
function tensorMessage(
  name: string,
  dtype: TensorDtype,
  shape: readonly number[],
  elements: readonly (number | bigint)[],
): MessageWriter {
  if (elements.length !== elementCount(shape)) throw new Error('a constant has elements for another shape');
  const message = new MessageWriter();
  for (const size of shape) message.integer(1, size);
  return message.integer(2, onnxTypeOf[dtype]).bytes(8, name).bytes(9, rawBytes(dtype, elements));
}

/** name = 1, type = 2 with tensor_type = 1 of elem_type = 1 and shape = 2, whose dim = 1 has dim_value = 1. */
function valueMessage({ name, dtype, shape }: GraphValue): MessageWriter {
  const dimensions = new MessageWriter();
  for (const size of shape) dimensions.bytes(1, new MessageWriter().integer(1, size));
  const tensor = new MessageWriter().integer(1, onnxTypeOf[dtype]).bytes(2, dimensions);
  return new MessageWriter().bytes(1, name).bytes(2, new MessageWriter().bytes(1, tensor));
}
