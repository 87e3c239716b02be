/** Ascending numbers as text: `0-3,7`. */
export function formatRanges(numbers: readonly number[]): string {
  const parts: string[] = [];
  for (let start = 0; start < numbers.length; ) {
    let end = start;
    while (numbers[end + 1] === (numbers[end] ?? 0) + 1) end++;
    parts.push(start === end ? `${numbers[start]}` : `${numbers[start]}-${numbers[end]}`);
    start = end + 1;
  }
  return parts.join();
}

/** True if a number is in a text that {@link formatRanges} has made. */
export function isInRanges(text: string, number: number): boolean {
  return text.split(',').some((part) => {
    const [first = 0, last = first] = part.split('-').map(Number);
    return first <= number && number <= last;
  });
}
