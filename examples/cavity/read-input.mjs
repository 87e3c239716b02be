import { readFileSync } from 'node:fs';

/** A mistake in the input file; its message is for the person who wrote it. */
export class InputError extends Error {}

/** @typedef {{ reynolds: number, lid: number, grid: number, endTime: number, steadyChange: number, surrogateTime: number }} Input */

/** @type {Record<string, { name: keyof Input, from: number, to: number, multipleOf?: number }>} */
const KEYS = {
  'flow.reynolds': { name: 'reynolds', from: 1, to: 10_000 },
  'flow.lid': { name: 'lid', from: 0.001, to: 0.3 },
  'lattice.grid': { name: 'grid', from: 16, to: 1024, multipleOf: 16 },
  'control.end_time': { name: 'endTime', from: 0.1, to: 10_000 },
  'control.steady_change': { name: 'steadyChange', from: 0, to: 1 },
  'control.surrogate_time': { name: 'surrogateTime', from: 0, to: 10_000 },
};

/** Reads and checks an input file: groups `&name … /` of `key = value`, comments from `!`. @param {string} file */
export function readInput(file) {
  let text;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new InputError(`${file} cannot be read: ${error instanceof Error ? error.message : error}`);
  }
  return parseInput(text, file);
}

/** @param {string} text @param {string} file for messages @returns {Input} */
export function parseInput(text, file) {
  /** @type {Partial<Input>} */
  const input = {};
  let group = '';
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.replace(/!.*$/, '').trim();
    const where = `${file}:${index + 1}`;
    if (line === '') continue;
    if (line.startsWith('&')) group = line.slice(1);
    else if (line === '/') group = '';
    else {
      const [key, value, more] = line.split('=').map((part) => part.trim());
      if (value === undefined || more !== undefined) throw new InputError(`${where}: '${line}' is not 'key = value'`);
      const known = KEYS[`${group}.${key}`];
      if (known === undefined) {
        const place = group === '' ? 'outside any group' : `in &${group}`;
        throw new InputError(`${where}: unknown key '${key}' ${place}; known: ${Object.keys(KEYS).join(', ')}`);
      }
      if (known.name in input) throw new InputError(`${where}: '${key}' is given twice`);
      const number = value === '' ? Number.NaN : Number(value);
      const divisor = known.multipleOf ?? 0;
      if (!(number >= known.from && number <= known.to) || (divisor > 0 && number % divisor !== 0)) {
        const multiple = divisor > 0 ? ` and a multiple of ${divisor}` : '';
        throw new InputError(
          `${where}: ${key} = ${value} should be a number from ${known.from} to ${known.to}${multiple}`,
        );
      }
      input[known.name] = number;
    }
  }
  const missing = Object.keys(KEYS).filter((key) => !(KEYS[key].name in input));
  if (missing.length > 0) throw new InputError(`${file}: missing: ${missing.join(', ')}`);
  return /** @type {Input} */ (input);
}
