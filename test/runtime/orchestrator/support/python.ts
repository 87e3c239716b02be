import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** smartredis asks for a numpy before 2, the others are the last that go with it and have wheels for Python 3.9 to 3.12. */
const packages = [
  'smartredis==0.6.1',
  'numpy==1.26.4',
  'scipy==1.13.1',
  'scikit-learn==1.5.2',
  'onnx==1.16.2',
  'protobuf==4.25.8',
  'skl2onnx==1.17.0',
];
const run = promisify(execFile);
const pathOf = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/**
 * A Python with the unmodified smartredis package, and with scikit-learn and skl2onnx: `$SIMWRIGHT_TEST_VENV`, or a
 * virtual environment kept under `node_modules/.cache`, made or completed where something is missing. A text instead
 * says why there is none.
 */
export async function smartredisPython(): Promise<{ readonly python: string } | { readonly missing: string }> {
  const given = process.env['SIMWRIGHT_TEST_VENV'];
  const folder = given ?? pathOf('../../../../node_modules/.cache/simwright-python');
  const python = join(folder, 'bin', 'python');
  try {
    if (given === undefined) await run('python3', [pathOf('make_environment.py'), folder, ...packages]);
    else await run(python, ['-c', 'import smartredis']);
    return { python };
  } catch (error) {
    return { missing: String(error).split('\n')[0] ?? 'python3 or pip failed' };
  }
}

/** Packages of Redis clients, each of which needs a place of its own: two versions do not go into one environment. */
export const clientPackages = {
  'redis-py 4': ['redis==4.6.0', 'async-timeout==5.0.1'],
  'redis-py 5': ['redis==5.2.1', 'async-timeout==5.0.1'],
  'redis-py 8': ['redis==8.1.0', 'async-timeout==5.0.1'],
  'redisai-py': [
    'redisai==1.3.0',
    'redis==4.6.0',
    'async-timeout==5.0.1',
    'deprecated==1.3.1',
    'wrapt==2.5.2',
    'six==1.17.0',
    'hiredis==3.5.0',
  ],
} as const;

/** Where such packages are once they have been installed, for PYTHONPATH. */
export async function clientPath(python: string, client: keyof typeof clientPackages): Promise<string> {
  const folder = pathOf(`../../../../node_modules/.cache/simwright-${client.replace(' ', '-')}`);
  await run(python, [pathOf('add_packages.py'), folder, ...clientPackages[client]]);
  return folder;
}

/** Runs a script of this folder; returns what it prints. Its failure shows its last lines. */
export async function runPython(
  python: string,
  script: string,
  words: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<string> {
  const { stdout } = await run(python, [pathOf(script), ...words], {
    env: {
      PATH: process.env['PATH'] ?? '',
      SR_LOG_LEVEL: 'QUIET',
      SR_CONN_TIMEOUT: '20',
      SR_CMD_TIMEOUT: '20',
      ...env,
    },
    timeout: 165_000,
  });
  return stdout;
}
