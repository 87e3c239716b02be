import type { Attributes, Graph, GraphValue, ValueType } from './graph.js';
import { onnxTypeOf, type TensorDtype } from './tensor-types.js';

/** Element types that ONNX Runtime's CPU kernels lack, by operator. Its documentation lists them; tests run each of the others. */
const narrow = ['INT8', 'INT16', 'UINT8', 'BOOL'] as const;
const integers = [...narrow, 'INT32', 'INT64'] as const;
const lacking: Readonly<Record<string, readonly TensorDtype[]>> = {
  Abs: ['BOOL'],
  Neg: ['UINT8', 'BOOL'],
  Sign: ['BOOL'],
  Add: ['BOOL'],
  Sub: ['BOOL'],
  Mul: ['BOOL'],
  Div: ['BOOL'],
  Mod: ['BOOL'],
  Less: ['BOOL'],
  Greater: ['BOOL'],
  LessOrEqual: ['BOOL'],
  GreaterOrEqual: ['BOOL'],
  Pow: narrow,
  MatMul: narrow,
  ReduceSum: narrow,
  ReduceProd: narrow,
  CumSum: narrow,
  Max: ['INT16', 'BOOL'],
  Min: ['INT16', 'BOOL'],
  ReduceMax: ['INT16', 'BOOL'],
  ReduceMin: ['INT16', 'BOOL'],
  ArgMax: ['INT16', 'BOOL'],
  ArgMin: ['INT16', 'BOOL'],
  Where: ['INT8', 'INT16', 'BOOL'],
  TopK: ['BOOL'],
  Trilu: ['INT8', 'INT16', 'UINT8'],
  Erf: ['DOUBLE', ...integers],
  Asin: ['DOUBLE', ...integers],
  Acos: ['DOUBLE', ...integers],
  Atan: ['DOUBLE', ...integers],
  GridSample: integers,
};

/** The type in which the operator computes what it has no kernel for. */
export function computeType(operator: string, dtype: TensorDtype): TensorDtype {
  if (lacking[operator]?.includes(dtype) !== true) return dtype;
  return dtype === 'DOUBLE' ? 'FLOAT' : 'INT32';
}

/** The value with elements of another type. */
export function cast(graph: Graph, value: GraphValue, dtype: TensorDtype): GraphValue {
  if (value.dtype === dtype) return value;
  if (value.constant !== undefined) {
    const elements = value.constant.map((element) => castElement(element, dtype));
    if (elements.every((element) => element !== undefined)) return graph.constant(dtype, value.shape, elements);
  }
  return graph.node('Cast', [value], { dtype, shape: value.shape }, { to: BigInt(onnxTypeOf[dtype]) });
}

function castElement(element: number | bigint, dtype: TensorDtype): number | bigint | undefined {
  if (dtype === 'BOOL') return Number(element) === 0 ? 0 : 1;
  if (dtype === 'DOUBLE') return Number(element);
  if (dtype === 'FLOAT') return Math.fround(Number(element));
  // Too large a float has no integer: leave it to the run.
  if (typeof element === 'number')
    return Number.isSafeInteger(Math.trunc(element)) ? BigInt(Math.trunc(element)) : undefined;
  const bits = { INT8: 8, INT16: 16, INT32: 32, INT64: 64, UINT8: 8 }[dtype];
  return dtype === 'UINT8' ? BigInt.asUintN(bits, element) : BigInt.asIntN(bits, element);
}

/**
 * A node whose first inputs, `count` of them, are of one type, in which it computes; where there is no kernel for it, in a wider one. The
 * result is of that type, too, unless `result` names another.
 */
export function compute(
  graph: Graph,
  operator: string,
  inputs: readonly (GraphValue | undefined)[],
  shape: readonly number[],
  { attributes, result, count = inputs.length }: { attributes?: Attributes; result?: TensorDtype; count?: number } = {},
): GraphValue {
  const dtype = inputs[0]?.dtype ?? 'FLOAT';
  const inside = computeType(operator, dtype);
  const cast_ = inputs.map((input, index) =>
    input === undefined || index >= count ? input : cast(graph, input, inside),
  );
  const type: ValueType = { dtype: result ?? inside, shape };
  const output = graph.node(operator, cast_, type, attributes);
  return result === undefined ? cast(graph, output, dtype) : output;
}
