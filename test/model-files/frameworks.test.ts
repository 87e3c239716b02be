import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { frameworksPython } from '../runtime/orchestrator/support/python.js';
import { expectedHeaders } from './support/expected.js';
import { models, readAll } from './support/models.js';

const run = promisify(execFile);
const found = await frameworksPython();
const why = 'missing' in found ? ` (skipped: ${found.missing})` : '';

test.skipIf('missing' in found)(
  `what PyTorch and TensorFlow write here and now is read like the models that are kept${why}`,
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'simwright-models-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    await run('python' in found ? found.python : '', [join(models, 'make.py'), folder], {
      env: { PATH: process.env['PATH'] ?? '' },
    });
    expect(readAll(folder)).toEqual(expectedHeaders);
  },
);
