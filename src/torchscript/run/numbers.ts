import type { Graph } from '../onnx/graph.js';
import { failed, outside } from '../problem.js';
import type { BinaryOperator } from '../syntax/ast.js';
import * as arithmetic from '../tensors/arithmetic.js';
import { elements } from '../tensors/basics.js';
import { Tensor } from '../values/tensor.js';
import { type NumberValue, numberKind, RunNumber } from '../values/value.js';

/** Operators of tensors; those of numbers that are known when the script runs are the same. */
export const tensorOperators: Readonly<Partial<Record<BinaryOperator, arithmetic.Arithmetic>>> = {
  '+': arithmetic.add,
  '-': arithmetic.subtract,
  '*': arithmetic.multiply,
  '/': arithmetic.divide,
  '//': arithmetic.floorDivide,
  '%': arithmetic.remainder,
  '**': arithmetic.power,
  '<': arithmetic.compare('Less'),
  '>': arithmetic.compare('Greater'),
  '<=': arithmetic.compare('LessOrEqual'),
  '>=': arithmetic.compare('GreaterOrEqual'),
  '==': arithmetic.compare('Equal'),
  '!=': arithmetic.compare('NotEqual'),
  '&': arithmetic.bitwise('And'),
  '|': arithmetic.bitwise('Or'),
  '^': arithmetic.bitwise('Xor'),
};

/** Result of an operator of two numbers. @throws Refusal */
export function calculate(graph: Graph, operator: BinaryOperator, one: NumberValue, other: NumberValue): NumberValue {
  if (one instanceof RunNumber || other instanceof RunNumber) return later(graph, operator, one, other);
  const [a, b] = [plain(one), plain(other)];
  if (typeof one === 'boolean' && typeof other === 'boolean' && '&|^'.includes(operator)) {
    return operator === '&' ? one && other : operator === '|' ? one || other : one !== other;
  }
  const compared = compare(operator, Number(a), Number(b));
  if (compared !== undefined) return compared;
  if (operator === '/' || operator === '**') {
    if (operator === '/' && Number(b) === 0) throw failed('ZeroDivisionError: division by zero');
    return operator === '/' ? Number(a) / Number(b) : Number(a) ** Number(b);
  }
  if (typeof a === 'bigint' && typeof b === 'bigint') return whole(operator, a, b);
  const found = float(operator, Number(a), Number(b));
  if (found === undefined) throw failed(`unsupported operand types for ${operator}`);
  return found;
}

function plain(value: bigint | number | boolean): bigint | number {
  return typeof value === 'boolean' ? BigInt(value) : value;
}

function compare(operator: BinaryOperator, a: number, b: number): boolean | undefined {
  if (operator === '<') return a < b;
  if (operator === '>') return a > b;
  if (operator === '<=') return a <= b;
  if (operator === '>=') return a >= b;
  if (operator === '==') return a === b;
  return operator === '!=' ? a !== b : undefined;
}

/** Integers have 64 bits. */
function whole(operator: BinaryOperator, a: bigint, b: bigint): bigint {
  if ((operator === '//' || operator === '%') && b === 0n) throw failed('ZeroDivisionError: division by zero');
  if ((operator === '<<' || operator === '>>') && (b < 0n || b > 63n))
    throw failed('a shift by less than 0 or more than 63');
  const rest = (): bigint => ((a % b) + b) % b;
  switch (operator) {
    case '+':
      return BigInt.asIntN(64, a + b);
    case '-':
      return BigInt.asIntN(64, a - b);
    case '*':
      return BigInt.asIntN(64, a * b);
    case '//':
      return (a - rest()) / b;
    case '%':
      return rest();
    case '&':
      return a & b;
    case '|':
      return a | b;
    case '^':
      return a ^ b;
    case '<<':
      return BigInt.asIntN(64, a << b);
    case '>>':
      return a >> b;
    default:
      throw failed(`unsupported operand types for ${operator}`);
  }
}

function float(operator: BinaryOperator, a: number, b: number): number | undefined {
  if (operator === '+') return a + b;
  if (operator === '-') return a - b;
  if (operator === '*') return a * b;
  if (operator === '//') return Math.floor(a / b);
  if (operator !== '%') return undefined;
  const rest = a % b;
  return rest !== 0 && rest < 0 !== b < 0 ? rest + b : rest;
}

/** The operator as a part of the graph. */
function later(graph: Graph, operator: BinaryOperator, one: NumberValue, other: NumberValue): RunNumber {
  const of = tensorOperators[operator];
  if (of === undefined) throw outside(`the operator ${operator} of numbers that depend on the tensors' values`);
  const kinds = [numberKind(one), numberKind(other)];
  const isFloat = kinds.includes('float') || operator === '/' || operator === '**';
  const isBool = kinds.every((kind) => kind === 'bool') && '&|^'.includes(operator);
  const dtype = isFloat ? 'DOUBLE' : isBool ? 'BOOL' : 'INT64';
  const [a, b] = [one, other].map((each) => new Tensor(elements(graph, each, dtype)));
  return new RunNumber(of(graph, a as Tensor, b as Tensor));
}
