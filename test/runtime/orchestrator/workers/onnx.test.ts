import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pythonWith } from '../support/frameworks.js';
import { modelFile, type Started, start } from '../support/start.js';

const found = await pythonWith('ONNX');
const missing = 'missing' in found ? found.missing : '';

describe.skipIf(missing !== '')(`ONNX models where there is no onnxruntime-node ${missing}`, () => {
  let started: Started;
  let redis: Redis;
  beforeAll(async () => {
    if (!('python' in found)) return;
    started = await start({ python: found.python, onnxRuntime: undefined as never });
    redis = new Redis(started.port);
    await redis.call('AI.TENSORSET', 'x', 'FLOAT', '1', '2', 'VALUES', '1.5', '-2');
  });
  afterAll(async () => {
    redis?.disconnect();
    await started?.stop();
  });
  const store = (model: Buffer, device = 'CPU') => redis.call('AI.MODELSTORE', 'm', 'ONNX', device, 'BLOB', model);
  const run = (...words: string[]) => redis.call('AI.MODELRUN', 'm', 'INPUTS', ...words);

  test('run in a worker', async () => {
    expect(await store(modelFile('double'))).toBe('OK');
    expect(await run('x', 'OUTPUTS', 'y')).toBe('OK');
    expect(await redis.call('AI.TENSORGET', 'y', 'VALUES')).toEqual(['3', '-4']);
    expect(String(await redis.info('ai_workers'))).toMatch(
      /ai_worker_0:pid=\d+,backend=ONNX,device=CPU,framework=onnxruntime,version=[\d.]+,.*models=1,runs=1,/,
    );
  });

  test('are refused as on a thread of the store', async () => {
    await expect(store(modelFile('double').subarray(0, 60))).rejects.toThrow('protobuf parsing failed');
    await expect(store(modelFile('external'))).rejects.toThrow('external data is not allowed');
    await expect(store(modelFile('double'), 'GPU')).rejects.toThrow(/^ERR GPU requested but ONNX couldn't/);
    await store(modelFile('half'));
    await redis.call('AI.TENSORSET', 'v', 'FLOAT', '2', 'VALUES', '1', '2');
    await expect(run('v', 'OUTPUTS', 'y')).rejects.toThrow(/has the type float16, which no tensor/);
    await store(modelFile('double'));
    await redis.call('AI.TENSORSET', 'i', 'INT32', '1', '2', 'VALUES', '1', '2');
    await expect(run('i', 'OUTPUTS', 'y')).rejects.toThrow(/Unexpected input data type/);
  });
});
