import type { TensorDtype } from '../onnx/tensor-types.js';
import { failed, outside } from '../problem.js';
import { Tensor } from './tensor.js';
import { DtypeValue, type NumberKind, type NumberValue, numberKind } from './value.js';

/** Element types by torch's names. */
const byName: Readonly<Record<string, TensorDtype>> = {
  float32: 'FLOAT',
  float: 'FLOAT',
  float64: 'DOUBLE',
  double: 'DOUBLE',
  int8: 'INT8',
  int16: 'INT16',
  short: 'INT16',
  int32: 'INT32',
  int: 'INT32',
  int64: 'INT64',
  long: 'INT64',
  uint8: 'UINT8',
  bool: 'BOOL',
};

const others: ReadonlySet<string> = new Set(
  'float16 half bfloat16 complex32 complex64 complex128 cfloat cdouble uint16 uint32 uint64'.split(' '),
);

/** The element type that `torch.NAME` is. */
export function dtypeNamed(name: string): DtypeValue | undefined {
  if (Object.hasOwn(byName, name)) return new DtypeValue(byName[name] as TensorDtype);
  return others.has(name) ? new DtypeValue({ other: name }) : undefined;
}

/** The element type, if tensors here can have it. @throws Refusal */
export function known({ dtype }: DtypeValue): TensorDtype {
  if (typeof dtype === 'string') return dtype;
  throw outside(`the type torch.${dtype.other}`);
}

/** Torch's own name of the type, as its errors say it. */
export const scalarName: Readonly<Record<TensorDtype, string>> = {
  FLOAT: 'Float',
  DOUBLE: 'Double',
  INT8: 'Char',
  INT16: 'Short',
  INT32: 'Int',
  INT64: 'Long',
  UINT8: 'Byte',
  BOOL: 'Bool',
};

export function isFloat(dtype: TensorDtype): boolean {
  return dtype === 'FLOAT' || dtype === 'DOUBLE';
}

/** 0 of bool, 1 of integers, 2 of floats. */
function categoryOf(dtype: TensorDtype): number {
  return isFloat(dtype) ? 2 : dtype === 'BOOL' ? 0 : 1;
}

/** The smallest type that holds the elements of both, as `torch.promote_types`. */
export function promote(one: TensorDtype, other: TensorDtype): TensorDtype {
  if (one === other) return one;
  const [low, high] = categoryOf(one) <= categoryOf(other) ? [one, other] : [other, one];
  if (categoryOf(low) < categoryOf(high)) return high;
  if (isFloat(low)) return 'DOUBLE';
  const order: readonly TensorDtype[] = ['INT8', 'INT16', 'INT32', 'INT64'];
  if (low === 'UINT8') return high === 'INT8' ? 'INT16' : high;
  if (high === 'UINT8') return low === 'INT8' ? 'INT16' : low;
  return order[Math.max(order.indexOf(low), order.indexOf(high))] as TensorDtype;
}

const ofNumbers: Readonly<Record<NumberKind, TensorDtype>> = { int: 'INT64', float: 'FLOAT', bool: 'BOOL' };

/** The type that a tensor made of the number has. */
export function dtypeOfNumber(value: NumberValue): TensorDtype {
  return ofNumbers[numberKind(value)];
}

/**
 * The type of an operation's result, as `torch.result_type`: tensors with dimensions come before those without, and these before numbers;
 * the later only count if they are of a higher category.
 */
export function resultType(operands: readonly (Tensor | NumberValue)[]): TensorDtype {
  const levels: (TensorDtype | undefined)[] = [undefined, undefined, undefined];
  for (const operand of operands) {
    const level = operand instanceof Tensor ? (operand.rank > 0 ? 0 : 1) : 2;
    const dtype = operand instanceof Tensor ? operand.dtype : dtypeOfNumber(operand);
    const before = levels[level];
    levels[level] = before === undefined ? dtype : promote(before, dtype);
  }
  return levels.reduceRight((lower, higher) => combine(higher, lower)) ?? 'FLOAT';
}

function combine(higher: TensorDtype | undefined, lower: TensorDtype | undefined): TensorDtype | undefined {
  if (higher === undefined || lower === undefined) return higher ?? lower;
  if (isFloat(higher)) return higher;
  return higher === 'BOOL' || isFloat(lower) ? promote(higher, lower) : higher;
}

/** @throws Refusal if results of the type cannot be written into tensors of the other */
export function checkCast(from: TensorDtype, to: TensorDtype): void {
  if (categoryOf(from) <= categoryOf(to)) return;
  throw failed(`result type ${scalarName[from]} can't be cast to the desired output type ${scalarName[to]}`);
}
