import type { Graph } from '../onnx/graph.js';
import { cast } from '../onnx/kernels.js';
import type { TensorDtype } from '../onnx/tensor-types.js';
import { failed, outside } from '../problem.js';
import { known } from '../values/dtypes.js';
import { Tensor } from '../values/tensor.js';
import { DtypeValue, isNumber, itemsOf, type NumberValue, RunNumber, type Value } from '../values/value.js';

/** Arguments of an operation by its parameters' names. All methods throw Refusal. */
export class Given {
  readonly #graph: Graph;
  readonly #bound: ReadonlyMap<string, Value>;

  constructor(graph: Graph, bound: ReadonlyMap<string, Value>) {
    this.#graph = graph;
    this.#bound = bound;
  }

  any(name: string): Value {
    return this.#bound.get(name) ?? null;
  }

  /** True if it is there, and not None. */
  has(name: string): boolean {
    return this.any(name) !== null;
  }

  tensor(name: string): Tensor {
    const value = this.any(name);
    if (value instanceof Tensor) return value;
    throw new Error(`the schema has no tensor ${name}`);
  }

  tensors(name: string): Tensor[] {
    return (itemsOf(this.any(name)) ?? []).filter((item) => item instanceof Tensor);
  }

  /** A number of Python; a tensor without dimensions stands for one. */
  number(name: string): NumberValue {
    return asNumber(this.#graph, this.any(name));
  }

  /** A tensor, or a number. */
  operand(name: string): Tensor | NumberValue {
    const value = this.any(name);
    return value instanceof Tensor ? value : asNumber(this.#graph, value);
  }

  /** An integer that is known. */
  int(name: string): number {
    return asInt(this.any(name));
  }

  /** A number that is known. */
  float(name: string): number {
    const value = this.number(name);
    if (value instanceof RunNumber) throw notKnown(name);
    return Number(value);
  }

  ints(name: string): number[] {
    const value = this.any(name);
    return (itemsOf(value) ?? [value]).map(asInt);
  }

  /** Integers, or undefined for None. */
  optionalInts(name: string): number[] | undefined {
    return this.has(name) ? this.ints(name) : undefined;
  }

  flag(name: string): boolean {
    const value = this.any(name);
    if (value instanceof RunNumber) throw notKnown(name);
    return value === true;
  }

  dtype(name: string): TensorDtype | undefined {
    const value = this.any(name);
    return value instanceof DtypeValue ? known(value) : undefined;
  }
}

function notKnown(name: string): Error {
  return outside(`a value of ${name} that depends on the tensors' values`);
}

/** @throws Refusal if the integer depends on values of tensors */
export function asInt(value: Value): number {
  if (typeof value === 'bigint' || typeof value === 'boolean') return Number(value);
  if (value instanceof Tensor || value instanceof RunNumber) {
    const constant = value instanceof Tensor ? value.value.constant : value.value.constant;
    if (constant?.length === 1) return Number(constant[0]);
    throw outside("an integer that depends on the tensors' values");
  }
  throw failed('an integer is expected here');
}

/** The number that a value is; a tensor without dimensions becomes one that is known when the script runs. */
export function asNumber(graph: Graph, value: Value): NumberValue {
  if (isNumber(value)) return value;
  if (value instanceof Tensor && value.rank === 0) return item(graph, value);
  throw failed('a number is expected here');
}

/** The only element of a tensor as a number. */
export function item(graph: Graph, tensor: Tensor): NumberValue {
  const { dtype, constant } = tensor.value;
  const element = constant?.[0];
  if (element !== undefined) {
    if (dtype === 'BOOL') return Number(element) !== 0;
    return element;
  }
  const wide = dtype === 'BOOL' ? 'BOOL' : dtype === 'FLOAT' || dtype === 'DOUBLE' ? 'DOUBLE' : 'INT64';
  return new RunNumber(cast(graph, tensor.value, wide));
}
