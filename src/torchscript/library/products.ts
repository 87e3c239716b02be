import type { Graph, GraphValue } from '../onnx/graph.js';
import { cast, compute } from '../onnx/kernels.js';
import { failed, outside } from '../problem.js';
import * as arithmetic from '../tensors/arithmetic.js';
import { swap } from '../tensors/basics.js';
import * as products from '../tensors/products.js';
import { dimension } from '../tensors/shapes.js';
import * as views from '../tensors/views.js';
import { Tensor } from '../values/tensor.js';
import type { Given } from './given.js';
import { both, func, type Operation } from './operation.js';

function pair(given: Given, other: string): [Tensor, Tensor] {
  return [given.tensor('self'), given.tensor(other)];
}

function outer(graph: Graph, given: Given): GraphValue {
  const [one, other] = pair(given, 'vec2');
  if (one.rank !== 1 || other.rank !== 1) throw failed('outer: Expected 1-D arguments');
  return arithmetic.multiply(graph, views.unsqueezed(graph, one, 1), other);
}

/** beta * self + alpha * product. */
function added(name: string, ranks: readonly [number, number]) {
  return (graph: Graph, given: Given): GraphValue => {
    const [one, other] = [given.tensor('one'), given.tensor('other')];
    const found = new Tensor(products.product(name, ranks)(graph, one, other));
    const scaled = new Tensor(arithmetic.multiply(graph, found, given.number('alpha')));
    return arithmetic.add(
      graph,
      new Tensor(arithmetic.multiply(graph, given.tensor('self'), given.number('beta'))),
      scaled,
    );
  };
}

function cross(graph: Graph, given: Given): GraphValue {
  const [one, other] = pair(given, 'other');
  if (one.dtype === 'BOOL') throw failed('"cross" not implemented for \'Bool\'');
  const found = one.shape.indexOf(3);
  const dim = given.has('dim') ? dimension(given.int('dim'), one.rank) : found;
  if (dim < 0 || one.shape[dim] !== 3 || other.shape[dim] !== 3) {
    throw failed('cross: the dimension must have length 3');
  }
  const rolled = (tensor: Tensor, by: number): Tensor => {
    const order = by === 1 ? [1, 2, 0] : [2, 0, 1];
    const shape = tensor.shape;
    const type = { dtype: tensor.dtype, shape };
    return new Tensor(graph.node('Gather', [tensor.value, graph.integers(...order)], type, { axis: BigInt(dim) }));
  };
  const first = arithmetic.multiply(graph, rolled(one, 1), rolled(other, 2));
  const second = arithmetic.multiply(graph, rolled(one, 2), rolled(other, 1));
  return arithmetic.subtract(graph, new Tensor(first), new Tensor(second));
}

const interpolations = ['linear', 'nearest', 'cubic'];
const paddings = ['zeros', 'border', 'reflection'];

/** Elements of a field at places that a grid names. */
function gridSampler(graph: Graph, given: Given): GraphValue {
  const [self, grid] = pair(given, 'grid');
  if (self.rank !== grid.rank || self.rank < 4 || self.rank > 5) {
    throw failed('grid_sampler(): expected 4D or 5D input and grid with same number of dimensions');
  }
  if (self.dtype !== grid.dtype) throw failed('grid_sampler(): expected input and grid to have same dtype');
  if (grid.shape.at(-1) !== self.rank - 2) {
    throw failed(`grid_sampler(): expected grid to have size ${self.rank - 2} in last dimension`);
  }
  const [batch, channels] = self.shape as [number, number];
  const shape = [batch, channels, ...grid.shape.slice(1, -1)];
  const attributes = {
    mode: interpolations[given.int('interpolation_mode')] ?? '',
    padding_mode: paddings[given.int('padding_mode')] ?? '',
    align_corners: given.flag('align_corners') ? 1n : 0n,
  };
  return compute(graph, 'GridSample', [self.value, grid.value], shape, { attributes });
}

/** Sum of products by Einstein's convention, with letters for dimensions and an arrow or without. */
function einsum(graph: Graph, given: Given): GraphValue {
  const equation = String(given.any('equation')).replaceAll(' ', '');
  const tensors = given.tensors('tensors');
  const [left = '', right] = equation.split('->');
  const terms = left.split(',');
  if (equation.includes('.')) throw outside('an ellipsis in einsum');
  const sizes = new Map<string, number>();
  for (const [at, term] of terms.entries()) {
    const shape = tensors[at]?.shape ?? [];
    if (term.length !== shape.length) throw failed('einsum(): the number of subscripts does not match the dimensions');
    for (const [dim, letter] of [...term].entries()) {
      const size = shape[dim] as number;
      if ((sizes.get(letter) ?? size) !== size) throw failed(`einsum(): subscript ${letter} has two sizes`);
      sizes.set(letter, size);
    }
  }
  if (terms.length !== tensors.length) throw failed('einsum(): the number of operands does not match the equation');
  const once = [...sizes.keys()].filter((letter) => left.split(letter).length === 2).sort();
  const result = right ?? once.join('');
  const shape = [...result].map((letter) => sizes.get(letter) ?? 1);
  const [first] = tensors;
  const dtype = first?.dtype ?? 'FLOAT';
  if (dtype === 'BOOL') throw failed('"bmm" not implemented for \'Bool\'');
  const wide = ['INT8', 'INT16', 'UINT8'].includes(dtype) ? 'INT32' : dtype;
  const inputs = tensors.map(({ value }) => cast(graph, value, wide));
  const attributes = { equation: `${left}->${result}` };
  return cast(graph, graph.node('Einsum', inputs, { dtype: wide, shape }, attributes), dtype);
}

/** Products of matrices and vectors. */
export const multiplying: readonly Operation[] = [
  both('matmul(Tensor self, Tensor other)', (graph, given) => products.matmul(graph, ...pair(given, 'other'))),
  both('mm(Tensor self, Tensor mat2)', (graph, given) => products.product('mm', [2, 2])(graph, ...pair(given, 'mat2'))),
  both('bmm(Tensor self, Tensor mat2)', (graph, given) =>
    products.product('bmm', [3, 3])(graph, ...pair(given, 'mat2')),
  ),
  both('mv(Tensor self, Tensor vec)', (graph, given) => products.product('mv', [2, 1])(graph, ...pair(given, 'vec'))),
  both('dot(Tensor self, Tensor tensor)', (graph, given) =>
    products.product('dot', [1, 1])(graph, ...pair(given, 'tensor')),
  ),
  both('outer(Tensor self, Tensor vec2)', outer),
  both('addmm(Tensor self, Tensor one, Tensor other, *, Scalar beta=1, Scalar alpha=1)', added('addmm', [2, 2])),
  both('baddbmm(Tensor self, Tensor one, Tensor other, *, Scalar beta=1, Scalar alpha=1)', added('baddbmm', [3, 3])),
  func('linear(Tensor input, Tensor weight, Tensor? bias=None)', (graph, given) => {
    const weight = given.tensor('weight');
    const turned = new Tensor(weight.rank === 2 ? swap(graph, weight.value, 0, 1) : weight.value);
    const found = products.matmul(graph, given.tensor('input'), turned);
    return given.has('bias') ? arithmetic.add(graph, new Tensor(found), given.tensor('bias')) : found;
  }),
  both('cross(Tensor self, Tensor other, int? dim=None)', cross),
  func(
    'grid_sampler(Tensor self, Tensor grid, int interpolation_mode, int padding_mode, bool align_corners)',
    gridSampler,
  ),
  func('einsum(str equation, Tensor[] tensors)', einsum),
  both('kron(Tensor self, Tensor other)', (graph, given) => {
    const [one, other] = pair(given, 'other');
    if (one.rank !== 2 || other.rank !== 2) throw outside('kron of tensors that are no matrices');
    const [a, b] = one.shape as [number, number];
    const [c, d] = other.shape as [number, number];
    const wide = views.viewed(graph, one, [a, 1, b, 1]);
    const found = new Tensor(arithmetic.multiply(graph, wide, views.viewed(graph, other, [1, c, 1, d])));
    return views.viewed(graph, found, [a * c, b * d]);
  }),
];
