import { elementCount } from '../../ml/dtypes.js';
import type { Graph, GraphValue } from '../onnx/graph.js';
import { cast } from '../onnx/kernels.js';
import { failed } from '../problem.js';
import { concat, permute, reshape } from '../tensors/basics.js';
import { gather } from '../tensors/indexing.js';
import { dimension, dimensions, range } from '../tensors/shapes.js';
import * as views from '../tensors/views.js';
import { promote } from '../values/dtypes.js';
import { Tensor } from '../values/tensor.js';
import { ListValue, TupleValue } from '../values/value.js';
import type { Given } from './given.js';
import { both, func, method, type Operation } from './operation.js';

/** Tensors of the same shape but for one dimension, one after the other along it. @throws Refusal */
export function cat(graph: Graph, tensors: readonly Tensor[], dim: number): GraphValue {
  if (tensors.length === 0) throw failed('torch.cat(): expected a non-empty list of Tensors');
  // Torch skips empty vectors, whatever the shape of the others.
  const joined = tensors.filter(({ shape }) => shape.length !== 1 || shape[0] !== 0);
  const dtype = tensors.map((one) => one.dtype).reduce(promote);
  const first = joined[0];
  if (first === undefined) return cast(graph, (tensors[0] as Tensor).value, dtype);
  if (first.rank === 0) throw failed('zero-dimensional tensor (at position 0) cannot be concatenated');
  const along = dimension(dim, first.rank);
  for (const { shape } of joined) {
    const matches = shape.length === first.rank && shape.every((size, at) => at === along || size === first.shape[at]);
    if (!matches) {
      throw failed(
        `Sizes of tensors must match except in dimension ${along}. Expected [${first.shape.join(', ')}] but got [${shape.join(', ')}]`,
      );
    }
  }
  return concat(
    graph,
    joined.map(({ value }) => cast(graph, value, dtype)),
    along,
  );
}

function stack(graph: Graph, tensors: readonly Tensor[], dim: number): GraphValue {
  const [first] = tensors;
  if (first === undefined) throw failed('stack expects a non-empty TensorList');
  const different = tensors.find(({ shape }) => String(shape) !== String(first.shape));
  if (different !== undefined) {
    throw failed(
      `stack expects each tensor to be equal size, but got [${first.shape.join(', ')}] and [${different.shape.join(', ')}]`,
    );
  }
  const along = dimension(dim, first.rank + 1);
  return cat(
    graph,
    tensors.map((tensor) => views.unsqueezed(graph, tensor, along)),
    along,
  );
}

/** Tensors with at least so many dimensions, joined along one. */
function stacked(graph: Graph, tensors: readonly Tensor[], least: number, dim: number): GraphValue {
  const wide = tensors.map((tensor) => {
    let result = tensor;
    while (result.rank < least) result = views.unsqueezed(graph, result, 0);
    return result;
  });
  return cat(graph, wide, (wide[0]?.rank ?? 0) === 1 ? 0 : dim);
}

function pieces(graph: Graph, self: Tensor, sizes: readonly number[], dim: number): Tensor[] {
  let from = 0;
  return sizes.map((size) => {
    from += size;
    return views.sliced(graph, self, dim, from - size, from);
  });
}

function split(graph: Graph, given: Given): ListValue {
  const self = given.tensor('self');
  const dim = dimension(given.int('dim'), self.rank);
  const size = self.shape[dim] ?? 1;
  const asked = given.ints('split_size');
  const isList = typeof given.any('split_size') === 'object';
  if (isList && asked.reduce((sum, each) => sum + each, 0) !== size) {
    throw failed(`split_with_sizes expects split_sizes to sum exactly to ${size} along dimension ${dim}`);
  }
  const sizes = isList ? asked : evenly(size, asked[0] as number);
  return new ListValue(pieces(graph, self, sizes, dim));
}

function evenly(size: number, each: number): number[] {
  if (each <= 0) throw failed('split expects split_size to be positive');
  const count = Math.max(1, Math.ceil(size / each));
  return range(count).map((at) => Math.min(each, size - at * each));
}

function unbind(graph: Graph, tensor: Tensor, dim: number): Tensor[] {
  const along = dimension(dim, tensor.rank);
  return range(tensor.shape[along] ?? 0).map((index) => views.selected(graph, tensor, along, index));
}

/** The elements with those that leave at one end put in at the other. */
function roll(graph: Graph, given: Given): GraphValue {
  const self = given.tensor('self');
  const [shifts, dims] = [given.ints('shifts'), given.ints('dims')];
  if (dims.length === 0) {
    if (shifts.length !== 1) throw failed('shifts and dimensions must align');
    const flat = reshape(graph, self.value, [elementCount(self.shape)]);
    return reshape(graph, rolled(graph, flat, shifts[0] as number, 0), self.shape);
  }
  if (dims.length !== shifts.length) throw failed('shifts and dimensions must align');
  return dims.reduce(
    (value, dim, at) => rolled(graph, value, shifts[at] as number, dimension(dim, self.rank)),
    self.value,
  );
}

function rolled(graph: Graph, value: GraphValue, shift: number, along: number): GraphValue {
  const size = value.shape[along] ?? 0;
  if (size === 0) return value;
  const start = (((size - shift) % size) + size) % size;
  const tensor = new Tensor(value);
  const parts = [views.sliced(graph, tensor, along, start), views.sliced(graph, tensor, along, 0, start)];
  return concat(
    graph,
    parts.map((part) => part.value),
    along,
  );
}

function flip(graph: Graph, given: Given): GraphValue {
  const self = given.tensor('self');
  return dimensions(given.ints('dims'), self.rank).reduce((value, along) => {
    const positions = range(value.shape[along] as number).reverse();
    return gather(graph, value, along, graph.integers(...positions));
  }, self.value);
}

function repeat(graph: Graph, given: Given): GraphValue {
  const self = given.tensor('self');
  const counts = given.ints('repeats');
  if (counts.length < self.rank) {
    throw failed('Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor');
  }
  const sizes = [...range(counts.length - self.rank).map(() => 1), ...self.shape];
  const shape = sizes.map((size, at) => size * (counts[at] as number));
  const wide = reshape(graph, self.value, sizes);
  return graph.node('Tile', [wide, graph.integers(...counts)], { dtype: self.dtype, shape });
}

function triangle(graph: Graph, given: Given, upper: boolean): GraphValue {
  const { value } = given.tensor('self');
  if (value.shape.length < 2) throw failed('the tensor must have at least 2 dimensions');
  const wide = ['INT8', 'INT16', 'UINT8'].includes(value.dtype) ? 'INT32' : value.dtype;
  const diagonal = graph.constant('INT64', [], [BigInt(given.int('diagonal'))]);
  const type = { dtype: wide, shape: value.shape } as const;
  const inputs = [cast(graph, value, wide), diagonal];
  return cast(graph, graph.node('Trilu', inputs, type, { upper: upper ? 1n : 0n }), value.dtype);
}

function movedim(graph: Graph, given: Given): Tensor {
  const self = given.tensor('self');
  const from = dimensions(given.ints('source'), self.rank);
  const to = dimensions(given.ints('destination'), self.rank);
  const rest = range(self.rank).filter((dim) => !from.includes(dim));
  const order = range(self.rank).map((at) =>
    to.includes(at) ? (from[to.indexOf(at)] as number) : (rest.shift() as number),
  );
  return views.permuted(graph, self, order);
}

const swapNames = ['transpose', 'swapaxes', 'swapdims'];

/** Operations of shapes. */
export const shaping: readonly Operation[] = [
  method('view(Tensor self, int[] size)', (graph, given) =>
    views.viewed(graph, given.tensor('self'), given.ints('size')),
  ),
  both('reshape(Tensor self, int[] shape)', (graph, given) =>
    views.viewed(graph, given.tensor('self'), given.ints('shape')),
  ),
  ...['view_as', 'reshape_as'].map((name) =>
    method(`${name}(Tensor self, Tensor other)`, (graph, given) =>
      views.viewed(graph, given.tensor('self'), given.tensor('other').shape),
    ),
  ),
  both('flatten(Tensor self, int start_dim=0, int end_dim=-1)', (graph, given) =>
    views.flattened(graph, given.tensor('self'), given.int('start_dim'), given.int('end_dim')),
  ),
  both('ravel(Tensor self)', (graph, given) => views.viewed(graph, given.tensor('self'), [-1])),
  both('unsqueeze(Tensor self, int dim)', (graph, given) =>
    views.unsqueezed(graph, given.tensor('self'), given.int('dim')),
  ),
  both('squeeze(Tensor self)', (graph, given) => views.squeezed(graph, given.tensor('self'))),
  both('squeeze(Tensor self, int[1] dim)', (graph, given) =>
    views.squeezed(graph, given.tensor('self'), given.ints('dim')),
  ),
  both('permute(Tensor self, int[] dims)', (graph, given) =>
    views.permuted(graph, given.tensor('self'), given.ints('dims')),
  ),
  ...swapNames.map((name) =>
    both(`${name}(Tensor self, int dim0, int dim1)`, (graph, given) =>
      views.transposed(graph, given.tensor('self'), given.int('dim0'), given.int('dim1')),
    ),
  ),
  both('movedim(Tensor self, int[1] source, int[1] destination)', movedim),
  both('t(Tensor self)', (graph, given) => {
    const self = given.tensor('self');
    if (self.rank > 2) throw failed(`t() expects a tensor with <= 2 dimensions, but self is ${self.rank}D`);
    return self.rank < 2 ? self : views.transposed(graph, self, 0, 1);
  }),
  method('expand(Tensor self, int[] size)', (graph, given) =>
    views.expanded(graph, given.tensor('self'), given.ints('size')),
  ),
  both('broadcast_to(Tensor self, int[] size)', (graph, given) =>
    views.expanded(graph, given.tensor('self'), given.ints('size')),
  ),
  method('expand_as(Tensor self, Tensor other)', (graph, given) =>
    views.expanded(graph, given.tensor('self'), given.tensor('other').shape),
  ),
  method('repeat(Tensor self, int[] repeats)', repeat),
  ...['narrow'].map((name) =>
    both(`${name}(Tensor self, int dim, int start, int length)`, (graph, given) => {
      const [self, start, length] = [given.tensor('self'), given.int('start'), given.int('length')];
      const size = self.shape[dimension(given.int('dim'), self.rank)] ?? 0;
      const from = start < 0 ? start + size : start;
      if (length < 0 || from < 0 || from + length > size) {
        throw failed(`start (${from}) + length (${length}) exceeds dimension size (${size}).`);
      }
      return views.sliced(graph, self, given.int('dim'), from, from + length);
    }),
  ),
  both('select(Tensor self, int dim, int index)', (graph, given) =>
    views.selected(graph, given.tensor('self'), given.int('dim'), given.int('index')),
  ),
  both('index_select(Tensor self, int dim, Tensor index)', (graph, given) => {
    const [self, index] = [given.tensor('self'), given.tensor('index')];
    const positions = cast(graph, index.value, 'INT64');
    return gather(
      graph,
      self.value,
      dimension(given.int('dim'), self.rank),
      reshape(graph, positions, [elementCount(index.shape)]),
    );
  }),
  both('gather(Tensor self, int dim, Tensor index)', (graph, given) => {
    const [self, index] = [given.tensor('self'), given.tensor('index')];
    if (index.dtype !== 'INT64') throw failed('gather(): Expected dtype int64 for index');
    const axis = BigInt(dimension(given.int('dim'), self.rank));
    const type = { dtype: self.dtype, shape: index.shape };
    return graph.node('GatherElements', [self.value, index.value], type, { axis });
  }),
  both('take(Tensor self, Tensor index)', (graph, given) => {
    const self = given.tensor('self');
    return gather(graph, reshape(graph, self.value, [elementCount(self.shape)]), 0, given.tensor('index').value);
  }),
  ...['cat', 'concat', 'concatenate'].map((name) =>
    func(`${name}(Tensor[] tensors, int dim=0)`, (graph, given) =>
      cat(graph, given.tensors('tensors'), given.int('dim')),
    ),
  ),
  func('stack(Tensor[] tensors, int dim=0)', (graph, given) =>
    stack(graph, given.tensors('tensors'), given.int('dim')),
  ),
  func('hstack(Tensor[] tensors)', (graph, given) => stacked(graph, given.tensors('tensors'), 1, 1)),
  func('vstack(Tensor[] tensors)', (graph, given) => stacked(graph, given.tensors('tensors'), 2, 0)),
  ...['split', 'split_with_sizes'].map((name) => both(`${name}(Tensor self, int[1] split_size, int dim=0)`, split)),
  both('chunk(Tensor self, int chunks, int dim=0)', (graph, given) => {
    const self = given.tensor('self');
    const dim = dimension(given.int('dim'), self.rank);
    const size = self.shape[dim] ?? 1;
    return new ListValue(pieces(graph, self, evenly(size, Math.max(1, Math.ceil(size / given.int('chunks')))), dim));
  }),
  both(
    'unbind(Tensor self, int dim=0)',
    (graph, given) => new ListValue(unbind(graph, given.tensor('self'), given.int('dim'))),
  ),
  both('flip(Tensor self, int[] dims)', flip),
  both('roll(Tensor self, int[1] shifts, int[1] dims=[])', roll),
  both('tril(Tensor self, int diagonal=0)', (graph, given) => triangle(graph, given, false)),
  both('triu(Tensor self, int diagonal=0)', (graph, given) => triangle(graph, given, true)),
  both('diagonal(Tensor self)', (graph, given) => diagonal(graph, given.tensor('self'))),
  both('trace(Tensor self)', (graph, given) => {
    const own = diagonal(graph, given.tensor('self'));
    if (own.dtype === 'BOOL') throw failed('"trace" not implemented for \'Bool\'');
    const value = own.dtype === 'FLOAT' || own.dtype === 'DOUBLE' ? own : cast(graph, own, 'INT64');
    return graph.node('ReduceSum', [value, graph.integers(0)], { dtype: value.dtype, shape: [] }, { keepdims: 0n });
  }),
  both('diff(Tensor self, int n=1, int dim=-1)', (graph, given) => {
    let self = given.tensor('self');
    const along = dimension(given.int('dim'), self.rank);
    for (let times = given.int('n'); times > 0; times -= 1) {
      const [later, earlier] = [views.sliced(graph, self, along, 1), views.sliced(graph, self, along, 0, -1)];
      const operator = self.dtype === 'BOOL' ? 'Xor' : 'Sub';
      self = new Tensor(graph.node(operator, [later.value, earlier.value], { dtype: self.dtype, shape: later.shape }));
    }
    return self;
  }),
  ...['contiguous', 'clone', 'detach', 'cpu', 'requires_grad_', 'data'].flatMap((name) =>
    method(`${name}(Tensor self)`, (_, given) => {
      const self = given.tensor('self');
      return name === 'clone' ? new Tensor(self.value) : self;
    }),
  ),
  func('clone(Tensor self)', (_, given) => new Tensor(given.tensor('self').value)),
  func('broadcast_tensors(Tensor[] tensors)', (graph, given) => {
    const tensors = given.tensors('tensors');
    const shape = tensors.map((one) => one.shape).reduce((one, other) => sizesOf(one, other), []);
    return new ListValue(tensors.map((one) => views.expanded(graph, one, shape)));
  }),
  func("meshgrid(Tensor[] tensors, *, str indexing='ij')", (graph, given) => {
    const tensors = given.tensors('tensors');
    const shape = tensors.map((one) => elementCount(one.shape));
    const grids = tensors.map((one, at) => {
      const sizes = shape.map((size, dim) => (dim === at ? size : 1));
      const grid = views.expanded(graph, views.viewed(graph, one, sizes), shape);
      return given.any('indexing') === 'xy' ? views.transposed(graph, grid, 0, 1) : grid;
    });
    return new ListValue(grids);
  }),
];

function sizesOf(one: readonly number[], other: readonly number[]): readonly number[] {
  const rank = Math.max(one.length, other.length);
  return range(rank).map((at) => Math.max(one[at - rank + one.length] ?? 1, other[at - rank + other.length] ?? 1));
}

function diagonal(graph: Graph, { value }: Tensor): GraphValue {
  if (value.shape.length !== 2) throw failed('the tensor must have 2 dimensions');
  const [rows, columns] = value.shape as [number, number];
  const length = Math.min(rows, columns);
  const flat = reshape(graph, permute(graph, value, [0, 1]), [rows * columns]);
  return gather(graph, flat, 0, graph.integers(...range(length).map((at) => at * (columns + 1))));
}

/** The tensors of a tuple's or list's items along a dimension, for loops over a tensor. */
export function rowsOf(graph: Graph, tensor: Tensor): TupleValue {
  if (tensor.rank === 0) throw failed('iteration over a 0-d tensor');
  return new TupleValue(unbind(graph, tensor, 0));
}
