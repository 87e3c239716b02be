import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const packages = ['smartredis==0.6.1', 'numpy==1.26.4'];
const run = promisify(execFile);

/**
 * A Python with the unmodified smartredis package: `$SIMWRIGHT_TEST_VENV`, or a virtual environment kept under
 * `node_modules/.cache`, made on first use. A text instead says why there is none.
 */
export function smartredisPython(): { readonly python: string } | { readonly missing: string } {
  const given = process.env['SIMWRIGHT_TEST_VENV'];
  const folder = given ?? fileURLToPath(new URL('../../../../node_modules/.cache/simwright-python', import.meta.url));
  const python = join(folder, 'bin', 'python');
  const complete = join(folder, 'complete');
  try {
    if (existsSync(complete) || given !== undefined) {
      execFileSync(python, ['-c', 'import smartredis'], { stdio: 'pipe' });
      return { python };
    }
    const making = `${folder}.${process.pid}`;
    mkdirSync(making, { recursive: true });
    try {
      execFileSync('python3', ['-m', 'venv', making], { stdio: 'pipe' });
      execFileSync(join(making, 'bin', 'python'), ['-m', 'pip', 'install', '--quiet', ...packages], { stdio: 'pipe' });
      writeFileSync(join(making, 'complete'), packages.join('\n'));
      rmSync(folder, { recursive: true, force: true });
      renameSync(making, folder);
    } finally {
      rmSync(making, { recursive: true, force: true });
    }
    return { python };
  } catch (error) {
    return { missing: String(error).split('\n')[0] ?? 'python3 or pip failed' };
  }
}

/** Runs a script of this folder; returns what it prints. Its failure shows its last lines. */
export async function runPython(
  python: string,
  script: string,
  words: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<string> {
  const path = fileURLToPath(new URL(script, import.meta.url));
  const { stdout } = await run(python, [path, ...words], {
    env: {
      PATH: process.env['PATH'] ?? '',
      SR_LOG_LEVEL: 'QUIET',
      SR_CONN_TIMEOUT: '20',
      SR_CMD_TIMEOUT: '20',
      ...env,
    },
    timeout: 55_000,
  });
  return stdout;
}
