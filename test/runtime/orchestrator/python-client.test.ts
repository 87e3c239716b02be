import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Client, tensor } from '../../../src/runtime/client/index.js';
import { onOneServer, shards } from './support/engine.js';
import { runPython, smartredisPython } from './support/python.js';
import { onnxRuntime, type Started, start } from './support/start.js';

const found = await smartredisPython();
const python = 'python' in found ? found.python : '';
const why =
  'missing' in found ? `no smartredis: ${found.missing}` : onnxRuntime === undefined ? 'no onnxruntime-node' : '';
const model = fileURLToPath(new URL('./models/double.onnx', import.meta.url));

describe.skipIf(why !== '')(`the smartredis package${why === '' ? '' : ` (skipped: ${why})`}`, () => {
  let started: Started;
  let folder: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'simwright-smartredis-'));
    started = await start({
      checkpointFile: join(folder, 'checkpoint'),
      mapDevice: { 'GPU:0': 'CPU', 'GPU:1': 'CPU:1' },
    });
  });
  afterAll(async () => {
    await started.stop();
    rmSync(folder, { recursive: true });
  });

  type Place = readonly [name: string, type: 'Standalone' | 'Clustered', index: number];
  const clustered: Place = ['left at Clustered', 'Clustered', 0];
  const places: readonly Place[] =
    shards === undefined
      ? [['over TCP', 'Standalone', 0], ['over a Unix socket', 'Standalone', 1], clustered]
      : [clustered];
  const addressAt = (index: number) =>
    (shards === undefined ? started.orchestrator.addresses[index] : started.orchestrator.addresses.join()) ?? '';

  /** SR_SOCKET_TIMEOUT is left at its default of 250 ms unless `env` has it, and SR_DB_TYPE at Clustered. */
  const callEverything = async (
    type: Place[1],
    index: number,
    name: string,
    company: string,
    env: NodeJS.ProcessEnv = {},
  ) => {
    const address = addressAt(index);
    const output = await runPython(python, 'smartredis_client.py', [model, address, type, name, company], {
      SSDB: address,
      SSKEYIN: name,
      SSKEYOUT: name,
      ...(type === 'Standalone' && { SR_DB_TYPE: type }),
      ...env,
    });
    return JSON.parse(output.trim().split('\n').at(-1) ?? '') as { done: string[]; missing: string[] };
  };

  test.each(places)('every public method, %s', async (_name, type, index) => {
    const { done, missing } = await callEverything(type, index, 'me', 'alone');
    expect(missing).toEqual([]);
    expect(done.length).toBeGreaterThan(80);
  });

  onOneServer(test)('eight processes at once', async () => {
    const outcomes = await Promise.all(
      Array.from({ length: 8 }, (_, index) => {
        const [, type, at] = places[index % places.length] ?? clustered;
        // They want more CPUs than there are: as in a job, they wait longer before they ask again.
        return callEverything(type, at, `p${index}`, 'with others', { SR_SOCKET_TIMEOUT: '30000' });
      }),
    );
    for (const { missing } of outcomes) expect(missing).toEqual(['Client.flush_db']);
  });

  test('shares tensors and models with the TypeScript client, both left at Clustered', async () => {
    const address = addressAt(0);
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
