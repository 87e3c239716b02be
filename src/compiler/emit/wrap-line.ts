/** Longest line in columns; a single word may be longer. */
export const lineWidth = 120;

/**
 * A command line in shell. A line that is too long is broken after its head, then before the words whose positions are in `breaks`, then
 * wherever it is still too long.
 */
export function wrapLine(head: string, words: readonly string[], breaks: readonly number[] = []): string {
  const whole = [head, ...words].join(' ');
  if (whole.length <= lineWidth) return whole;
  const tail = `  ${words.join(' ')}`;
  if (tail.length <= lineWidth) return [head, tail].join(' \\\n');
  const starts = [0, ...breaks.filter((at) => at > 0 && at < words.length), words.length];
  const lines = starts.slice(0, -1).flatMap((start, group) =>
    // Two columns for the backslash.
    fill(words.slice(start, starts[group + 1]), ' ', lineWidth - 2, group === 0 ? '  ' : '    ', '    '),
  );
  return [head, ...lines].join(' \\\n');
}

/** Items in lines of at most `columns`, separated by `separator`. Lines start with `margin`, the first one with `first`. */
export function fill(items: readonly string[], separator: string, columns: number, first = '', margin = ''): string[] {
  const lines: string[] = [];
  for (const item of items) {
    const line = lines.at(-1);
    if (line !== undefined && line.length + separator.length + item.length <= columns)
      lines[lines.length - 1] = `${line}${separator}${item}`;
    else lines.push(`${lines.length === 0 ? first : margin}${item}`);
  }
  return lines;
}
