// From the start of `runtime up` to a store that answers, its ML model loaded, beside the limit of 1 s and a bare start of Node.
// usage: node bench/up.mjs [RUNS]
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { line, median, secondsOf } from './measure.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const runs = Number(process.argv[2] ?? 10);
const limitSeconds = 1;
const scratch = mkdtempSync(join(tmpdir(), 'bench-up-'));
const folder = join(scratch, 'cavity');

try {
  const cli = ['dist/cli/main.js', 'compile', 'examples/cavity/workflow.ts', '--out', folder];
  await secondsOf(process.execPath, cli, { cwd: root });
  const ups = [];
  const bare = [];
  for (let run = 0; run < runs; run++) {
    const env = {
      ...process.env,
      SIMWRIGHT_HOME: root,
      SIMWRIGHT_JOB: 'cavity',
      SIMWRIGHT_JOB_ID: `bench-${process.pid}-${run}`,
      SIMWRIGHT_HOSTS: 'localhost',
      SIMWRIGHT_STARTED: String(Math.floor(Date.now() / 1000)),
      SIMWRIGHT_SCRIPT_PID: String(process.pid),
    };
    try {
      ups.push(
        await secondsOf(process.execPath, ['runtime/simwright.mjs', 'up', 'orchestrator', '--'], { cwd: folder, env }),
      );
    } finally {
      await secondsOf(process.execPath, ['runtime/simwright.mjs', 'down'], { cwd: folder, env });
    }
    bare.push(await secondsOf(process.execPath, ['-e', '0'], { cwd: folder }));
  }
  console.log(line('runtime up, until it returns', ups, 's'));
  console.log(line('node -e 0', bare, 's'));
  console.log(
    `ratio to a start of Node ${(median(ups) / median(bare)).toFixed(1)}; share of the limit of ${limitSeconds} s ${(median(ups) / limitSeconds).toFixed(3)}`,
  );
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
