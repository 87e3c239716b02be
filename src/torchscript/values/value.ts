import type { GraphValue } from '../onnx/graph.js';
import type { TensorDtype } from '../onnx/tensor-types.js';
import { Tensor } from './tensor.js';

/** A number of the script that is known only when it runs: a tensor without dimensions of INT64, DOUBLE or BOOL. */
export class RunNumber {
  /** `isOfAnyKind` is true where TorchScript knows no more than that it is a number. */
  constructor(
    readonly value: GraphValue,
    readonly isOfAnyKind = false,
  ) {}
}

export class ListValue {
  constructor(readonly items: Value[]) {}
}

/** A tuple; its members may have names. */
export class TupleValue {
  constructor(
    readonly items: readonly Value[],
    readonly names: readonly string[] = [],
  ) {}
}

/** An element type: one that tensors here have, or the name of another one. */
export class DtypeValue {
  constructor(readonly dtype: TensorDtype | { readonly other: string }) {}
}

export class DeviceValue {
  constructor(readonly name: string) {}
}

/** `torch`, or a module inside it. */
export class ModuleValue {
  constructor(readonly path: string) {}
}

/** Something that can be called by its name: a function of the script, of Python, or of torch; or a method of an object. */
export class CallableValue {
  constructor(
    readonly kind: 'script' | 'builtin' | 'torch' | 'method',
    readonly name: string,
    readonly self?: Value,
  ) {}
}

export class EllipsisValue {}

/** A value of a script while it is compiled. Integers are bigints, floats are numbers. */
export type Value =
  | bigint
  | number
  | boolean
  | string
  | null
  | Tensor
  | RunNumber
  | ListValue
  | TupleValue
  | DtypeValue
  | DeviceValue
  | ModuleValue
  | CallableValue
  | EllipsisValue;

/** A number of Python: known now, or when the script runs. */
export type NumberValue = bigint | number | boolean | RunNumber;

/** Kind of a number. */
export type NumberKind = 'int' | 'float' | 'bool';

export function isNumber(value: Value | undefined): value is NumberValue {
  return (
    typeof value === 'bigint' || typeof value === 'number' || typeof value === 'boolean' || value instanceof RunNumber
  );
}

export function numberKind(value: NumberValue): NumberKind {
  if (typeof value === 'bigint') return 'int';
  if (typeof value === 'number') return 'float';
  if (typeof value === 'boolean') return 'bool';
  return value.value.dtype === 'INT64' ? 'int' : value.value.dtype === 'BOOL' ? 'bool' : 'float';
}

/** Name of a value's type, as PyTorch says it. */
export function typeName(value: Value): string {
  if (isNumber(value)) return numberKind(value);
  if (value === null) return 'NoneType';
  if (typeof value === 'string') return 'str';
  if (value instanceof Tensor) return 'Tensor';
  if (value instanceof ListValue) return `List[${value.items[0] === undefined ? 'Tensor' : typeName(value.items[0])}]`;
  if (value instanceof TupleValue) return `Tuple[${value.items.map(typeName).join(', ')}]`;
  if (value instanceof DtypeValue) return 'int';
  if (value instanceof DeviceValue) return 'Device';
  return value instanceof EllipsisValue ? 'ellipsis' : 'function';
}

/** Items of a list or tuple, undefined of anything else. */
export function itemsOf(value: Value | undefined): readonly Value[] | undefined {
  return value instanceof ListValue || value instanceof TupleValue ? value.items : undefined;
}
