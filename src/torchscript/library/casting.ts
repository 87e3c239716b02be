import type { Graph } from '../onnx/graph.js';
import { cast } from '../onnx/kernels.js';
import type { TensorDtype } from '../onnx/tensor-types.js';
import { failed, outside } from '../problem.js';
import { isFloat } from '../values/dtypes.js';
import { Tensor } from '../values/tensor.js';
import { ListValue, RunNumber } from '../values/value.js';
import { type Given, item } from './given.js';
import { both, func, method, type Operation } from './operation.js';

const casts: Readonly<Record<string, TensorDtype>> = {
  float: 'FLOAT',
  double: 'DOUBLE',
  int: 'INT32',
  long: 'INT64',
  short: 'INT16',
  char: 'INT8',
  byte: 'UINT8',
};

/** The tensor in another type: itself if it is of it, as in torch. */
function as(graph: Graph, tensor: Tensor, dtype: TensorDtype | undefined): Tensor {
  return dtype === undefined || dtype === tensor.dtype ? tensor : new Tensor(cast(graph, tensor.value, dtype));
}

function to(graph: Graph, given: Given): Tensor {
  return as(graph, given.tensor('self'), given.dtype('dtype'));
}

/** Types, devices and sizes of tensors. */
export const casting: readonly Operation[] = [
  ...Object.entries(casts).map(([name, dtype]) =>
    method(`${name}(Tensor self)`, (graph, given) => as(graph, given.tensor('self'), dtype)),
  ),
  ...['half', 'bfloat16'].map((name) =>
    method(`${name}(Tensor self)`, () => {
      throw outside(`the type torch.${name === 'half' ? 'float16' : name}`);
    }),
  ),
  method('to(Tensor self, ScalarType dtype, bool non_blocking=False, bool copy=False)', to),
  method('to(Tensor self, Device? device, ScalarType? dtype=None, bool non_blocking=False, bool copy=False)', to),
  method('to(Tensor self, Tensor other, bool non_blocking=False, bool copy=False)', (graph, given) =>
    as(graph, given.tensor('self'), given.tensor('other').dtype),
  ),
  method('to(Tensor self, *, ScalarType? dtype=None)', to),
  method('type(Tensor self, ScalarType dtype)', to),
  method('type_as(Tensor self, Tensor other)', (graph, given) =>
    as(graph, given.tensor('self'), given.tensor('other').dtype),
  ),
  method('size(Tensor self)', (_, given) => new ListValue(given.tensor('self').shape.map(BigInt))),
  method('size(Tensor self, int dim)', (_, given) => {
    const { shape } = given.tensor('self');
    const at = given.int('dim');
    const size = shape.at(at);
    if (size === undefined || at < -shape.length) {
      throw failed(
        `Dimension out of range (expected to be in range of [${-shape.length}, ${shape.length - 1}], but got ${at})`,
      );
    }
    return BigInt(size);
  }),
  ...['dim', 'ndimension'].map((name) =>
    method(`${name}(Tensor self)`, (_, given) => BigInt(given.tensor('self').rank)),
  ),
  ...['numel', 'nelement'].map((name) =>
    both(`${name}(Tensor self)`, (_, given) => BigInt(given.tensor('self').shape.reduce((all, size) => all * size, 1))),
  ),
  both('is_floating_point(Tensor self)', (_, given) => isFloat(given.tensor('self').dtype)),
  both('is_complex(Tensor self)', () => false),
  method('is_contiguous(Tensor self)', () => true),
  method('item(Tensor self)', (graph, given) => {
    const self = given.tensor('self');
    const count = self.shape.reduce((all, size) => all * size, 1);
    if (count !== 1) throw failed(`a Tensor with ${count} elements cannot be converted to Scalar`);
    const found = item(graph, self);
    return found instanceof RunNumber ? new RunNumber(found.value, true) : found;
  }),
  func('is_tensor(any obj)', (_, given) => given.any('obj') instanceof Tensor),
];
