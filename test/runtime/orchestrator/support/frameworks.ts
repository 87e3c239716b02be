import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type BackendName, backends } from '../../../../src/ml/backends.js';
import { probePython } from '../../../../src/runtime/orchestrator/inference/index.js';
import { type FoundPython, frameworksPython } from './python.js';

const run = promisify(execFile);

/** A Python that has the framework of a backend, or why there is none. */
export async function pythonWith(backend: BackendName): Promise<FoundPython> {
  const found = await frameworksPython();
  if ('missing' in found) return found;
  const { frameworks } = await probePython(found.python);
  if (frameworks[backend] !== null) return found;
  return { missing: `${backends[backend].worker.package} is not installed in ${found.python}` };
}

/** Models by their files' names, made by the function of that name in `framework_models.py`; `more` are words for it. */
export async function makeModels(
  python: string,
  framework: string,
  ...more: string[]
): Promise<(file: string) => Buffer> {
  const folder = mkdtempSync(join(tmpdir(), 'simwright-models-'));
  const script = fileURLToPath(new URL('framework_models.py', import.meta.url));
  await run(python, [script, framework, folder, ...more], {
    env: { ...process.env, OMP_NUM_THREADS: '1' },
    timeout: 120_000,
  });
  return (file) => readFileSync(join(folder, file));
}

/** True once `condition` is; asks again and again until it is or ten seconds have passed. */
export async function soon(condition: () => boolean | Promise<boolean>, limitMs = 10_000): Promise<boolean> {
  const end = performance.now() + limitMs;
  while (!(await condition())) {
    if (performance.now() > end) return false;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return true;
}
