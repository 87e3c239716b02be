import { elementCount } from '../../ml/dtypes.js';
import type { Graph, GraphValue } from '../onnx/graph.js';
import { failed } from '../problem.js';
import type { Tensor } from '../values/tensor.js';
import { concat, expand, permute, reshape, slice } from './basics.js';
import { dimension, dimensions, inferred, range } from './shapes.js';

/** The tensor in another shape; -1 stands for the size that is left. */
export function viewed(graph: Graph, tensor: Tensor, sizes: readonly number[]): Tensor {
  const shape = inferred(sizes, elementCount(tensor.shape));
  return tensor.view(
    (whole) => reshape(graph, whole, shape),
    (whole, shown) => reshape(graph, shown, whole.shape),
  );
}

export function permuted(graph: Graph, tensor: Tensor, dims: readonly number[]): Tensor {
  const order = dimensions(dims, tensor.rank);
  if (order.length !== tensor.rank) {
    throw failed(
      `permute(sparse_coo): number of dimensions in the tensor input does not match the length of the desired ordering of dimensions i.e. input.dim() = ${tensor.rank} is not equal to len(dims) = ${order.length}`,
    );
  }
  const back = range(order.length).map((at) => order.indexOf(at));
  return tensor.view(
    (whole) => permute(graph, whole, order),
    (_, shown) => permute(graph, shown, back),
  );
}

export function transposed(graph: Graph, tensor: Tensor, one: number, other: number): Tensor {
  const order = range(tensor.rank);
  const [a, b] = [dimension(one, tensor.rank), dimension(other, tensor.rank)];
  if (tensor.rank === 0) return tensor;
  order[a] = b;
  order[b] = a;
  return permuted(graph, tensor, order);
}

export function unsqueezed(graph: Graph, tensor: Tensor, dim: number): Tensor {
  const at = dimension(dim, tensor.rank + 1);
  return viewed(graph, tensor, [...tensor.shape.slice(0, at), 1, ...tensor.shape.slice(at)]);
}

/** Without dimensions of size 1: all, or those among the given. */
export function squeezed(graph: Graph, tensor: Tensor, dims?: readonly number[]): Tensor {
  const among = dims === undefined ? range(tensor.rank) : dimensions(dims, tensor.rank);
  return viewed(
    graph,
    tensor,
    tensor.shape.filter((size, at) => size !== 1 || !among.includes(at)),
  );
}

export function flattened(graph: Graph, tensor: Tensor, start: number, end: number): Tensor {
  if (tensor.rank === 0) return viewed(graph, tensor, [1]);
  const [from, to] = [dimension(start, tensor.rank), dimension(end, tensor.rank)];
  if (from > to) throw failed('flatten() has invalid args: start_dim cannot come after end_dim');
  const middle = elementCount(tensor.shape.slice(from, to + 1));
  return viewed(graph, tensor, [...tensor.shape.slice(0, from), middle, ...tensor.shape.slice(to + 1)]);
}

/** The elements repeated along dimensions of size 1, and in new ones before; -1 keeps a size. */
export function expanded(graph: Graph, tensor: Tensor, sizes: readonly number[]): Tensor {
  const missing = sizes.length - tensor.rank;
  if (missing < 0) {
    throw failed(
      `expand(torch.Tensor, size=${sizes.length}): the number of sizes provided (${sizes.length}) must be greater or equal to the number of dimensions in the tensor (${tensor.rank})`,
    );
  }
  const shape = sizes.map((size, at) => {
    const own = tensor.shape[at - missing];
    if (size === -1 && own !== undefined) return own;
    if (size < 0 || (own !== undefined && own !== 1 && own !== size)) {
      throw failed(
        `The expanded size of the tensor (${size}) must match the existing size (${own}) at non-singleton dimension ${at}`,
      );
    }
    return size;
  });
  return tensor.view((whole) => expand(graph, whole, shape));
}

/** Elements of a dimension from one to before another, every `step`; out of range means to the end, as in Python. */
export function sliced(graph: Graph, tensor: Tensor, dim: number, from?: number, to?: number, step = 1): Tensor {
  if (tensor.rank === 0) throw failed('slice() cannot be applied to a 0-dim tensor.');
  const along = dimension(dim, tensor.rank);
  const size = tensor.shape[along] as number;
  if (step < 1) throw failed('slice step must be positive');
  const clip = (at: number): number => Math.min(Math.max(at < 0 ? at + size : at, 0), size);
  const start = clip(from ?? 0);
  const end = Math.max(start, clip(to ?? size));
  return tensor.view(
    (whole) => slice(graph, whole, along, start, end, step),
    (whole, shown) => replaced(graph, whole, shown, along, start, step),
  );
}

/** The tensor at an index of a dimension, which goes. */
export function selected(graph: Graph, tensor: Tensor, dim: number, index: number): Tensor {
  if (tensor.rank === 0) {
    throw failed('select() cannot be applied to a 0-dim tensor.');
  }
  const along = dimension(dim, tensor.rank);
  const size = tensor.shape[along] as number;
  if (index < -size || index >= size) {
    throw failed(`index ${index} is out of bounds for dimension ${along} with size ${size}`);
  }
  const at = index < 0 ? index + size : index;
  const one = sliced(graph, tensor, along, at, at + 1);
  return viewed(
    graph,
    one,
    one.shape.filter((_, each) => each !== along),
  );
}

/** The whole with other elements from `start` on along a dimension, every `step`. */
function replaced(
  graph: Graph,
  whole: GraphValue,
  part: GraphValue,
  along: number,
  start: number,
  step: number,
): GraphValue {
  const size = whole.shape[along] as number;
  const length = part.shape[along] as number;
  if (elementCount(part.shape) === 0) return whole;
  if (step === 1) {
    const end = start + length;
    return concat(graph, [slice(graph, whole, along, 0, start), part, slice(graph, whole, along, end, size)], along);
  }
  const front = range(whole.shape.length).filter((at) => at !== along);
  const order = [along, ...front];
  const back = range(order.length).map((at) => order.indexOf(at));
  const rows = graph.constant(
    'INT64',
    [length, 1],
    range(length).map((at) => BigInt(start + at * step)),
  );
  const [target, source] = [permute(graph, whole, order), permute(graph, part, order)];
  const type = { dtype: whole.dtype, shape: target.shape };
  return permute(graph, graph.node('ScatterND', [target, rows, source], type), back);
}
