import { elementCount } from '../../ml/dtypes.js';
import type { Graph, GraphValue } from '../onnx/graph.js';
import { cast } from '../onnx/kernels.js';
import { failed, outside } from '../problem.js';
import { isFloat } from '../values/dtypes.js';
import { Tensor } from '../values/tensor.js';
import { choose, concat, elements, expand, type Operand, permute, reshape } from './basics.js';
import { broadcast, range } from './shapes.js';
import { selected, sliced, unsqueezed } from './views.js';

/** One item of a subscript. */
export type Index =
  | { readonly type: 'at'; readonly index: number }
  | { readonly type: 'slice'; readonly from?: number; readonly to?: number; readonly step?: number }
  | { readonly type: 'new' }
  | { readonly type: 'rest' }
  | { readonly type: 'tensor'; readonly tensor: Tensor };

/** A tensor after the items that make views of it, and the tensors among the indices by the dimensions they are for. */
interface Prepared {
  readonly tensor: Tensor;
  readonly tensors: readonly { readonly dim: number; readonly index: Tensor }[];
}

function prepare(graph: Graph, tensor: Tensor, indices: readonly Index[]): Prepared {
  const taken = indices.reduce((sum, index) => sum + dimensionsOf(index), 0);
  if (taken > tensor.rank) {
    throw failed(`too many indices for tensor of dimension ${tensor.rank}`);
  }
  let result = tensor;
  let dim = 0;
  const tensors: { dim: number; index: Tensor }[] = [];
  for (const index of indices) {
    if (index.type === 'at') result = selected(graph, result, dim, index.index);
    else if (index.type === 'rest') dim += tensor.rank - taken;
    else if (index.type === 'new') result = unsqueezed(graph, result, dim++);
    else if (index.type === 'slice') result = sliced(graph, result, dim++, index.from, index.to, index.step);
    else {
      tensors.push({ dim, index: index.tensor });
      dim += dimensionsOf(index);
    }
  }
  return { tensor: result, tensors };
}

/** Dimensions of the tensor that an index is for. */
function dimensionsOf(index: Index): number {
  if (index.type === 'new' || index.type === 'rest') return 0;
  return index.type === 'tensor' && isMask(index.tensor) ? index.tensor.rank : 1;
}

function isMask({ dtype }: Tensor): boolean {
  return dtype === 'BOOL' || dtype === 'UINT8';
}

/** The elements at the indices: a view, unless tensors are among them. */
export function indexed(graph: Graph, tensor: Tensor, indices: readonly Index[]): Tensor {
  const prepared = prepare(graph, tensor, indices);
  if (prepared.tensors.length === 0) return prepared.tensor;
  if (prepared.tensors.some(({ index }) => isMask(index))) {
    throw outside('a selection by a mask, whose size depends on values,');
  }
  const [first] = prepared.tensors;
  if (prepared.tensors.length === 1 && first !== undefined) {
    return new Tensor(gather(graph, prepared.tensor.value, first.dim, whole(graph, first.index)));
  }
  const { order, back, positions } = together(graph, prepared);
  const source = permute(graph, prepared.tensor.value, order);
  const rest = source.shape.slice(prepared.tensors.length);
  const shape = [...positions.shape.slice(0, -1), ...rest];
  const found = graph.node('GatherND', [source, positions], { dtype: source.dtype, shape });
  return new Tensor(permute(graph, found, back));
}

/** Elements of a dimension at positions, whose shape takes the dimension's place. */
export function gather(graph: Graph, value: GraphValue, along: number, positions: GraphValue): GraphValue {
  const shape = [...value.shape.slice(0, along), ...positions.shape, ...value.shape.slice(along + 1)];
  return graph.node('Gather', [value, positions], { dtype: value.dtype, shape }, { axis: BigInt(along) });
}

function whole(graph: Graph, index: Tensor): GraphValue {
  if (isFloat(index.dtype)) {
    throw failed('tensors used as indices must be long, int, byte or bool tensors');
  }
  return cast(graph, index.value, 'INT64');
}

/** Several index tensors as one tensor of positions, the order that brings their dimensions to the front, and the one back of the result. */
function together(
  graph: Graph,
  { tensor, tensors }: Prepared,
): { order: number[]; back: number[]; positions: GraphValue } {
  const dims = tensors.map(({ dim }) => dim);
  const order = [...dims, ...range(tensor.rank).filter((at) => !dims.includes(at))];
  const indices = tensors.map(({ index }) => whole(graph, index));
  const shape = broadcast(...indices.map((index) => index.shape));
  const columns = indices.map((index) => reshape(graph, expand(graph, index, shape), [...shape, 1]));
  const positions = concat(graph, columns, shape.length);
  const start = dims[0] as number;
  const isAdjacent = dims.every((dim, at) => dim === start + at);
  const rank = shape.length + tensor.rank - dims.length;
  const all = range(rank);
  // Index tensors side by side put their dimensions in the place of theirs; others put them first.
  const back = isAdjacent
    ? [
        ...all.slice(shape.length, shape.length + start),
        ...all.slice(0, shape.length),
        ...all.slice(shape.length + start),
      ]
    : all;
  return { order, back, positions };
}

/** Writes a value to the elements at the indices. */
export function assignAt(graph: Graph, tensor: Tensor, indices: readonly Index[], value: Operand): void {
  const { tensor: target, tensors } = prepare(graph, tensor, indices);
  if (!target.isWritable) throw outside('an assignment to elements that are shown several times');
  const [first] = tensors;
  if (first === undefined) {
    target.assign(fitting(graph, value, target.value, target.shape));
    return;
  }
  if (tensors.length === 1 && isMask(first.index)) {
    const given = elements(graph, value, target.dtype);
    if (elementCount(given.shape) !== 1) throw outside('the assignment of several values by a mask');
    target.assign(masked(graph, target.value, first, reshape(graph, given, [])));
    return;
  }
  if (tensors.some(({ index }) => isMask(index))) throw outside('a mask beside other tensors of indices');
  const { order, back, positions } = together(graph, { tensor: target, tensors });
  const source = permute(graph, target.value, order);
  const shape = [...positions.shape.slice(0, -1), ...source.shape.slice(tensors.length)];
  const shown = back.map((from) => shape[from] as number);
  const given = fitting(graph, value, target.value, shown);
  const updates = permute(
    graph,
    given,
    range(back.length).map((at) => back.indexOf(at)),
  );
  const written = graph.node('ScatterND', [source, positions, updates], { dtype: source.dtype, shape: source.shape });
  const inverse = range(order.length).map((at) => order.indexOf(at));
  target.assign(permute(graph, written, inverse));
}

/** The value in the type and shape of what it is written to. */
function fitting(graph: Graph, value: Operand, target: GraphValue, shape: readonly number[]): GraphValue {
  let given = elements(graph, value, target.dtype);
  // Leading dimensions of size 1 may go.
  while (given.shape.length > shape.length && given.shape[0] === 1) given = reshape(graph, given, given.shape.slice(1));
  const fits = given.shape.length <= shape.length && String(broadcast(given.shape, shape)) === String(shape);
  if (!fits) {
    throw failed(
      `shape mismatch: value tensor of shape [${given.shape.join(', ')}] cannot be broadcast to [${shape.join(', ')}]`,
    );
  }
  return expand(graph, given, shape);
}

function masked(
  graph: Graph,
  target: GraphValue,
  { dim, index }: { readonly dim: number; readonly index: Tensor },
  value: GraphValue,
): GraphValue {
  const covered = target.shape.slice(dim, dim + index.rank);
  if (String(covered) !== String(index.shape)) {
    throw failed(
      `The shape of the mask [${index.shape.join(', ')}] at index ${dim} does not match the shape of the indexed tensor [${target.shape.join(', ')}]`,
    );
  }
  const after = target.shape.length - dim - index.rank;
  const mask = reshape(graph, cast(graph, index.value, 'BOOL'), [...index.shape, ...range(after).map(() => 1)]);
  return choose(graph, mask, value, target);
}

/** Where a mask of a tensor is true, its elements become those of a value of its shape. */
export function updateMasked(graph: Graph, tensor: Tensor, mask: Tensor, value: GraphValue): void {
  const target = tensor.value;
  const shown = masked(
    graph,
    target,
    { dim: 0, index: mask },
    expand(graph, cast(graph, value, target.dtype), target.shape),
  );
  tensor.assign(shown);
}

/** True of an index that is a mask. */
export function isMaskIndex(index: Index | undefined): index is Index & { type: 'tensor' } {
  return index?.type === 'tensor' && isMask(index.tensor);
}
