import { asInt } from '../library/index.js';
import { failed } from '../problem.js';
import { itemsOf, ListValue, type Value } from '../values/value.js';

/** Methods of lists, by their names. */
export const listMethods: Readonly<Record<string, (list: ListValue, given: readonly Value[]) => Value>> = {
  append: ({ items }, [value = null]) => {
    items.push(value);
    return null;
  },
  extend: ({ items }, [values]) => {
    items.push(...(itemsOf(values) ?? []));
    return null;
  },
  insert: ({ items }, [at = 0n, value = null]) => {
    items.splice(asInt(at), 0, value);
    return null;
  },
  pop: ({ items }, [at = -1n]) => {
    const index = asInt(at) < 0 ? asInt(at) + items.length : asInt(at);
    if (index < 0 || index >= items.length) throw failed('pop index out of range');
    return items.splice(index, 1)[0] as Value;
  },
  clear: ({ items }) => {
    items.length = 0;
    return null;
  },
  reverse: ({ items }) => {
    items.reverse();
    return null;
  },
  copy: ({ items }) => new ListValue([...items]),
};
