import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { withRuntime } from '../../src/cli/commands/compile.js';
import { compileFile, root } from '../compiler/support/compile-fixture.js';

/** Paths in the folder's runtime/ that are Python's. */
async function pythonOf(workflow: string): Promise<string[]> {
  const compiled = await compileFile(join(root, workflow, 'workflow.ts'), 'slurm');
  return withRuntime(compiled, false)
    .map(({ path }) => path)
    .filter((path) => path.startsWith('runtime/python/'));
}

test('a folder with a store has the sources of the Python workers, whatever its models: applications may bring others', async () => {
  const paths = await pythonOf('fixtures/workflows/online-training');
  expect(paths).toContain('runtime/python/simwright/__init__.py');
  expect(paths).toContain('runtime/python/simwright/worker/__main__.py');
  expect(paths).toContain('runtime/python/simwright/worker/torch_programs.py');
  expect(paths.filter((path) => !path.endsWith('.py'))).toEqual([]);
});

test('a folder without a store has none', async () => {
  expect(await pythonOf('fixtures/workflows/hello-world')).toEqual([]);
});

test('the Python package has the version of this one', () => {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  expect(readFileSync(join(root, 'python/simwright/__init__.py'), 'utf8')).toContain(`__version__ = "${version}"\n`);
});
