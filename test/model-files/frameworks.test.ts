import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { expectedHeaders } from './support/expected.js';
import { models, readAll } from './support/models.js';

const run = promisify(execFile);
const venv = process.env['SIMWRIGHT_TEST_VENV'];
const python = venv === undefined ? undefined : join(venv, 'bin', 'python');
const hasFrameworks =
  python !== undefined &&
  (await run(python, [
    '-c',
    'import importlib.util as u; assert u.find_spec("torch") and u.find_spec("tensorflow")',
  ]).then(
    () => true,
    () => false,
  ));

test.skipIf(!hasFrameworks)(
  'what PyTorch and TensorFlow write here and now is read like the models that are kept (needs $SIMWRIGHT_TEST_VENV with both)',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'simwright-models-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    await run(python as string, [join(models, 'make.py'), folder], { env: { PATH: process.env['PATH'] ?? '' } });
    expect(readAll(folder)).toEqual(expectedHeaders);
  },
);
