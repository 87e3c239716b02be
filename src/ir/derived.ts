/** A function that computes `derive` once for each object. The objects, declarations and plans, never change. */
export function derivedOnce<Source extends object, Value>(
  derive: (source: Source) => Value,
): (source: Source) => Value {
  const known = new WeakMap<Source, { readonly value: Value }>();
  return (source) => {
    let entry = known.get(source);
    if (entry === undefined) {
      entry = { value: derive(source) };
      known.set(source, entry);
    }
    return entry.value;
  };
}
