import { WorkflowError } from '../diagnostics/index.js';

/** Indices from `first` to `last`, both included. */
export interface IndexRange {
  readonly first: number;
  readonly last: number;
}

/**
 * Ranges of `0-9,17`.
 *
 * @throws WorkflowError if it cannot be read, or an index is not below `count`.
 */
export function parseRanges(text: string, count: number): IndexRange[] {
  return text.split(',').map((part) => {
    const match = /^\s*(\d+)(?:-(\d+))?\s*$/.exec(part);
    if (match === null) {
      throw new WorkflowError({
        code: 'CLI1001',
        message: `--range '${text}': '${part}' is no index, nor two with a dash between them`,
        hint: 'write: --range 0-9,17',
      });
    }
    const first = Number(match[1]);
    const last = Number(match[2] ?? match[1]);
    if (first > last || last >= count) {
      const message = `--range '${text}': ${first > last ? `${first} comes after ${last}` : `there is no member ${last}`}`;
      throw new WorkflowError({ code: 'CLI1001', message, hint: `indices go from 0 to ${count - 1}` });
    }
    return { first, last };
  });
}

/** Every index, one after the other. */
export function* indicesOf(ranges: readonly IndexRange[]): Generator<number> {
  for (const { first, last } of ranges) {
    for (let index = first; index <= last; index++) yield index;
  }
}
