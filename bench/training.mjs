// Samples a second of training data through a store, against the same loop over .npy files on a local disk, and against SmartSim's classes with
// the same client and the same store. A stream in ten steps: batches are put, then all that have come are read and given once, mixed.
// After `npm run build`; Python, smartredis and SmartSim's package are those that the tests install.
// usage: node bench/training.mjs [quick]
import { execFile } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { median, report } from './measure.mjs';
import { scratchFolder } from './measure-command.mjs';
import { startOrchestrator } from './orchestrator-parts.mjs';

const rounds = process.argv.includes('quick') ? 3 : 9;
const root = fileURLToPath(new URL('..', import.meta.url));
const cache = join(root, 'node_modules/.cache');
const python = [
  process.env['SIMWRIGHT_TEST_VENV'] ?? '',
  join(cache, 'simwright-frameworks'),
  join(cache, 'simwright-python'),
]
  .map((folder) => join(folder, 'bin/python'))
  .find((path) => existsSync(path));
const smartsim = join(cache, 'simwright-training');
if (python === undefined || !existsSync(join(smartsim, 'smartsim'))) {
  console.log('training: no smartredis or SmartSim here; npx vitest run test/python installs them');
  process.exit(0);
}
const scratch = scratchFolder('training');
const store = await startOrchestrator('--log-level', 'warn');
const env = {
  ...process.env,
  SSDB: `127.0.0.1:${store.port}`,
  SR_DB_TYPE: 'Standalone',
  SR_LOG_LEVEL: 'QUIET',
  OMP_NUM_THREADS: '1',
  PYTHONPATH: [join(root, 'python'), smartsim].join(':'),
};
const { stdout } = await promisify(execFile)(python, [join(root, 'bench/training.py'), scratch, String(rounds)], {
  env,
});
await store.stop();
rmSync(scratch, { recursive: true, force: true });

/** @type {Record<string, { bytes: number, rows: Record<string, Record<string, number>>[] }>} */
const found = JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
const thousands = (/** @type {number} */ value) => `${(value / 1000).toFixed(1)}k`;
for (const [load, { bytes, rows }] of Object.entries(found)) {
  for (const part of ['put', 'read', 'both']) {
    const rate = (/** @type {string} */ kind) => median(rows.map((row) => row[kind]?.[part] ?? 0));
    const ratio = (/** @type {string} */ kind) =>
      median(rows.map((row) => (row['ours']?.[part] ?? 0) / (row[kind]?.[part] ?? 1)));
    const rates = `${thousands(rate('ours'))} against ${thousands(rate('smartsim'))} and ${thousands(rate('files'))} samples/s`;
    const what = `training, ${load} (${Math.round(bytes / 1024)} KiB), ${part}:`;
    report(
      `${what} to SmartSim's classes`,
      ratio('smartsim'),
      load === 'small' && part !== 'put' ? '>= 1.5' : '',
      rates,
    );
    report(`${what} to .npy files`, ratio('files'), '');
  }
}
