import type { Graph, GraphValue } from '../onnx/graph.js';
import { compute } from '../onnx/kernels.js';
import { failed } from '../problem.js';
import { scalarName } from '../values/dtypes.js';
import type { Tensor } from '../values/tensor.js';
import { broadcast } from './shapes.js';

function checkTypes(one: Tensor, other: Tensor): void {
  if (one.dtype === 'BOOL' && other.dtype === 'BOOL') throw failed('"addmm_impl_cpu_" not implemented for \'Bool\'');
  if (one.dtype === other.dtype) return;
  throw failed(
    `expected m1 and m2 to have the same dtype, but got: ${scalarName[one.dtype]} != ${scalarName[other.dtype]}`,
  );
}

/** The matrix product with the rules of `torch.matmul` for vectors and batches. */
export function matmul(graph: Graph, one: Tensor, other: Tensor): GraphValue {
  if (one.rank === 0 || other.rank === 0) {
    throw failed(`both arguments to matmul need to be at least 1D, but they are ${one.rank}D and ${other.rank}D`);
  }
  checkTypes(one, other);
  const rows = one.rank === 1 ? [] : [one.shape.at(-2) as number];
  const columns = other.rank === 1 ? [] : [other.shape.at(-1) as number];
  const inner = other.rank === 1 ? other.shape[0] : other.shape.at(-2);
  if (one.shape.at(-1) !== inner) {
    throw failed(`mat1 and mat2 shapes cannot be multiplied (${shown(one)} and ${shown(other)})`);
  }
  const batch = broadcast(one.shape.slice(0, -2), other.shape.slice(0, -2));
  return compute(graph, 'MatMul', [one.value, other.value], [...batch, ...rows, ...columns]);
}

function shown({ shape }: Tensor): string {
  return shape.join('x');
}

/** A product of tensors that must have so many dimensions. */
export function product(name: string, ranks: readonly [number, number]) {
  return (graph: Graph, one: Tensor, other: Tensor): GraphValue => {
    if (one.rank !== ranks[0] || other.rank !== ranks[1]) {
      throw failed(
        `${name}: expected tensors of ${ranks[0]} and ${ranks[1]} dimensions, but got ${one.rank} and ${other.rank}`,
      );
    }
    if (name === 'bmm' && one.shape[0] !== other.shape[0]) throw failed('bmm: batch sizes differ');
    return matmul(graph, one, other);
  };
}
