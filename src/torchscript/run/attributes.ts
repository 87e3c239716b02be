import { tensorMethods, torchFunctions } from '../library/index.js';
import type { Graph } from '../onnx/graph.js';
import { failed, outside } from '../problem.js';
import { range } from '../tensors/shapes.js';
import { permuted, transposed } from '../tensors/views.js';
import { dtypeNamed } from '../values/dtypes.js';
import { Tensor } from '../values/tensor.js';
import {
  CallableValue,
  DeviceValue,
  DtypeValue,
  ListValue,
  ModuleValue,
  TupleValue,
  typeName,
  type Value,
} from '../values/value.js';
import { listMethods } from './list-methods.js';

const constants: Readonly<Record<string, number>> = {
  pi: Math.PI,
  e: Math.E,
  inf: Number.POSITIVE_INFINITY,
  nan: Number.NaN,
};
const modules: ReadonlySet<string> = new Set(['torch.nn', 'torch.nn.functional']);

/** The attribute of that name. @throws Refusal */
export function attributeOf(graph: Graph, of: Value, name: string): Value {
  if (of instanceof ModuleValue) return ofModule(of, name);
  if (of instanceof Tensor) return ofTensor(graph, of, name);
  if (of instanceof TupleValue && of.names.includes(name)) return of.items[of.names.indexOf(name)] as Value;
  if (of instanceof DeviceValue && name === 'type') return of.name.split(':')[0] as string;
  if (of instanceof ListValue && Object.hasOwn(listMethods, name)) return new CallableValue('method', name, of);
  if (typeof of === 'string' && name === 'format') return new CallableValue('method', name, of);
  throw failed(`'${typeName(of)}' object has no attribute or method '${name}'.`);
}

function ofModule({ path }: ModuleValue, name: string): Value {
  const whole = `${path}.${name}`;
  if (modules.has(whole)) return new ModuleValue(whole);
  if (path === 'torch') {
    const dtype = dtypeNamed(name);
    if (dtype !== undefined) return dtype;
    if (Object.hasOwn(constants, name)) return constants[name] as number;
    if (name === 'device') return new CallableValue('builtin', 'torch.device');
  }
  if (path !== 'torch.nn' && torchFunctions.has(name)) return new CallableValue('torch', name);
  throw outside(whole);
}

function ofTensor(graph: Graph, tensor: Tensor, name: string): Value {
  switch (name) {
    case 'shape':
      return new ListValue(tensor.shape.map(BigInt));
    case 'dtype':
      return new DtypeValue(tensor.dtype);
    case 'device':
      return new DeviceValue('cpu');
    case 'ndim':
      return BigInt(tensor.rank);
    case 'T':
      return permuted(graph, tensor, range(tensor.rank).reverse());
    case 'mT':
      return transposed(graph, tensor, -2, -1);
    case 'data':
      return tensor;
    case 'is_cuda':
    case 'requires_grad':
      return false;
    default:
      if (tensorMethods.has(name)) return new CallableValue('method', name, tensor);
      throw outside(`the method '${name}' of tensors`);
  }
}
