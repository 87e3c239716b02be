import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { root } from '../../../helpers/simwright.js';
import { frameworksPython } from '../support/python.js';
import { onnxRuntime } from '../support/start.js';

const found = await frameworksPython();
const python = 'python' in found ? found.python : '';
const why =
  'missing' in found
    ? ` (skipped: ${found.missing})`
    : onnxRuntime === undefined
      ? ' (skipped: no onnxruntime-node)'
      : '';

describe.skipIf(why !== '')(`test/gpu.sh${why}`, () => {
  test('passes on the GPUs that are here, or mapped to the CPU', async () => {
    const env = { OMP_NUM_THREADS: '1' };
    const { exitCode, stdout, stderr } = await execa(join(root, 'test/gpu.sh'), [python], { env, reject: false });
    expect(exitCode, `${stdout}\n${stderr}`).toBe(0);
    const last = stdout.split('\n').at(-1);
    expect(last).toMatch(/^\d+ passed, 0 failed, PyTorch \S+, (with GPU:0 and GPU:1 mapped to the CPU|on .*)/);
    console.log(last);
  }, 360_000);
});
