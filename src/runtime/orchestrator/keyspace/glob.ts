/** True if a key (as Latin-1) matches a pattern with `*`, `?`, `[a-z]`, `[^a]` and `\` escapes, as Redis's KEYS does. */
export function matchesGlob(pattern: string, key: string): boolean {
  let p = 0;
  let k = 0;
  let starPattern = -1;
  let starKey = 0;
  for (;;) {
    if (pattern[p] === '*') {
      starPattern = ++p;
      starKey = k;
      continue;
    }
    if (k === key.length && p >= pattern.length) return true;
    const next = k < key.length ? matchOne(pattern, p, key.charCodeAt(k)) : -1;
    if (next !== -1) {
      p = next;
      k += 1;
      continue;
    }
    if (starPattern === -1 || starKey >= key.length) return false;
    p = starPattern;
    k = ++starKey;
  }
}

/** Matches one character with the pattern's element at `p`; returns where the next element begins, or -1. */
function matchOne(pattern: string, p: number, code: number): number {
  if (p >= pattern.length) return -1;
  const head = pattern[p];
  if (head === '?') return p + 1;
  if (head === '[') return matchClass(pattern, p + 1, code);
  if (head === '\\' && p + 1 < pattern.length) return pattern.charCodeAt(p + 1) === code ? p + 2 : -1;
  return pattern.charCodeAt(p) === code ? p + 1 : -1;
}

function matchClass(pattern: string, start: number, code: number): number {
  let p = start;
  const negated = pattern[p] === '^';
  if (negated) p += 1;
  let found = false;
  while (p < pattern.length && pattern[p] !== ']') {
    if (pattern[p] === '\\' && p + 1 < pattern.length) p += 1;
    const low = pattern.charCodeAt(p);
    let high = low;
    if (pattern[p + 1] === '-' && p + 2 < pattern.length) {
      high = pattern.charCodeAt(p + 2);
      p += 2;
    }
    if (code >= Math.min(low, high) && code <= Math.max(low, high)) found = true;
    p += 1;
  }
  return found === negated ? -1 : p + 1;
}
