/** Columns of a line, as far as words allow. */
const lineWidth = 120;

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
  const lines = starts
    .slice(0, -1)
    .flatMap((start, group) => fill(words.slice(start, starts[group + 1]), group === 0 ? '  ' : '    '));
  return [head, ...lines].join(' \\\n');
}

/** Words in lines of their own, as many a line as fit. */
function fill(words: readonly string[], margin: string): string[] {
  const lines: string[] = [];
  for (const word of words) {
    const line = lines.at(-1);
    // Room for the backslash.
    if (line !== undefined && line.length + 1 + word.length <= lineWidth - 2)
      lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(lines.length === 0 ? `${margin}${word}` : `    ${word}`);
  }
  return lines;
}
