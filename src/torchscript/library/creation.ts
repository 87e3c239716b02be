import { elementCount } from '../../ml/dtypes.js';
import type { Graph, GraphValue } from '../onnx/graph.js';
import { cast } from '../onnx/kernels.js';
import type { TensorDtype } from '../onnx/tensor-types.js';
import { failed, outside } from '../problem.js';
import { concat, elements, filled, reshape } from '../tensors/basics.js';
import { range } from '../tensors/shapes.js';
import { dtypeOfNumber, promote } from '../values/dtypes.js';
import { Tensor } from '../values/tensor.js';
import { isNumber, itemsOf, type NumberValue, numberKind, RunNumber, type Value } from '../values/value.js';
import { asNumber, type Given } from './given.js';
import { func, method, type Operation } from './operation.js';

/** Elements that `arange` and the like make at most: they become part of the compiled script. */
const maxElements = 4 * 1024 * 1024;

/** A tensor of nested lists of numbers. */
function tensorOf(graph: Graph, data: Value, dtype: TensorDtype | undefined): GraphValue {
  // A tensor becomes a number before, which forgets the precision.
  if (data instanceof Tensor) return tensorOf(graph, asNumber(graph, data), dtype);
  const leaves: NumberValue[] = [];
  const shape = shapeOf(data, leaves);
  const own = leaves.map(dtypeOfNumber).reduce(promote, leaves.length === 0 ? 'FLOAT' : 'BOOL');
  const wanted = dtype ?? own;
  if (leaves.every((leaf) => !(leaf instanceof RunNumber))) {
    const wide = own === 'FLOAT' ? 'DOUBLE' : own;
    const plain = leaves.map((leaf) =>
      wide === 'DOUBLE' ? Number(leaf) : wide === 'BOOL' ? Number(leaf) : BigInt(leaf as bigint),
    );
    return cast(graph, graph.constant(wide, shape, plain), wanted);
  }
  const parts = leaves.map((leaf) => reshape(graph, elements(graph, leaf, wanted), [1]));
  return reshape(graph, concat(graph, parts, 0), shape);
}

function shapeOf(data: Value, leaves: NumberValue[]): number[] {
  const items = itemsOf(data);
  if (items === undefined) {
    if (data instanceof Tensor) throw outside('a tensor made of a list of tensors');
    if (!isNumber(data)) throw failed('torch.tensor takes numbers and lists of numbers');
    leaves.push(data);
    return [];
  }
  const shapes = items.map((item) => shapeOf(item, leaves));
  const [first = []] = shapes;
  if (shapes.some((shape) => String(shape) !== String(first))) {
    throw failed('Expected sequence of equal lengths');
  }
  return [items.length, ...first];
}

function numberOf(graph: Graph, given: Given, name: string): number {
  const value = given.number(name);
  if (value instanceof RunNumber) throw outside("a tensor whose size depends on the tensors' values");
  void graph;
  return Number(value);
}

/** Numbers from one to before another. */
function arange(graph: Graph, given: Given): GraphValue {
  const names = ['start', 'end', 'step'].filter((name) => given.has(name));
  const kinds = names.map((name) => numberKind(given.number(name)));
  const dtype = given.dtype('dtype') ?? (kinds.includes('float') ? 'FLOAT' : 'INT64');
  const start = given.has('start') ? numberOf(graph, given, 'start') : 0;
  const step = given.has('step') ? numberOf(graph, given, 'step') : 1;
  const end = numberOf(graph, given, 'end');
  if (step === 0) throw failed('step must be nonzero');
  if ((end - start) / step < 0) throw failed('upper bound and lower bound inconsistent with step sign');
  const count = Math.ceil((end - start) / step);
  return sequence(graph, count, (at) => start + at * step, dtype, kinds.includes('float'));
}

function sequence(
  graph: Graph,
  count: number,
  element: (at: number) => number,
  dtype: TensorDtype,
  isFloat: boolean,
): GraphValue {
  if (count > maxElements) throw outside(`a sequence of ${count} numbers`);
  const wide = isFloat ? 'DOUBLE' : 'INT64';
  const numbers = range(count).map((at) => (isFloat ? element(at) : BigInt(Math.trunc(element(at)))));
  return cast(graph, graph.constant(wide, [count], numbers), dtype);
}

function linspace(graph: Graph, given: Given): GraphValue {
  const [start, end, count] = [given.float('start'), given.float('end'), given.int('steps')];
  if (count < 0) throw failed('number of steps must be non-negative');
  const step = count > 1 ? (end - start) / (count - 1) : 0;
  // As torch: from both ends to the middle.
  const element = (at: number): number => (at < count / 2 ? start + at * step : end - (count - 1 - at) * step);
  return sequence(graph, count, element, given.dtype('dtype') ?? 'FLOAT', true);
}

function eye(graph: Graph, given: Given): GraphValue {
  const rows = given.int('n');
  const columns = given.has('m') ? given.int('m') : rows;
  if (rows * columns > maxElements) throw outside(`an identity matrix of ${rows * columns} elements`);
  const bits = range(rows * columns).map((at) => (Math.floor(at / columns) === at % columns ? 1n : 0n));
  return cast(graph, graph.constant('INT64', [rows, columns], bits), given.dtype('dtype') ?? 'FLOAT');
}

const fills = { zeros: 0n, ones: 1n, empty: 0n } as const;

function checkedShape(sizes: readonly number[]): readonly number[] {
  const negative = sizes.find((size) => size < 0);
  if (negative !== undefined) throw failed(`Trying to create tensor with negative dimension ${negative}`);
  if (elementCount(sizes) > 2 ** 31) throw failed('the tensor is too large');
  return sizes;
}

function full(graph: Graph, given: Given): GraphValue {
  const value = given.number('fill_value');
  const dtype = given.dtype('dtype') ?? dtypeOfNumber(value);
  return filled(graph, checkedShape(given.ints('size')), value, dtype);
}

/** Operations that make tensors. */
export const creating: readonly Operation[] = [
  ...Object.entries(fills).flatMap(([name, value]) => [
    func(`${name}(int[] size, *, ScalarType? dtype=None)`, (graph, given) =>
      filled(graph, checkedShape(given.ints('size')), value, given.dtype('dtype') ?? 'FLOAT'),
    ),
    func(`${name}_like(Tensor self, *, ScalarType? dtype=None)`, (graph, given) => {
      const self = given.tensor('self');
      return filled(graph, self.shape, value, given.dtype('dtype') ?? self.dtype);
    }),
    method(`new_${name}(Tensor self, int[] size, *, ScalarType? dtype=None)`, (graph, given) =>
      filled(graph, checkedShape(given.ints('size')), value, given.dtype('dtype') ?? given.tensor('self').dtype),
    ),
  ]),
  func('full(int[] size, Scalar fill_value, *, ScalarType? dtype=None)', full),
  func('full_like(Tensor self, Scalar fill_value, *, ScalarType? dtype=None)', (graph, given) => {
    const self = given.tensor('self');
    return filled(graph, self.shape, given.number('fill_value'), given.dtype('dtype') ?? self.dtype);
  }),
  method('new_full(Tensor self, int[] size, Scalar fill_value, *, ScalarType? dtype=None)', (graph, given) => {
    const dtype = given.dtype('dtype') ?? given.tensor('self').dtype;
    return filled(graph, checkedShape(given.ints('size')), given.number('fill_value'), dtype);
  }),
  func('tensor(any data, *, ScalarType? dtype=None)', (graph, given) =>
    tensorOf(graph, given.any('data'), given.dtype('dtype')),
  ),
  func('as_tensor(any data, *, ScalarType? dtype=None)', (graph, given) => {
    const [data, dtype] = [given.any('data'), given.dtype('dtype')];
    return data instanceof Tensor ? cast(graph, data.value, dtype ?? data.dtype) : tensorOf(graph, data, dtype);
  }),
  func('scalar_tensor(Scalar s, *, ScalarType? dtype=None)', (graph, given) =>
    elements(graph, given.number('s'), given.dtype('dtype') ?? 'FLOAT'),
  ),
  func('arange(Scalar end, *, ScalarType? dtype=None)', arange),
  func('arange(Scalar start, Scalar end, *, ScalarType? dtype=None)', arange),
  func('arange(Scalar start, Scalar end, Scalar step, *, ScalarType? dtype=None)', arange),
  func('linspace(Scalar start, Scalar end, int steps, *, ScalarType? dtype=None)', linspace),
  func('eye(int n, *, ScalarType? dtype=None)', eye),
  func('eye(int n, int m, *, ScalarType? dtype=None)', eye),
];
