import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Client, tensor } from '../../../src/runtime/client/index.js';
import { runPython, smartredisPython } from './support/python.js';
import { onnxRuntime, type Started, start } from './support/start.js';

const found = smartredisPython();
const python = 'python' in found ? found.python : '';
const why =
  'missing' in found ? `no smartredis: ${found.missing}` : onnxRuntime === undefined ? 'no onnxruntime-node' : '';
const model = fileURLToPath(new URL('./models/double.onnx', import.meta.url));

describe.skipIf(why !== '')(`the smartredis package${why === '' ? '' : ` (skipped: ${why})`}`, () => {
  let started: Started;
  beforeAll(async () => {
    started = await start();
  });
  afterAll(() => started.stop());

  test.each([
    ['over TCP', 'Standalone', 0],
    ['over a Unix socket', 'Standalone', 1],
    ['left at Clustered', 'Clustered', 0],
  ])('%s', async (_name, type, index) => {
    const address = started.orchestrator.addresses[index] ?? '';
    const output = await runPython(python, 'smartredis_client.py', [model, address, type], {
      SSDB: address,
      SR_DB_TYPE: type,
    });
    const done = JSON.parse(output.trim().split('\n').at(-1) ?? '[]') as string[];
    expect(done.length).toBeGreaterThan(30);
    expect(done).toContain('model run');
    expect(done).toContain('list copy and rename');
  });

  test('shares tensors and models with the TypeScript client, both left at Clustered', async () => {
    const address = started.orchestrator.addresses[0] ?? '';
    const client = await Client.connect({ env: { SSDB: address, SSKEYOUT: 'typescript', SSKEYIN: 'python' } });
    await client.putTensor('from', tensor(BigInt64Array.from([1n, -2n, 3n]), [3, 1]));
    const output = await runPython(python, 'smartredis_shares.py', [model], {
      SSDB: address,
      SSKEYOUT: 'python',
      SSKEYIN: 'typescript',
    });
    expect(JSON.parse(output.trim())).toEqual({ dtype: 'int64', shape: [3, 1], values: [[1], [-2], [3]] });
    expect(await client.getTensor('to', 'INT16')).toEqual({
      dtype: 'INT16',
      shape: [2, 2],
      data: Int16Array.from([1, 2, 3, -4]),
    });
    await client.putTensor('x', tensor(Float32Array.from([5, 6]), [1, 2]));
    client.setDataSource('python');
    client.useTensorPrefix(false);
    await client.runModel('shared', 'typescript.x', 'y');
    expect((await client.getTensor('y', 'FLOAT')).data).toEqual(Float32Array.from([10, 12]));
    await client.close();
  });
});
