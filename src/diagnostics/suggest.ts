/** The candidate nearest to `word` by edit distance, if it is near enough to be what was meant, else one that it is the beginning of. */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  const written = word.toLowerCase();
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.floor(word.length / 3)) + 1;
  let longer: string | undefined;
  for (const candidate of candidates) {
    const name = candidate.toLowerCase();
    const distance = editDistance(written, name);
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
    // 'gpus' is far from 'gpusPerNode', and means it.
    const begins = written.length >= shortestBeginning && name.startsWith(written);
    if (begins && (longer === undefined || candidate.length < longer.length)) longer = candidate;
  }
  return best ?? longer;
}

/** Letters of a word below which it may be the beginning of anything. */
const shortestBeginning = 3;

/** `did you mean 'x'?`, or the list of what there is. */
export function suggestion(word: string, candidates: readonly string[]): string {
  const near = nearest(word, candidates);
  if (near !== undefined) return `did you mean '${near}'?`;
  return candidates.length === 0 ? 'there are none' : `there are: ${candidates.join(', ')}`;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
