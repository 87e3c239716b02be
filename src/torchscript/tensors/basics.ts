import { elementCount } from '../../ml/dtypes.js';
import type { Graph, GraphValue } from '../onnx/graph.js';
import { cast, compute } from '../onnx/kernels.js';
import type { TensorDtype } from '../onnx/tensor-types.js';
import { dtypeOfNumber } from '../values/dtypes.js';
import { Tensor } from '../values/tensor.js';
import { type NumberValue, RunNumber } from '../values/value.js';
import { broadcast, range } from './shapes.js';

/** An operand of arithmetic. */
export type Operand = Tensor | NumberValue;

/** The elements of an operand in a type. */
export function elements(graph: Graph, operand: Operand, dtype: TensorDtype): GraphValue {
  if (operand instanceof Tensor) return cast(graph, operand.value, dtype);
  if (operand instanceof RunNumber) return cast(graph, operand.value, dtype);
  return scalar(graph, operand, dtype);
}

/** A tensor without dimensions. */
export function scalar(graph: Graph, value: bigint | number | boolean, dtype: TensorDtype): GraphValue {
  const own = dtypeOfNumber(value);
  const exact = own === 'FLOAT' ? 'DOUBLE' : own;
  return cast(graph, graph.constant(exact, [], [typeof value === 'boolean' ? Number(value) : value]), dtype);
}

/** A number's elements in the type that a tensor made of it has. */
export function numberElements(graph: Graph, value: NumberValue): GraphValue {
  return elements(graph, value, dtypeOfNumber(value));
}

/** An operator of tensors of one type, which are broadcast. */
export function apply(graph: Graph, operator: string, inputs: readonly GraphValue[], result?: TensorDtype): GraphValue {
  const shape = broadcast(...inputs.map((input) => input.shape));
  return compute(graph, operator, inputs, shape, result === undefined ? {} : { result });
}

/** The same elements in another shape. */
export function reshape(graph: Graph, value: GraphValue, shape: readonly number[]): GraphValue {
  if (value.shape.length === shape.length && value.shape.every((size, at) => size === shape[at])) return value;
  if (value.constant !== undefined) return graph.constant(value.dtype, shape, value.constant);
  // Else 0 would mean the input's own size.
  const attributes = { allowzero: elementCount(shape) === 0 ? 1n : 0n };
  return graph.node('Reshape', [value, graph.integers(...shape)], { dtype: value.dtype, shape }, attributes);
}

/** The elements repeated to a shape that they can be broadcast to. */
export function expand(graph: Graph, value: GraphValue, shape: readonly number[]): GraphValue {
  if (value.shape.length === shape.length && value.shape.every((size, at) => size === shape[at])) return value;
  return graph.node('Expand', [value, graph.integers(...shape)], { dtype: value.dtype, shape });
}

/** A tensor of equal elements. */
export function filled(graph: Graph, shape: readonly number[], value: NumberValue, dtype: TensorDtype): GraphValue {
  return expand(graph, elements(graph, value, dtype), shape);
}

/** The dimensions in another order. */
export function permute(graph: Graph, value: GraphValue, order: readonly number[]): GraphValue {
  if (order.every((from, at) => from === at)) return value;
  const shape = order.map((from) => value.shape[from] as number);
  return graph.node('Transpose', [value], { dtype: value.dtype, shape }, { perm: order.map(BigInt) });
}

/** A value with two dimensions swapped. */
export function swap(graph: Graph, value: GraphValue, one: number, other: number): GraphValue {
  const order = range(value.shape.length);
  order[one] = other;
  order[other] = one;
  return permute(graph, value, order);
}

/** Elements of a dimension from one to before another, every `step`. */
export function slice(graph: Graph, value: GraphValue, along: number, from: number, to: number, step = 1): GraphValue {
  const size = value.shape[along] as number;
  const length = Math.max(0, Math.ceil((to - from) / step));
  if (step === 1 && length === size) return value;
  const shape = value.shape.map((each, at) => (at === along ? length : each));
  const end = to < 0 ? -size - 1 : to;
  const bounds = [graph.integers(from), graph.integers(end), graph.integers(along), graph.integers(step)];
  return graph.node('Slice', [value, ...bounds], { dtype: value.dtype, shape });
}

/** Tensors of equal types and sizes in all other dimensions one after the other. */
export function concat(graph: Graph, values: readonly GraphValue[], along: number): GraphValue {
  const parts = values.filter((value) => value.shape[along] !== 0);
  const [first] = parts.length > 0 ? parts : values;
  if (first === undefined || parts.length <= 1) return first as GraphValue;
  const length = parts.reduce((sum, { shape }) => sum + (shape[along] as number), 0);
  const shape = first.shape.map((size, at) => (at === along ? length : size));
  return graph.node('Concat', parts, { dtype: first.dtype, shape }, { axis: BigInt(along) });
}

/** Elements of one tensor where a condition is true, of the other where it is not. */
export function choose(graph: Graph, condition: GraphValue, one: GraphValue, other: GraphValue): GraphValue {
  const shape = broadcast(condition.shape, one.shape, other.shape);
  const inside = ['INT8', 'INT16', 'BOOL'].includes(one.dtype) ? 'UINT8' : one.dtype;
  const wide = one.dtype === 'INT16' ? 'INT32' : inside;
  const parts = [cast(graph, one, wide), cast(graph, other, wide)];
  return cast(graph, graph.node('Where', [condition, ...parts], { dtype: wide, shape }), one.dtype);
}
