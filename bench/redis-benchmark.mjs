// Questions that redis-benchmark asks a store, and the server and module that the benches of `bench/redis*.mjs` use.
import { spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildModule } from '../dist/cli/engine-install/build-module.js';
import { askServer, isNewEnough, serverPaths } from '../dist/runtime/engine/find-engine.js';
import { median } from './measure.mjs';

const words = process.argv.slice(2);
export const quick = words.includes('quick');
const asked = words.filter((word) => word !== 'quick');
/** True if the part is among those that the command line names, or if it names none. */
export const wanted = (/** @type {string} */ part) => asked.length === 0 || asked.includes(part);
export const rounds = quick ? 3 : 5;
export const scratch = mkdtempSync(join(tmpdir(), 'simwright-bench-'));

/**
 * Requests a second that redis-benchmark counts, and milliseconds that half and 99 of 100 of them took at most.
 * @param {number} port
 * @param {number} clients
 * @param {number} count
 * @param {readonly string[]} command
 * @param {Buffer} [last] the command's last word
 * @returns {Promise<{ rate: number, p50: number, p99: number, most: number }>}
 */
export function measure(port, clients, count, command, last) {
  const options = ['-p', String(port), '-c', String(clients), '-n', String(count), '--csv', ...(last ? ['-x'] : [])];
  const child = spawn('redis-benchmark', [...options, ...command], { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(last ?? '');
  let text = '';
  child.stdout?.on('data', (chunk) => {
    text += chunk;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', () => {
      const row = text.trim().split('\n').at(-1) ?? '';
      const [rate = Number.NaN, , , p50 = 0, , p99 = 0, most = 0] = row
        .split('","')
        .slice(1)
        .map((field) => Number.parseFloat(field));
      if (row.startsWith(`"`)) resolve({ rate, p50, p99, most });
      else reject(new Error(`redis-benchmark said: ${text}`));
    });
  });
}

/**
 * Requests a second.
 * @param {Parameters<typeof measure>} what
 */
export async function rateOf(...what) {
  return (await measure(...what)).rate;
}

/**
 * Median ratio of two rates, measured in turn.
 * @param {() => Promise<number>} one
 * @param {() => Promise<number>} other
 * @param {number} [digits] that the details show
 */
export async function ratioOf(one, other, digits = 0) {
  const ratios = [];
  const rates = /** @type {[number[], number[]]} */ ([[], []]);
  for (let round = 0; round < rounds; round += 1) {
    const [above, below] = [await one(), await other()];
    rates[0].push(above);
    rates[1].push(below);
    ratios.push(above / below);
  }
  return {
    ratio: median(ratios),
    detail: `${median(rates[0]).toFixed(digits)}/s beside ${median(rates[1]).toFixed(digits)}/s`,
  };
}

export const { path: module } = await buildModule({ folder: scratch });
export const found = await Promise.all(serverPaths({ env: process.env }).map(askServer));
const usable = found.find((one) => one !== undefined && isNewEnough(one));
if (usable === undefined) throw new Error('there is no server here that is new enough');
export const server = usable;
