/** Indices from `first` to `last`, both included. */
export interface IndexRange {
  readonly first: number;
  readonly last: number;
}

/** A range from its text, `17` or `0-9`; undefined if it is neither, or runs backwards. */
export function parseIndexRange(text: string): IndexRange | undefined {
  const [, first, last = first] = /^(\d{1,9})(?:-(\d{1,9}))?$/.exec(text.trim()) ?? [];
  if (first === undefined || Number(first) > Number(last)) return undefined;
  return { first: Number(first), last: Number(last) };
}

/** The text that {@link parseIndexRange} reads. */
export function formatIndexRange({ first, last }: IndexRange): string {
  return first === last ? String(first) : `${first}-${last}`;
}

/** Every index of some ranges, one after the other. */
export function* indicesOf(ranges: readonly IndexRange[]): Generator<number> {
  for (const { first, last } of ranges) {
    for (let index = first; index <= last; index++) yield index;
  }
}
