/**
 * Generates the surrogate's training data: runs of the cavity at the members' grid and lid speeds, at other Reynolds
 * numbers than theirs. Usage: node generate.mjs [FILE]   (default: dataset.csv beside this file)
 *
 * A line a run: Reynolds number, lid velocity, 512 block means at t = 10 L/U, 33 + 33 values of the centre lines at the end.
 */
import { fork } from 'node:child_process';
import { renameSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { blockMeans, profile } from '../profiles.mjs';
import { runToSteady } from '../run-to-steady.mjs';

const CELLS = 96;
const LIDS = [0.1, 0.15];
const REYNOLDS = [
  80, 90, 110, 125, 145, 165, 190, 215, 245, 280, 320, 360, 440, 490, 540, 600, 660, 730, 800, 870, 940, 1060, 1130,
  1200,
];
const SURROGATE_TIME = 10;
const PROCESSES = 2;

/** @param {number} reynolds @param {number} lid one run's line, without its end */
function sample(reynolds, lid) {
  /** @type {Float64Array} */
  let means = new Float64Array();
  /** @type {Float64Array} */
  let velocity = new Float64Array();
  for (const moment of runToSteady({ cells: CELLS, lid, reynolds })) {
    velocity = moment.velocity;
    // Moments come each whole L/U, to within half a step.
    if (means.length === 0 && Math.round(moment.time) >= SURROGATE_TIME) means = blockMeans(velocity, CELLS);
  }
  const ends = [...profile(velocity, CELLS, 'u'), ...profile(velocity, CELLS, 'v')];
  return [reynolds, lid, ...[...means, ...ends].map((value) => value.toPrecision(9))].join(',');
}

if (process.send !== undefined) {
  process.on('message', (/** @type {[number, number]} */ [reynolds, lid]) => process.send?.(sample(reynolds, lid)));
} else {
  const file = process.argv[2] ?? fileURLToPath(new URL('dataset.csv', import.meta.url));
  const runs = LIDS.flatMap((lid) => REYNOLDS.map((reynolds) => ({ reynolds, lid })));
  /** @type {string[]} */
  const lines = new Array(runs.length);
  let next = 0;
  const work = Array.from({ length: PROCESSES }, async () => {
    const child = fork(fileURLToPath(import.meta.url));
    while (next < runs.length) {
      const index = next++;
      const { reynolds, lid } = runs[index];
      lines[index] = await new Promise((resolve, reject) => {
        child.once('message', (line) => resolve(String(line)));
        child.once('exit', (code) => reject(new Error(`a run ended with exit code ${code}`)));
        child.send([reynolds, lid]);
      });
      child.removeAllListeners('exit');
      process.stdout.write(`${index + 1}/${runs.length}  Re ${reynolds}  U ${lid}\n`);
    }
    child.disconnect();
  });
  await Promise.all(work);
  writeFileSync(`${file}.part`, `${lines.join('\n')}\n`);
  renameSync(`${file}.part`, file);
}
