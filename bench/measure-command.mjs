import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const cli = join(root, 'dist/cli/main.js');

/** Ends a process with the figures of its own resource usage on file descriptor 3. */
const probe = `process.on('exit', () => require('fs').writeSync(3, JSON.stringify(process.resourceUsage())));`;

/** @typedef {{ seconds: number, cpuSeconds: number, mebibytes: number }} Usage */

/**
 * A new folder inside the project, so that 'simwright' resolves to it.
 * @param {string} name
 */
export function scratchFolder(name) {
  mkdirSync(join(root, '.cache'), { recursive: true });
  return mkdtempSync(join(root, `.cache/bench-${name}-`));
}

/**
 * Runs commands of simwright in a folder, to their end.
 * @param {string} folder
 * @returns {(args: readonly string[]) => Promise<Usage>}
 */
export function measureIn(folder) {
  writeFileSync(join(folder, 'probe.cjs'), probe);
  return (args) => measure(folder, args);
}

/**
 * @param {string} folder
 * @param {readonly string[]} args
 * @returns {Promise<Usage>}
 */
function measure(folder, args) {
  const start = process.hrtime.bigint();
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--require', join(folder, 'probe.cjs'), cli, ...args], {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    });
    let usage = '';
    let said = '';
    child.stderr?.on('data', (bytes) => {
      said += bytes;
    });
    child.stdio[3]?.on('data', (bytes) => {
      usage += bytes;
    });
    child.on('error', reject);
    child.on('close', (code) => {
      const seconds = Number(process.hrtime.bigint() - start) / 1e9;
      if (code !== 0) return reject(new Error(`simwright ${args.join(' ')} ended with ${code}\n${said}`));
      const { maxRSS, userCPUTime, systemCPUTime } = JSON.parse(usage);
      resolve({ seconds, cpuSeconds: (userCPUTime + systemCPUTime) / 1e6, mebibytes: maxRSS / 1024 });
    });
  });
}

/**
 * A ratio or a figure beside its bar.
 * @param {string} what
 * @param {number} value
 * @param {number} bar
 * @param {string} unit
 */
export function verdict(what, value, bar, unit) {
  console.log(
    `${what.padEnd(44)} ${value.toFixed(3).padStart(9)} ${unit}  (bar: ${bar}) ${value <= bar ? 'ok' : 'MISSED'}`,
  );
}
