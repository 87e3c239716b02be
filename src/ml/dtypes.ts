/** The element types of a tensor, by their names on the wire. */
export type Dtype = keyof typeof elementBytes;

/** Bytes an element takes; 0 for STRING, whose elements are NUL-terminated and vary in length. */
export const elementBytes = {
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
} as const;

/** Names of the element types. */
export const dtypes = Object.keys(elementBytes) as [Dtype, ...Dtype[]];

/** Element types that are numbers: those that every client and file format has. */
export type NumericDtype = Exclude<Dtype, 'BOOL' | 'STRING'>;

/** The array that holds the elements of a type. */
export const typedArrays = {
  FLOAT: Float32Array,
  DOUBLE: Float64Array,
  INT8: Int8Array,
  INT16: Int16Array,
  INT32: Int32Array,
  INT64: BigInt64Array,
  UINT8: Uint8Array,
  UINT16: Uint16Array,
} as const satisfies Readonly<Record<NumericDtype, unknown>>;

const byName: ReadonlyMap<string, Dtype> = new Map(dtypes.map((name) => [name, name]));

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
