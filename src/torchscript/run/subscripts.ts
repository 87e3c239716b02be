import { asInt } from '../library/index.js';
import type { Graph } from '../onnx/graph.js';
import { failed, outside } from '../problem.js';
import { type Index, indexed } from '../tensors/indexing.js';
import { Tensor } from '../values/tensor.js';
import { EllipsisValue, itemsOf, ListValue, RunNumber, TupleValue, typeName, type Value } from '../values/value.js';

/** An item of a subscript: a value, or the bounds of a range. */
export type Item = { readonly value: Value } | { readonly bounds: readonly (Value | undefined)[] };

/** Items as indices of a tensor. @throws Refusal */
export function indicesOf(graph: Graph, items: readonly Item[]): Index[] {
  const given = items.map((item) => indexOf(graph, item));
  // TorchScript has no subscript of an ellipsis alone.
  if (given.length === 1 && given[0]?.type === 'rest') throw failed('an index cannot be an ellipsis alone');
  if (given.filter(({ type }) => type === 'rest').length > 1) {
    throw failed('an index can only have a single ellipsis');
  }
  return given;
}

function indexOf(graph: Graph, item: Item): Index {
  if ('bounds' in item) {
    const [from, to, step] = item.bounds.map((bound) =>
      bound === undefined || bound === null ? undefined : asInt(bound),
    );
    return {
      type: 'slice',
      ...(from !== undefined && { from }),
      ...(to !== undefined && { to }),
      ...(step !== undefined && { step }),
    };
  }
  const { value } = item;
  if (value === null) return { type: 'new' };
  if (value instanceof EllipsisValue) return { type: 'rest' };
  if (typeof value === 'bigint') return { type: 'at', index: Number(value) };
  if (value instanceof Tensor) return { type: 'tensor', tensor: value };
  if (value instanceof RunNumber && value.value.dtype === 'INT64') {
    return { type: 'tensor', tensor: new Tensor(value.value) };
  }
  if (value instanceof ListValue && value.items.every((each) => typeof each === 'bigint')) {
    return { type: 'tensor', tensor: new Tensor(graph.integers(...value.items.map(Number))) };
  }
  throw outside(`an index of type '${typeName(value)}'`);
}

/** The part of a tensor, list or tuple that the items name. @throws Refusal */
export function subscript(graph: Graph, of: Value, items: readonly Item[]): Value {
  if (of instanceof Tensor) return indexed(graph, of, indicesOf(graph, items));
  const sequence = typeof of === 'string' ? [...of] : itemsOf(of);
  const [item, more] = items;
  if (sequence === undefined || item === undefined || more !== undefined) {
    throw failed(`'${typeName(of)}' object is not subscriptable`);
  }
  if ('value' in item) {
    const index = asInt(item.value);
    const found = sequence.at(index);
    if (found === undefined || index < -sequence.length) throw failed('list index out of range');
    return found;
  }
  const [from, to, step = 1] = item.bounds.map((bound) =>
    bound === undefined || bound === null ? undefined : asInt(bound),
  );
  if (step !== undefined && step < 1) throw outside('a range of a list with a step below 1');
  const part = sequence.slice(from ?? 0, to).filter((_, at) => at % (step ?? 1) === 0);
  if (typeof of === 'string') return part.join('');
  return of instanceof TupleValue ? new TupleValue(part) : new ListValue(part);
}
