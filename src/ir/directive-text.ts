import * as z from 'zod';

/** Hint to a user whose text cannot stand in a directive. */
export const directiveHint =
  'line breaks, double quotes and backslashes cannot stand in a directive, nor can an empty text';

/**
 * Text that can stand in a directive: `#SBATCH`, `#PBS` and `#BSUB` lines end at a line break, and read quotes and backslashes each in a
 * way of their own.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
export const directiveText = z.string().regex(/^[^\x00-\x1f\x7f"\\]+$/, directiveHint);
