import { readFileSync } from 'node:fs';

/** @typedef {{ s: number, value: number, misprint: boolean }} GhiaPoint */
/** @typedef {{ u: GhiaPoint[], v: GhiaPoint[] }} GhiaProfiles */

const COLUMN = /^re(\d+)$/;
const VALUE = /^(\??)(-?\d+(?:\.\d+)?)$/;

/**
 * The table of Ghia, Ghia and Shin by Reynolds number; `?` before a value marks a misprint.
 * @param {string | URL} file
 * @returns {Map<number, GhiaProfiles>}
 */
export function readGhia(file = new URL('ghia1982.csv', import.meta.url)) {
  return parseGhia(readFileSync(file, 'utf8'));
}

/** @param {string} text */
export function parseGhia(text) {
  /** @type {Map<number, GhiaProfiles>} */
  const table = new Map();
  /** @type {number[]} */
  let reynolds = [];
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const cells = line.split(',').map((cell) => cell.trim());
    if (reynolds.length === 0) {
      reynolds = cells.slice(2).map((cell) => Number(COLUMN.exec(cell)?.[1]));
      if (reynolds.length === 0 || reynolds.some(Number.isNaN)) {
        throw new Error(`table, line ${index + 1}: '${line}' is not a heading 'line,s,re100,...'`);
      }
      for (const number of reynolds) table.set(number, { u: [], v: [] });
      continue;
    }
    const [name, s, ...values] = cells;
    if ((name !== 'u' && name !== 'v') || !VALUE.test(s) || values.length !== reynolds.length) {
      throw new Error(`table, line ${index + 1}: '${line}' is not 'u or v, station, ${reynolds.length} values'`);
    }
    for (const [column, value] of values.entries()) {
      const match = VALUE.exec(value);
      if (match === null) throw new Error(`table, line ${index + 1}: '${value}' is not a number`);
      table.get(reynolds[column])?.[name].push({ s: Number(s), value: Number(match[2]), misprint: match[1] === '?' });
    }
  }
  return table;
}
