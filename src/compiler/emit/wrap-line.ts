/** Columns of a line, as far as words allow. */
const lineWidth = 120;

/** A line of shell; one that would be too long goes on after its head, in as many lines as it takes. */
export function wrapLine(head: string, words: readonly string[]): string {
  const whole = [head, ...words].join(' ');
  if (whole.length <= lineWidth) return whole;
  const lines = [head];
  for (const word of words) {
    const line = lines.at(-1) ?? '';
    // Room for the backslash.
    if (lines.length > 1 && line.length + 1 + word.length <= lineWidth - 2) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(`  ${word}`);
  }
  return lines.join(' \\\n');
}
