/** The element types of a tensor, by their names on the wire. */
export type Dtype = 'FLOAT' | 'DOUBLE' | 'INT8' | 'INT16' | 'INT32' | 'INT64' | 'UINT8' | 'UINT16' | 'BOOL' | 'STRING';

/** Bytes an element takes; 0 for STRING, whose elements are NUL-terminated and vary in length. */
export const elementBytes: Readonly<Record<Dtype, number>> = {
  FLOAT: 4,
  DOUBLE: 8,
  INT8: 1,
  INT16: 2,
  INT32: 4,
  INT64: 8,
  UINT8: 1,
  UINT16: 2,
  BOOL: 1,
  STRING: 0,
};

const byName: ReadonlyMap<string, Dtype> = new Map((Object.keys(elementBytes) as Dtype[]).map((name) => [name, name]));

/** The type of that name in any case, or undefined. */
export function parseDtype(name: string): Dtype | undefined {
  return byName.get(name) ?? byName.get(name.toUpperCase());
}

/** The number of elements of a shape; 1 for a scalar's empty shape. */
export function elementCount(shape: readonly number[]): number {
  let count = 1;
  for (const dimension of shape) count *= dimension;
  return count;
}
