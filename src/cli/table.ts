/** Rows as aligned columns, the first row the headings. Columns of numbers are aligned right. */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  const numeric = widths.map((_, column) => isNumeric(rows.slice(1).map((row) => row[column] ?? '')));
  return rows
    .map((row) =>
      row
        .map((cell, column) =>
          numeric[column] ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function isNumeric(cells: readonly string[]): boolean {
  return cells.every((cell) => /^[\d.:-]*$/.test(cell)) && cells.some((cell) => /\d/.test(cell));
}
