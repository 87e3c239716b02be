import { expect, test } from 'vitest';
import { gpuVariables } from '../../../../src/runtime/launch/pool/gpus.js';

const plain = { env: {} };

test.each([
  [{ CUDA_VISIBLE_DEVICES: '3,5,7' }, [0, 2], true, { CUDA_VISIBLE_DEVICES: '3,7' }],
  [{ CUDA_VISIBLE_DEVICES: '3,5,7' }, [1], false, { CUDA_VISIBLE_DEVICES: '5' }],
  [{ ROCR_VISIBLE_DEVICES: '0,1' }, [1], true, { ROCR_VISIBLE_DEVICES: '1' }],
  [
    { CUDA_VISIBLE_DEVICES: '0,1', ZE_AFFINITY_MASK: '0,1' },
    [0],
    true,
    { CUDA_VISIBLE_DEVICES: '0', ZE_AFFINITY_MASK: '0' },
  ],
  [{ CUDA_VISIBLE_DEVICES: 'GPU-a,GPU-b' }, [1], true, { CUDA_VISIBLE_DEVICES: 'GPU-b' }],
  // Names of devices are those of the script's host.
  [{ CUDA_VISIBLE_DEVICES: 'GPU-a,GPU-b' }, [1], false, {}],
  [{ CUDA_VISIBLE_DEVICES: '0,1' }, [], true, {}],
])('of a job with %j, GPUs %j', (env, positions, isHere, expected) => {
  expect(gpuVariables(plain, env, positions, { isHere })).toEqual(expected);
});

test("a user's own variables stay", () => {
  const env = { CUDA_VISIBLE_DEVICES: '0,1' };
  expect(gpuVariables({ env: { ROCR_VISIBLE_DEVICES: '1' } }, env, [0], { isHere: true })).toEqual({});
  expect(gpuVariables({ env: {}, memberEnv: [{}, { CUDA_VISIBLE_DEVICES: '1' }] }, env, [0], { isHere: true })).toEqual(
    {},
  );
});

test('where the job says nothing, the numbers are those of the node', () => {
  expect(Object.values(gpuVariables(plain, {}, [1, 3], { isHere: true }))).toContain('1,3');
});
