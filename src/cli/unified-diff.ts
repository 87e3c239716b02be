import { FILE_HEADERS_ONLY, formatPatch, type StructuredPatch, structuredPatch } from 'diff';

/** Lines around a change. */
const context = 3;

/** Lines removed and added, above which a text is shown as replaced: the time to compare grows with the square. */
const mostEdits = 4000;

/**
 * Changes from `before` to `after`, as `diff -u` prints them and `patch` reads them; empty if they are equal.
 *
 * `undefined` is a file that is not there.
 */
export function unifiedDiff(path: string, before: string | undefined, after: string | undefined): string {
  if (before === after) return '';
  const names = [
    before === undefined ? '/dev/null' : `a/${path}`,
    after === undefined ? '/dev/null' : `b/${path}`,
  ] as const;
  const texts = [before ?? '', after ?? ''] as const;
  const options = { context, maxEditLength: mostEdits };
  const patch = structuredPatch(...names, ...texts, undefined, undefined, options) ?? replaced(names, texts);
  return formatPatch(patch, FILE_HEADERS_ONLY).trimEnd();
}

/** A patch of one hunk that takes every line out and puts every new one in. */
function replaced(
  [oldFileName, newFileName]: readonly [string, string],
  [before, after]: readonly [string, string],
): StructuredPatch {
  const linesOf = (text: string): readonly string[] => text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
  const [removed, added] = [linesOf(before), linesOf(after)];
  const signed = (sign: string, lines: readonly string[]) =>
    lines.flatMap((line) => (line.endsWith('\n') ? sign + line.slice(0, -1) : [sign + line, noNewline]));
  const hunk = { oldStart: 1, oldLines: removed.length, newStart: 1, newLines: added.length };
  const lines = [...signed('-', removed), ...signed('+', added)];
  return { oldFileName, newFileName, oldHeader: undefined, newHeader: undefined, hunks: [{ ...hunk, lines }] };
}

const noNewline = '\\ No newline at end of file';
