import { elementCount } from '../../ml/dtypes.js';
import type { Graph, GraphValue } from '../onnx/graph.js';
import { cast, compute } from '../onnx/kernels.js';
import type { TensorDtype } from '../onnx/tensor-types.js';
import { failed } from '../problem.js';
import { isFloat, scalarName } from '../values/dtypes.js';
import { apply, choose, reshape, scalar } from './basics.js';
import { dimension, dimensions, range, reduced } from './shapes.js';
import { isNan } from './unary.js';

/** Dimensions that are reduced: none given means all. */
export function over(dims: readonly number[] | undefined, rank: number): number[] {
  const given = dims === undefined || dims.length === 0 ? range(rank) : dimensions(dims, rank);
  return rank === 0 ? [] : given;
}

/** A reduction by an operator of ONNX. */
export function reduce(
  graph: Graph,
  operator: string,
  value: GraphValue,
  dims: readonly number[],
  keep: boolean,
): GraphValue {
  if (dims.length === 0) return value;
  const attributes = { keepdims: keep ? 1n : 0n };
  const shape = reduced(value.shape, dims, keep);
  return compute(graph, operator, [value, graph.integers(...dims)], shape, { attributes, count: 1 });
}

/** Type in which whole numbers are added up, or the one that is asked for. */
export function summed(graph: Graph, value: GraphValue, dtype?: TensorDtype): GraphValue {
  return cast(graph, value, dtype ?? (isFloat(value.dtype) ? value.dtype : 'INT64'));
}

export function sum(
  graph: Graph,
  value: GraphValue,
  dims: readonly number[] | undefined,
  keep: boolean,
  dtype?: TensorDtype,
): GraphValue {
  return reduce(graph, 'ReduceSum', summed(graph, value, dtype), over(dims, value.shape.length), keep);
}

export function mean(
  graph: Graph,
  value: GraphValue,
  dims: readonly number[] | undefined,
  keep: boolean,
  dtype?: TensorDtype,
): GraphValue {
  if (!isFloat(dtype ?? value.dtype)) {
    throw failed(
      `mean(): could not infer output dtype. Input dtype must be either a floating point or complex dtype. Got: ${scalarName[dtype ?? value.dtype]}`,
    );
  }
  const along = over(dims, value.shape.length);
  const total = sum(graph, value, dims, keep, dtype ?? value.dtype);
  return apply(graph, 'Div', [total, scalar(graph, countOf(value, along), total.dtype)]);
}

/** Elements that become one. */
function countOf({ shape }: GraphValue, dims: readonly number[]): number {
  return elementCount(dims.map((at) => shape[at] ?? 1));
}

/** The variance, whose divisor is the number of elements less the correction. */
export function variance(
  graph: Graph,
  value: GraphValue,
  dims: readonly number[] | undefined,
  keep: boolean,
  correction: number,
): GraphValue {
  if (!isFloat(value.dtype)) throw failed('std and var only support floating point and complex dtypes');
  const along = over(dims, value.shape.length);
  const middle = mean(graph, value, along, true);
  const distance = apply(graph, 'Sub', [value, middle]);
  const total = reduce(graph, 'ReduceSum', apply(graph, 'Mul', [distance, distance]), along, keep);
  const divisor = Math.max(0, countOf(value, along) - correction);
  return apply(graph, 'Div', [total, scalar(graph, divisor, total.dtype)]);
}

/** The largest or smallest element, NaN if one is among them. */
export function extremeOf(
  graph: Graph,
  operator: 'ReduceMax' | 'ReduceMin',
  value: GraphValue,
  dims: readonly number[],
  keep: boolean,
): GraphValue {
  checkNotEmpty(value, dims, operator === 'ReduceMax' ? 'max' : 'min');
  const found = reduce(graph, operator, value, dims, keep);
  if (!isFloat(value.dtype)) return found;
  const some = truth(graph, isNan(graph, value), 'ReduceMax', dims, keep);
  return choose(graph, some, scalar(graph, Number.NaN, value.dtype), found);
}

/** True where any (ReduceMax) or all (ReduceMin) are. */
export function truth(
  graph: Graph,
  value: GraphValue,
  operator: 'ReduceMax' | 'ReduceMin',
  dims: readonly number[],
  keep: boolean,
): GraphValue {
  const bits = cast(graph, cast(graph, value, 'BOOL'), 'UINT8');
  if (elementCount(value.shape) === 0) {
    const shape = reduced(value.shape, dims, keep);
    const element = operator === 'ReduceMin' ? 1 : 0;
    return graph.constant(
      'BOOL',
      shape,
      range(elementCount(shape)).map(() => element),
    );
  }
  return cast(graph, reduce(graph, operator, bits, dims, keep), 'BOOL');
}

export function checkNotEmpty(value: GraphValue, dims: readonly number[], name: string): void {
  if (elementCount(dims.map((at) => value.shape[at] ?? 1)) > 0) return;
  throw failed(`${name}(): Expected reduction dim to be specified for input.numel() == 0. Specify the reduction dim.`);
}

/** Index of the first largest or smallest element along a dimension; a NaN is the largest and the smallest. */
export function indexOfExtreme(
  graph: Graph,
  operator: 'ArgMax' | 'ArgMin',
  value: GraphValue,
  dim: number,
  keep: boolean,
): GraphValue {
  const along = dimension(dim, value.shape.length);
  checkNotEmpty(value, [along], operator === 'ArgMax' ? 'argmax' : 'argmin');
  if (value.shape.length === 0) return scalar(graph, 0n, 'INT64');
  const shape = reduced(value.shape, [along], keep);
  const attributes = { axis: BigInt(along), keepdims: keep ? 1n : 0n };
  const arg = (of: GraphValue, by: string): GraphValue =>
    compute(graph, by, [of], shape, { attributes, result: 'INT64' });
  const found = arg(value, operator);
  if (!isFloat(value.dtype)) return found;
  const nan = isNan(graph, value);
  const some = truth(graph, nan, 'ReduceMax', [along], keep);
  return choose(graph, some, arg(cast(graph, nan, 'UINT8'), 'ArgMax'), found);
}

/** Largest or smallest elements along a dimension, and their indices. */
export function extremeWithIndex(
  graph: Graph,
  which: 'Max' | 'Min',
  value: GraphValue,
  dim: number,
  keep: boolean,
): [values: GraphValue, indices: GraphValue] {
  const along = dimension(dim, value.shape.length);
  const indices = indexOfExtreme(graph, `Arg${which}`, value, dim, true);
  if (value.shape.length === 0) return [value, indices];
  const picked = graph.node(
    'GatherElements',
    [value, indices],
    { dtype: value.dtype, shape: indices.shape },
    { axis: BigInt(along) },
  );
  const shape = reduced(value.shape, [along], keep);
  return [reshape(graph, picked, shape), reshape(graph, indices, shape)];
}

/** The p-norm of floats. */
export function norm(
  graph: Graph,
  value: GraphValue,
  p: number,
  dims: readonly number[] | undefined,
  keep: boolean,
): GraphValue {
  if (!isFloat(value.dtype)) {
    throw failed(
      `linalg.vector_norm: Expected a floating point or complex tensor as input. Got ${scalarName[value.dtype]}`,
    );
  }
  const along = over(dims, value.shape.length);
  const size = apply(graph, 'Abs', [value]);
  if (p === Number.POSITIVE_INFINITY) return extremeOf(graph, 'ReduceMax', size, along, keep);
  if (p === Number.NEGATIVE_INFINITY) return extremeOf(graph, 'ReduceMin', size, along, keep);
  if (p === 1) return reduce(graph, 'ReduceSum', size, along, keep);
  if (p === 2) {
    return apply(graph, 'Sqrt', [reduce(graph, 'ReduceSum', apply(graph, 'Mul', [value, value]), along, keep)]);
  }
  if (p === 0) {
    const isZero = apply(graph, 'Equal', [value, scalar(graph, 0, value.dtype)], 'BOOL');
    return reduce(graph, 'ReduceSum', cast(graph, apply(graph, 'Not', [isZero]), value.dtype), along, keep);
  }
  const total = reduce(graph, 'ReduceSum', apply(graph, 'Pow', [size, scalar(graph, p, value.dtype)]), along, keep);
  return apply(graph, 'Pow', [total, scalar(graph, 1 / p, value.dtype)]);
}

/** Elements of a dimension in order, or the first of them, with their indices. */
export function sorted(
  graph: Graph,
  value: GraphValue,
  dim: number,
  count: number | undefined,
  isDescending: boolean,
): [values: GraphValue, indices: GraphValue] {
  const along = dimension(dim, value.shape.length);
  if (value.shape.length === 0) return [value, scalar(graph, 0n, 'INT64')];
  const length = count ?? (value.shape[along] as number);
  if (length > (value.shape[along] as number)) throw failed('selected index k out of range');
  const shape = value.shape.map((size, at) => (at === along ? length : size));
  const inside = value.dtype === 'BOOL' ? 'UINT8' : value.dtype;
  const [values, indices] = graph.nodes(
    'TopK',
    [cast(graph, value, inside), graph.integers(length)],
    [
      { dtype: inside, shape },
      { dtype: 'INT64', shape },
    ],
    { axis: BigInt(along), largest: isDescending ? 1n : 0n },
  ) as [GraphValue, GraphValue];
  return [cast(graph, values, value.dtype), indices];
}
