import { spawn } from 'node:child_process';

/**
 * Runs a program to its end.
 * @param {string} program
 * @param {readonly string[]} args
 * @param {import('node:child_process').SpawnOptions} [options]
 * @returns {Promise<number>} seconds it took
 * @throws {Error} if it fails
 */
export function secondsOf(program, args, options = {}) {
  const start = process.hrtime.bigint();
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit'], ...options });
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve(Number(process.hrtime.bigint() - start) / 1e9);
      else reject(new Error(`${program} ${args.join(' ')} ended with ${code}`));
    });
  });
}

/** @param {readonly number[]} values */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * One line of results: what, its median, its smallest and largest.
 * @param {string} what
 * @param {readonly number[]} values
 * @param {string} unit
 */
export function line(what, values, unit) {
  const show = (/** @type {number} */ value) => value.toFixed(3);
  return `${what.padEnd(44)} ${show(median(values)).padStart(9)} ${unit}  (${show(Math.min(...values))} … ${show(Math.max(...values))}, ${values.length} runs)`;
}

/**
 * One line: what, its value beside its bar, and what the value is made of.
 * @param {string} what
 * @param {number} value
 * @param {string} bar such as '>= 0.8'; without one the value is only shown
 * @param {string} [detail]
 */
export function report(what, value, bar, detail = '') {
  const [sign, limit] = bar.split(' ');
  const met = sign === '>=' ? value >= Number(limit) : value <= Number(limit);
  const verdict = bar === '' ? '' : met ? 'met' : 'MISSED';
  console.log(
    `${what.padEnd(58)} ${value.toFixed(2).padStart(8)}  ${bar.padEnd(8)} ${verdict.padEnd(6)} ${detail}`.trimEnd(),
  );
}
