import type { TensorStore } from '../ai/tensor-store.js';

/** Stores under way, by store and key: of several to one key the second begins when the first has ended. */
const underWay = new WeakMap<TensorStore, Map<string, Promise<unknown>>>();

/** Does `work` once all work before for the same key has ended. */
export async function inTurn<Result>(tensors: TensorStore, key: string, work: () => Promise<Result>): Promise<Result> {
  let works = underWay.get(tensors);
  if (works === undefined) {
    works = new Map();
    underWay.set(tensors, works);
  }
  const before = works.get(key);
  const own = before === undefined ? work() : before.then(work, work);
  works.set(key, own);
  try {
    return await own;
  } finally {
    if (works.get(key) === own) works.delete(key);
  }
}
