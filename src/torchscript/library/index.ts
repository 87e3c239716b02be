import { casting } from './casting.js';
import { creating } from './creation.js';
import { elementwise } from './elementwise.js';
import type { Operation } from './operation.js';
import { multiplying } from './products.js';
import { reducing } from './reductions.js';
import { shaping } from './shaping.js';

const all: readonly Operation[] = [...elementwise, ...reducing, ...shaping, ...creating, ...multiplying, ...casting];

function byName(some: (operation: Operation) => boolean): ReadonlyMap<string, readonly Operation[]> {
  const found = new Map<string, Operation[]>();
  for (const operation of all.filter(some)) {
    const { name } = operation.schema;
    found.set(name, [...(found.get(name) ?? []), operation]);
  }
  return found;
}

/** Operations that are called as `torch.name(…)`, each with all its forms. */
export const torchFunctions = byName(({ isFunction }) => isFunction);

/** Operations that are called as `tensor.name(…)`, each with all its forms. */
export const tensorMethods = byName(({ isMethod }) => isMethod);

export type { CallArguments } from './binding.js';
export { assignResult } from './elementwise.js';
export { asInt, asNumber, item } from './given.js';
export { call } from './operation.js';
export { rowsOf } from './shaping.js';
