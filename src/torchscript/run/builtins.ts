import { asInt, asNumber, type CallArguments, call, rowsOf, torchFunctions } from '../library/index.js';
import type { Graph } from '../onnx/graph.js';
import { cast } from '../onnx/kernels.js';
import { failed, outside } from '../problem.js';
import { truncated } from '../tensors/arithmetic.js';
import { Tensor } from '../values/tensor.js';
import {
  isNumber,
  itemsOf,
  ListValue,
  type NumberValue,
  RunNumber,
  TupleValue,
  typeName,
  type Value,
} from '../values/value.js';
import { calculate } from './numbers.js';

type Builtin = (graph: Graph, given: readonly Value[], named: CallArguments['named']) => Value;

/** Numbers that a loop goes over at most. */
const maxRange = 100_000;

/** Values that a loop goes over. @throws Refusal */
export function iterated(graph: Graph, value: Value): readonly Value[] {
  if (value instanceof Tensor) return rowsOf(graph, value).items;
  const items = itemsOf(value);
  if (items !== undefined) return items;
  if (typeof value === 'string') return [...value];
  throw failed(`'${typeName(value)}' object is not iterable`);
}

function range(_: Graph, given: readonly Value[]): Value {
  const [first = 0, second, step = 1] = given.map(asInt);
  const [from, to] = second === undefined ? [0, first] : [first, second];
  if (step === 0) throw failed('range() arg 3 must not be zero');
  const count = Math.max(0, Math.ceil((to - from) / step));
  if (count > maxRange) throw outside(`a loop of ${count} rounds`);
  return new ListValue(Array.from({ length: count }, (_, at) => BigInt(from + at * step)));
}

function length(_: Graph, [value]: readonly Value[]): Value {
  if (value instanceof Tensor) {
    if (value.rank === 0) throw failed('len() of a 0-d tensor');
    return BigInt(value.shape[0] as number);
  }
  const items = itemsOf(value);
  if (items !== undefined) return BigInt(items.length);
  if (typeof value === 'string') return BigInt(value.length);
  throw failed('len() needs a list, a tuple or a tensor');
}

function toInt(graph: Graph, [value = 0n]: readonly Value[]): Value {
  if (typeof value === 'string') {
    if (!/^\s*[-+]?\d+\s*$/.test(value)) throw failed(`invalid literal for int(): '${value}'`);
    return BigInt(value.trim().replace(/^\+/, ''));
  }
  const number = numberOf(graph, value);
  if (number instanceof RunNumber) return new RunNumber(cast(graph, whole(graph, number), 'INT64'));
  return typeof number === 'number' ? BigInt(Math.trunc(number)) : BigInt(number);
}

function whole(graph: Graph, { value }: RunNumber) {
  return value.dtype === 'DOUBLE' ? truncated(graph, value) : value;
}

function toFloat(graph: Graph, [value = 0]: readonly Value[]): Value {
  if (typeof value === 'string') {
    const found = /^\s*[-+]?inf\s*$/i.test(value)
      ? Number(`${value.trim().replace(/inf/i, 'Infinity')}`)
      : Number(value);
    if (value.trim() === '' || (Number.isNaN(found) && value.trim().toLowerCase() !== 'nan')) {
      throw failed(`could not convert string to float: '${value}'`);
    }
    return found;
  }
  const number = numberOf(graph, value);
  return number instanceof RunNumber ? new RunNumber(cast(graph, number.value, 'DOUBLE')) : Number(number);
}

function toBool(graph: Graph, [value = false]: readonly Value[]): Value {
  const number = numberOf(graph, value);
  return number instanceof RunNumber ? new RunNumber(cast(graph, number.value, 'BOOL')) : Number(number) !== 0;
}

function numberOf(graph: Graph, value: Value): NumberValue {
  if (value instanceof Tensor && value.shape.every((size) => size === 1)) {
    return asNumber(
      graph,
      call(graph, 'reshape', torchFunctions.get('reshape') ?? [], argumentsOf([value, new ListValue([])])),
    );
  }
  return asNumber(graph, value);
}

function argumentsOf(positional: readonly Value[]): CallArguments {
  return { positional, named: new Map() };
}

/** A builtin that is torch's function where tensors are given. */
function orTorch(name: string, of: (graph: Graph, given: readonly NumberValue[]) => Value): Builtin {
  return (graph, given) => {
    if (given.some((value) => value instanceof Tensor)) {
      return call(graph, name, torchFunctions.get(name) ?? [], argumentsOf(given));
    }
    const numbers = given.length === 1 && itemsOf(given[0]) !== undefined ? (itemsOf(given[0]) ?? []) : given;
    if (!numbers.every(isNumber)) throw failed(`${name}() takes numbers and tensors`);
    return of(graph, numbers);
  };
}

function extreme(operator: '<' | '>') {
  return (graph: Graph, numbers: readonly NumberValue[]): Value => {
    if (numbers.length === 0) throw failed('min() or max() of nothing');
    return numbers.reduce((best, each) => {
      const isBetter = calculate(graph, operator, each, best);
      if (isBetter instanceof RunNumber) throw outside("min() or max() of numbers that depend on the tensors' values");
      return isBetter === true ? each : best;
    });
  };
}

/** Half to even, as Python rounds. */
function rounded(value: number): number {
  const down = Math.floor(value);
  if (value - down !== 0.5) return Math.round(value);
  return down % 2 === 0 ? down : down + 1;
}

/** Functions of Python that TorchScript knows, by their names. */
export const builtins: Readonly<Record<string, Builtin>> = {
  range,
  len: length,
  int: toInt,
  float: toFloat,
  bool: toBool,
  // Values are known when the script runs only; RedisAI's own output is no client's.
  print: () => null,
  str: (_, [value]) => String(value),
  abs: orTorch('abs', (graph, [value = 0n]) => {
    if (value instanceof RunNumber) throw outside("abs() of a number that depends on the tensors' values");
    return Number(value) < 0 ? calculate(graph, '-', 0n, value) : value;
  }),
  min: orTorch('min', extreme('<')),
  max: orTorch('max', extreme('>')),
  pow: orTorch('pow', (graph, [one = 0n, other = 0n]) => calculate(graph, '**', one, other)),
  round: orTorch('round', (_, [value = 0n]) => {
    if (value instanceof RunNumber) throw outside("round() of a number that depends on the tensors' values");
    return rounded(Number(value));
  }),
  sum: (graph, [value]) => {
    const items = itemsOf(value) ?? [];
    if (!items.every(isNumber)) throw outside('sum() of other than numbers');
    return items.reduce((total, each) => calculate(graph, '+', total, each), 0n as NumberValue);
  },
  enumerate: (graph, [value = null, start = 0n]) =>
    new ListValue(iterated(graph, value).map((item, at) => new TupleValue([BigInt(at + asInt(start)), item]))),
  zip: (graph, given) => {
    const lists = given.map((value) => iterated(graph, value));
    const count = Math.min(...lists.map((list) => list.length));
    return new ListValue(
      Array.from(
        { length: lists.length === 0 ? 0 : count },
        (_, at) => new TupleValue(lists.map((list) => list[at] as Value)),
      ),
    );
  },
  reversed: (graph, [value = null]) => new ListValue([...iterated(graph, value)].reverse()),
  list: (graph, [value]) => new ListValue(value === undefined ? [] : [...iterated(graph, value)]),
  tuple: (graph, [value = null]) => new TupleValue([...iterated(graph, value)]),
};
