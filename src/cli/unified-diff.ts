/** Lines around a change. */
const context = 3;

/** Above this many line pairs to compare, everything between the equal ends is shown as replaced. */
const mostPairs = 25_000_000;

interface Edit {
  readonly kind: ' ' | '-' | '+';
  readonly line: string;
}

/**
 * What turns `before` into `after`, as `diff -u` prints it and `patch` reads it; empty if they are equal.
 *
 * `undefined` is a file that is not there.
 */
export function unifiedDiff(path: string, before: string | undefined, after: string | undefined): string {
  if (before === after) return '';
  const edits = compareLines(splitLines(before ?? ''), splitLines(after ?? ''));
  const head = [
    `--- ${before === undefined ? '/dev/null' : `a/${path}`}`,
    `+++ ${after === undefined ? '/dev/null' : `b/${path}`}`,
  ];
  return [...head, ...hunks(edits)].join('\n');
}

/** Lines with their ends, so that a missing one at the end is a difference. */
function splitLines(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

/** A longest common subsequence of the lines between the equal ends. */
function compareLines(before: readonly string[], after: readonly string[]): Edit[] {
  let start = 0;
  while (start < before.length && start < after.length && before[start] === after[start]) start++;
  let end = 0;
  const most = Math.min(before.length, after.length) - start;
  while (end < most && before.at(-1 - end) === after.at(-1 - end)) end++;
  const same = (line: string): Edit => ({ kind: ' ', line });
  return [
    ...before.slice(0, start).map(same),
    ...compareMiddle(before.slice(start, before.length - end), after.slice(start, after.length - end)),
    ...before.slice(before.length - end).map(same),
  ];
}

function compareMiddle(before: readonly string[], after: readonly string[]): Edit[] {
  const removed = (line: string): Edit => ({ kind: '-', line });
  const added = (line: string): Edit => ({ kind: '+', line });
  if (before.length * after.length > mostPairs) return [...before.map(removed), ...after.map(added)];
  // lengths[i * width + j]: of the longest common subsequence of before[i…] and after[j…].
  const width = after.length + 1;
  const lengths = new Uint32Array((before.length + 1) * width);
  const length = (i: number, j: number) => lengths[i * width + j] ?? 0;
  for (let i = before.length - 1; i >= 0; i--) {
    for (let j = after.length - 1; j >= 0; j--) {
      lengths[i * width + j] =
        before[i] === after[j] ? length(i + 1, j + 1) + 1 : Math.max(length(i + 1, j), length(i, j + 1));
    }
  }
  const edits: Edit[] = [];
  let i = 0;
  let j = 0;
  while (i < before.length && j < after.length) {
    const old = before[i] ?? '';
    if (old === after[j]) {
      edits.push({ kind: ' ', line: old });
      i++;
      j++;
    } else if (length(i + 1, j) >= length(i, j + 1)) {
      edits.push(removed(old));
      i++;
    } else {
      edits.push(added(after[j] ?? ''));
      j++;
    }
  }
  return [...edits, ...before.slice(i).map(removed), ...after.slice(j).map(added)];
}

/** Changes with the lines around them; those whose surroundings touch are one hunk. */
function hunks(edits: readonly Edit[]): string[] {
  const shown = new Uint8Array(edits.length);
  edits.forEach(({ kind }, at) => {
    if (kind !== ' ') shown.fill(1, Math.max(0, at - context), at + context + 1);
  });
  const lines: string[] = [];
  let oldLine = 1;
  let newLine = 1;
  for (let at = 0; at < edits.length; ) {
    let end = at;
    while (end < edits.length && shown[end] === shown[at]) end++;
    const part = edits.slice(at, end);
    const oldCount = part.filter(({ kind }) => kind !== '+').length;
    const newCount = part.filter(({ kind }) => kind !== '-').length;
    if (shown[at] === 1) {
      lines.push(`@@ -${range(oldLine, oldCount)} +${range(newLine, newCount)} @@`, ...part.map(printEdit));
    }
    oldLine += oldCount;
    newLine += newCount;
    at = end;
  }
  return lines;
}

/** `4,7`; a count of 1 is left out, and 0 lines stand after the line before. */
function range(start: number, count: number): string {
  if (count === 1) return String(start);
  return count === 0 ? `${start - 1},0` : `${start},${count}`;
}

function printEdit({ kind, line }: Edit): string {
  return line.endsWith('\n') ? `${kind}${line.slice(0, -1)}` : `${kind}${line}\n\\ No newline at end of file`;
}
