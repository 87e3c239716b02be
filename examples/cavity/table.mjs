/** @typedef {import('./judge.mjs').Deviation} Deviation */
/** @typedef {{ member: import('./judge.mjs').MemberResult, verdict: import('./judge.mjs').Verdict }} Judged */

const COLUMNS = [
  'member',
  'Re',
  'U',
  'N',
  'steps',
  't [L/U]',
  'max |u-Ghia|',
  'max |v-Ghia|',
  'max |surrogate|',
  'verdict',
];

/** A deviation and its place. @param {Deviation | undefined} point */
function cell(point) {
  if (point === undefined) return 'not in table';
  return `${point.deviation.toFixed(4)} ${point.line === 'u' ? 'y' : 'x'}=${point.station.toFixed(4)}`;
}

/** Prints the members' deviations, in units of U, with the stations where they are largest. @param {Judged[]} judged */
export function printTable(judged) {
  const rows = judged.map(({ member, verdict }) => [
    member.name,
    String(member.reynolds),
    String(member.lid),
    String(member.cells),
    String(member.steps),
    ((member.steps * member.lid) / member.cells).toFixed(1),
    cell(verdict.ghiaU),
    cell(verdict.ghiaV),
    cell(verdict.surrogate),
    verdict.failures.length === 0 ? 'ok' : `off at ${verdict.failures.length}`,
  ]);
  const widths = COLUMNS.map((column, i) => Math.max(column.length, ...rows.map((row) => row[i].length)));
  /** @param {string[]} cells */
  const line = (cells) =>
    cells.map((text, i) => (i === 0 ? text.padEnd(widths[i]) : text.padStart(widths[i]))).join('  ');
  console.log(line(COLUMNS));
  console.log(widths.map((width) => '-'.repeat(width)).join('  '));
  for (const row of rows) console.log(line(row));
}
