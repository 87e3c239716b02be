import type { Graph } from '../onnx/graph.js';
import { failed, outside } from '../problem.js';
import type { BinaryOperator, UnaryOperator } from '../syntax/ast.js';
import { apply } from '../tensors/basics.js';
import { matmul } from '../tensors/products.js';
import { unaries } from '../tensors/unary.js';
import { isFloat } from '../values/dtypes.js';
import { Tensor } from '../values/tensor.js';
import {
  DeviceValue,
  DtypeValue,
  isNumber,
  itemsOf,
  ListValue,
  type NumberValue,
  RunNumber,
  TupleValue,
  typeName,
  type Value,
} from '../values/value.js';
import { calculate, tensorOperators } from './numbers.js';

/** Result of an operator of two values, but `and` and `or`. @throws Refusal */
export function operate(graph: Graph, operator: BinaryOperator, one: Value, other: Value): Value {
  if (operator === 'is') return isSame(one, other);
  if (operator === 'is not') return !isSame(one, other);
  if (operator === 'in' || operator === 'not in') return isIn(one, other) === (operator === 'in');
  if (one instanceof Tensor || other instanceof Tensor) return ofTensors(graph, operator, one, other);
  if (isNumber(one) && isNumber(other)) return calculate(graph, operator, one, other);
  if (operator === '==' || operator === '!=') return isEqual(one, other) === (operator === '==');
  if (operator === '+' && typeof one === 'string' && typeof other === 'string') return one + other;
  const sequence = ofSequences(operator, one, other);
  if (sequence !== undefined) return sequence;
  throw failed(`unsupported operand types for ${operator}: '${typeName(one)}' and '${typeName(other)}'`);
}

function ofTensors(graph: Graph, operator: BinaryOperator, one: Value, other: Value): Tensor {
  if (operator === '@' && one instanceof Tensor && other instanceof Tensor) {
    return new Tensor(matmul(graph, one, other));
  }
  const of = tensorOperators[operator];
  const isOperand = (value: Value) => value instanceof Tensor || isNumber(value);
  if (isOperand(one) && isOperand(other)) {
    // TorchScript has no form of these for a number and a tensor, but takes a tensor without dimensions as a number.
    const isLeft = typeof one === 'boolean' || (one instanceof RunNumber && one.isOfAnyKind) || operator === '//';
    if (isNumber(one) && isLeft && other instanceof Tensor && other.rank > 0) {
      throw failed('Cannot input a tensor of dimension other than 0 as a scalar argument');
    }
    if (of !== undefined) return new Tensor(of(graph, asInteger(one), asInteger(other)));
    if (operator === '<<' || operator === '>>') return shifted(graph, operator, one, other);
  }
  throw failed(`unsupported operand types for ${operator}: '${typeName(one)}' and '${typeName(other)}'`);
}

/** A truth value is an integer beside a tensor. */
function asInteger(value: Value): Tensor | NumberValue {
  return typeof value === 'boolean' ? BigInt(value) : (value as Tensor | NumberValue);
}

/** A shift by a number that is known: a product or quotient of a power of 2. */
function shifted(graph: Graph, operator: '<<' | '>>', one: Value, by: Value): Tensor {
  if (!(one instanceof Tensor) || typeof by !== 'bigint' || by < 0n || by > 62n || isFloat(one.dtype)) {
    throw outside('a shift by other than a number that is known');
  }
  const of = tensorOperators[operator === '<<' ? '*' : '//'];
  return new Tensor(of?.(graph, one, 2n ** by) ?? one.value);
}

function ofSequences(operator: BinaryOperator, one: Value, other: Value): Value | undefined {
  if (operator === '+' && one instanceof ListValue && other instanceof ListValue) {
    return new ListValue([...one.items, ...other.items]);
  }
  if (operator === '+' && one instanceof TupleValue && other instanceof TupleValue) {
    return new TupleValue([...one.items, ...other.items]);
  }
  if (operator === '*' && one instanceof ListValue && typeof other === 'bigint' && other < 10_000n) {
    return new ListValue(Array.from({ length: Math.max(0, Number(other)) }, () => one.items).flat());
  }
  return undefined;
}

function isSame(one: Value, other: Value): boolean {
  return one === other;
}

function isEqual(one: Value, other: Value): boolean {
  if (one instanceof DtypeValue && other instanceof DtypeValue) return String(one.dtype) === String(other.dtype);
  if (one instanceof DeviceValue) return other instanceof DeviceValue && one.name === other.name;
  const [a, b] = [itemsOf(one), itemsOf(other)];
  if (a !== undefined && b !== undefined) {
    return a.length === b.length && a.every((each, at) => isEqual(each, b[at] as Value));
  }
  if (one instanceof Tensor || other instanceof Tensor || one instanceof RunNumber || other instanceof RunNumber) {
    throw outside("a comparison that depends on the tensors' values");
  }
  if (isNumber(one) && isNumber(other)) return Number(one) === Number(other);
  return one === other;
}

function isIn(one: Value, other: Value): boolean {
  if (typeof one === 'string' && typeof other === 'string') return other.includes(one);
  const items = itemsOf(other);
  if (items === undefined) throw failed(`'in' needs a list, not '${typeName(other)}'`);
  return items.some((item) => isEqual(item, one));
}

/** Result of an operator of one value. @throws Refusal */
export function operateOne(graph: Graph, operator: UnaryOperator, value: Value): Value {
  if (operator === 'not') return negated(graph, value);
  if (value instanceof Tensor) {
    const of = unaries[operator === '-' ? 'neg' : 'bitwise_not'];
    return new Tensor(of?.(graph, value.value) ?? value.value);
  }
  if (!isNumber(value)) throw failed(`unsupported operand type for unary ${operator}: '${typeName(value)}'`);
  if (operator === '-') {
    return typeof value === 'number' ? -value : calculate(graph, '-', 0n, value);
  }
  return calculate(graph, '-', -1n, value);
}

function negated(graph: Graph, value: Value): Value {
  if (value instanceof RunNumber && value.value.dtype === 'BOOL') {
    return new RunNumber(apply(graph, 'Not', [value.value]));
  }
  return !truthOf(value);
}

/** True or false as a condition. @throws Refusal if that depends on values of tensors */
export function truthOf(value: Value): boolean {
  if (typeof value === 'boolean') return value;
  if (typeof value === 'bigint') return value !== 0n;
  if (typeof value === 'number') return value !== 0;
  if (value instanceof Tensor || value instanceof RunNumber) {
    throw outside("a condition that depends on the tensors' values");
  }
  throw failed(`Could not cast value of type ${typeName(value)} to bool`);
}
