import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** smartredis asks for a numpy before 2, the others are the last that go with it and have wheels for Python 3.9 to 3.11. */
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

/** Packages with PyTorch, TensorFlow and LiteRT among them, and the modules that tests import. */
const frameworks = {
  packages: readFileSync(pathOf('frameworks.txt'), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#')),
  modules: ['torch', 'tensorflow', 'ai_edge_litert', 'onnxruntime', 'smartredis', 'skl2onnx', 'pytest'],
};

/** A Python of tests, or the reason why there is none. */
export type FoundPython = { readonly python: string } | { readonly missing: string };

/**
 * A Python with the unmodified smartredis package, and with scikit-learn and skl2onnx: `$SIMWRIGHT_TEST_VENV`, or a
 * virtual environment kept under `node_modules/.cache`, made or completed where something is missing.
 */
export async function smartredisPython(): Promise<FoundPython> {
  const folder = process.env['SIMWRIGHT_TEST_VENV'];
  return folder === undefined ? make('simwright-python', packages) : having(folder, ['smartredis']);
}

/**
 * A Python that has PyTorch, TensorFlow, LiteRT and onnxruntime beside smartredis: `$SIMWRIGHT_TEST_VENV`, or an
 * environment under `node_modules/.cache`. It is made in CI, and where `$SIMWRIGHT_TEST_FRAMEWORKS` is set: 2.6 GB are
 * downloaded, 5.7 GB lie there.
 */
export async function frameworksPython(): Promise<FoundPython> {
  const folder = process.env['SIMWRIGHT_TEST_VENV'];
  if (folder !== undefined) return having(folder, frameworks.modules);
  const name = 'simwright-frameworks';
  const isWanted = process.env['CI'] !== undefined || process.env['SIMWRIGHT_TEST_FRAMEWORKS'] !== undefined;
  if (!isWanted && !existsSync(pathOf(`../../../../node_modules/.cache/${name}/complete`))) {
    return { missing: 'no PyTorch and TensorFlow: SIMWRIGHT_TEST_FRAMEWORKS=1 installs them, 5.7 GB' };
  }
  const imports = ['torch.export', 'tensorflow', 'ai_edge_litert.interpreter', 'onnxruntime', 'skl2onnx'];
  return make(name, ['--no-deps', '--no-compile', '--no-cache-dir', ...frameworks.packages], imports);
}

/** Ray with its client, beside smartredis. */
const rayPackages = ['ray[client]==2.60.0', 'smartredis==0.6.1', 'numpy==1.26.4'];

/** A Python that has Ray: `$SIMWRIGHT_TEST_RAY_VENV`, or an environment under `node_modules/.cache`, made as that with PyTorch is. */
export async function rayPython(): Promise<FoundPython> {
  const folder = process.env['SIMWRIGHT_TEST_RAY_VENV'];
  if (folder !== undefined) return having(folder, ['ray', 'grpc', 'smartredis']);
  const name = 'simwright-ray';
  const isWanted = process.env['CI'] !== undefined || process.env['SIMWRIGHT_TEST_FRAMEWORKS'] !== undefined;
  if (!isWanted && !existsSync(pathOf(`../../../../node_modules/.cache/${name}/complete`))) {
    return { missing: 'no Ray: SIMWRIGHT_TEST_FRAMEWORKS=1 installs it, 300 MB' };
  }
  return make(name, ['--no-cache-dir', ...rayPackages], ['ray']);
}

/** Makes or completes an environment under `node_modules/.cache`. */
async function make(name: string, words: readonly string[], imports: readonly string[] = []): Promise<FoundPython> {
  const folder = pathOf(`../../../../node_modules/.cache/${name}`);
  try {
    await run('python3', [pathOf('make_environment.py'), folder, ...words, `--import=${imports.join()}`]);
    return { python: join(folder, 'bin', 'python') };
  } catch (error) {
    return { missing: lastLine(error) };
  }
}

/** The last line of what a program says of its failure. */
const lastLine = (error: unknown): string => String(error).trim().split('\n').at(-1) ?? '';

/** The environment in a folder if it has these modules. */
async function having(folder: string, modules: readonly string[]): Promise<FoundPython> {
  const python = join(folder, 'bin', 'python');
  const script = 'import importlib.util as u, sys; print(*[m for m in sys.argv[1:] if u.find_spec(m) is None])';
  try {
    const lacking = (await run(python, ['-c', script, ...modules])).stdout.trim();
    return lacking === '' ? { python } : { missing: `${python} has no ${lacking}` };
  } catch (error) {
    return { missing: lastLine(error) };
  }
}

/** Packages that need a place of their own, Redis clients first: two versions do not go into one environment. */
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
    // It imports pkg_resources, which later ones lack.
    'setuptools==75.8.0',
  ],
} as const;

/** Packages of all tests, by the name of their folder. */
const packageSets = {
  ...clientPackages,
  // Only SmartSim's classes of training data are used, which need nothing of what it asks for.
  training: [
    'smartsim==0.8.0',
    'pandas==2.2.3',
    'python-dateutil==2.9.0.post0',
    'pytz==2024.2',
    'tzdata==2024.2',
    'six==1.17.0',
  ],
} as const;

/** Where such packages are once they have been installed, for PYTHONPATH. */
export async function packagesPath(python: string, name: keyof typeof packageSets): Promise<string> {
  const folder = pathOf(`../../../../node_modules/.cache/simwright-${name.replace(' ', '-')}`);
  await run(python, [pathOf('add_packages.py'), folder, ...packageSets[name]]);
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
