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
