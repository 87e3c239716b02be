import { WorkflowError } from '../diagnostics/index.js';
import { type IndexRange, parseIndexRange } from '../ir/index.js';

/**
 * Ranges of a list such as `0-9,17`.
 *
 * @param shown the option and its value, as messages name them
 * @throws WorkflowError CLI1001 with the first part that is no range.
 */
export function parseRanges(list: string, shown: string): IndexRange[] {
  return list.split(',').map((part) => {
    const range = parseIndexRange(part);
    if (range !== undefined) return range;
    const message = `${shown}: '${part}' is neither an index nor a range from a smaller to a larger one`;
    throw new WorkflowError({ code: 'CLI1001', message, hint: `write: ${shown.split(' ', 1)[0]} 0-9,17` });
  });
}
