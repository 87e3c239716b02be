/** Columns of a line, as far as words allow. */
export const lineWidth = 120;

/**
 * A line of shell. One that would be too long goes on after its head; what is too long even then is parted in front of the words whose
 * numbers are in `breaks`, and where else it has to be.
 */
export function wrapLine(head: string, words: readonly string[], breaks: readonly number[] = []): string {
  const whole = [head, ...words].join(' ');
  if (whole.length <= lineWidth) return whole;
  const tail = `  ${words.join(' ')}`;
  if (tail.length <= lineWidth) return [head, tail].join(' \\\n');
  const starts = [0, ...breaks.filter((at) => at > 0 && at < words.length), words.length];
  const lines = starts.slice(0, -1).flatMap((start, group) =>
    // Room for the backslash.
    fill(words.slice(start, starts[group + 1]), ' ', lineWidth - 2, group === 0 ? '  ' : '    ', '    '),
  );
  return [head, ...lines].join(' \\\n');
}

/** Items, parted by `separator`, in lines of so many columns as far as the items allow. Lines start with `margin`, the first with `first`. */
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
