import { Tensor } from '../values/tensor.js';
import { DeviceValue, DtypeValue, isNumber, itemsOf, numberKind, TupleValue, type Value } from '../values/value.js';
import type { Schema, SchemaParameter } from './schema.js';

/** Arguments of a call. */
export interface CallArguments {
  readonly positional: readonly Value[];
  readonly named: ReadonlyMap<string, Value>;
}

/** Arguments that torch takes and that mean nothing here. */
const ignored: ReadonlySet<string> = new Set(
  'device layout pin_memory requires_grad non_blocking copy memory_format generator out_device'.split(' '),
);

/** Values of an operation's parameters by their names, their defaults among them; undefined if the arguments do not fit the schema. */
export function bind(
  schema: Schema,
  { positional, named }: CallArguments,
  converts: boolean,
): ReadonlyMap<string, Value> | undefined {
  const bound = new Map<string, Value>();
  const rest = new Map(named);
  let next = 0;
  for (const [index, parameter] of schema.parameters.entries()) {
    const { name } = parameter;
    if (!parameter.isKeywordOnly && next < positional.length) {
      if (named.has(name)) return undefined;
      const value = positional[next] as Value;
      const following = schema.parameters[index + 1];
      const isLast = following === undefined || following.isKeywordOnly;
      const tail = positional.slice(next);
      // `x.view(2, 3)` means `x.view([2, 3])`.
      if (parameter.list === 'many' && isLast && tail.every((one) => fits(one, parameter.type, converts))) {
        bound.set(name, new TupleValue(tail));
        next = positional.length;
        continue;
      }
      if (!accepts(parameter, value, converts)) return undefined;
      bound.set(name, value);
      next += 1;
      continue;
    }
    const given = rest.get(name);
    if (given === undefined && !rest.has(name)) {
      if (parameter.fallback === undefined) return undefined;
      bound.set(name, fallbackOf(parameter.fallback));
      continue;
    }
    rest.delete(name);
    if (given === undefined || !accepts(parameter, given, converts)) return undefined;
    bound.set(name, given);
  }
  const isUnknown = [...rest.keys()].some((name) => !ignored.has(name));
  return isUnknown || next < positional.length ? undefined : bound;
}

function accepts({ type, isOptional, list }: SchemaParameter, value: Value, converts: boolean): boolean {
  if (value === null) return isOptional || type === 'any';
  if (list === 'none') return fits(value, type, converts);
  const items = itemsOf(value);
  if (items === undefined) return list === 'list' && fits(value, type, converts);
  return items.every((item) => fits(item, type, converts));
}

/** True if a value is of the type; `converts` takes tensors for numbers, as torch does where nothing else fits. */
function fits(value: Value, type: string, converts: boolean): boolean {
  switch (type) {
    case 'any':
      return true;
    case 'Tensor':
      return value instanceof Tensor;
    case 'Scalar':
      return isNumber(value) || (converts && isSingle(value));
    case 'int':
      return (isNumber(value) && numberKind(value) === 'int') || (converts && isSingle(value));
    case 'float':
      return (isNumber(value) && numberKind(value) === 'float') || (converts && isNumber(value));
    case 'bool':
      return isNumber(value) && numberKind(value) === 'bool';
    case 'str':
      return typeof value === 'string';
    case 'ScalarType':
      return value instanceof DtypeValue;
    case 'Device':
      return value instanceof DeviceValue || typeof value === 'string';
    default:
      throw new Error(`a schema has the type '${type}'`);
  }
}

/** True of a tensor of one element that stands for a number. */
function isSingle(value: Value): boolean {
  return value instanceof Tensor && value.rank === 0;
}

/** The value of a default in a schema. */
function fallbackOf(text: string): Value {
  if (text === 'None') return null;
  if (text === 'True' || text === 'False') return text === 'True';
  if (text === '[]') return new TupleValue([]);
  if (text.startsWith("'")) return text.slice(1, -1);
  return /^-?\d+$/.test(text) ? BigInt(text) : Number(text);
}
