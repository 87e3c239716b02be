import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { root } from '../helpers/simwright.js';
import { frameworksPython, packagesPath } from '../runtime/orchestrator/support/python.js';
import { type Started, start } from '../runtime/orchestrator/support/start.js';

const found = await frameworksPython();
const python = 'python' in found ? found.python : '';
const why = 'missing' in found ? ` (skipped: ${found.missing})` : '';

describe.skipIf(why !== '')(`training data by Python, in a store of ours${why}`, { timeout: 360_000 }, () => {
  let started: Started;
  let packages: string;
  beforeAll(async () => {
    packages = await packagesPath(python, 'training');
    started = await start({ python, intraOpThreads: 1 });
  });
  afterAll(() => started?.stop());

  test.each(['smartsim', 'stream', 'window', 'torch', 'keras'])('pytest test_%s.py', async (name) => {
    const output = await pytest(python, [`test_${name}.py`], {
      SSDB: started.orchestrator.addresses[0] ?? '',
      PYTHONPATH: [join(root, 'python'), packages].join(':'),
    });
    expect(output).toMatch(/^\d+ passed(, \d+ warnings?)? in /m);
  });
});

/** What pytest prints; a failure shows all of it. */
async function pytest(
  program: string,
  words: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<string> {
  const all = ['-m', 'pytest', '-q', '-p', 'no:cacheprovider', '-rs', ...words];
  const quiet = {
    PYTHONDONTWRITEBYTECODE: '1',
    TF_CPP_MIN_LOG_LEVEL: '3',
    OMP_NUM_THREADS: '1',
    SR_LOG_LEVEL: 'QUIET',
  };
  try {
    const { stdout } = await promisify(execFile)(program, all, {
      cwd: join(root, 'python/tests'),
      env: { ...process.env, ...quiet, SR_DB_TYPE: 'Standalone', ...env },
    });
    return stdout;
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw new Error(`${stdout}${stderr}`, { cause: error });
  }
}
