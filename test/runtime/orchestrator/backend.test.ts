import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { negating, onMainThread } from './support/negating-backend.js';
import { modelFile, onnxRuntime, type Started, start } from './support/start.js';

describe('a backend that is registered beside the built-in ones', () => {
  let started: Started;
  let redis: Redis;
  beforeAll(async () => {
    started = await start({
      backends: negating,
      python: 'no-such-python',
      workerUrl: new URL('./support/negating-worker.ts', import.meta.url),
      executionTimeoutSeconds: 1,
    });
  });
  afterAll(() => started.stop());
  beforeEach(async () => {
    redis = new Redis(started.port);
    await redis.flushdb();
    await redis.call('AI.TENSORSET', 'x', 'FLOAT', '1', '2', 'VALUES', '1.5', '-2');
  });
  afterEach(() => redis.disconnect());

  const storeModel = (delayMs: string, ...options: string[]) =>
    redis.call('AI.MODELSTORE', 'm', 'TORCH', 'CPU', ...options, 'BLOB', delayMs);
  const run = (client = redis, input = 'x', output = 'y') =>
    client.call('AI.MODELRUN', 'm', 'INPUTS', input, 'OUTPUTS', output).then(
      (reply) => String(reply),
      (error: Error) => error.message,
    );
  const values = (key: string) => redis.call('AI.TENSORGET', key, 'VALUES');
  const runs = async () => Number(/ai_runs:(\d+)/.exec(await redis.info('ai_simwright'))?.[1]);

  test('runs its models, on a thread and then, since they are cheap, on the main thread', async () => {
    await storeModel('0');
    expect(await run()).toBe('OK');
    expect(await values('y')).toEqual(['-1.5', '2']);
    expect(onMainThread.runs).toBe(0);
    let count = 1;
    for (; onMainThread.runs === 0 && count < 5000; count += 1) expect(await run()).toBe('OK');
    expect(onMainThread.runs).toBe(1);
    expect(await values('y')).toEqual(['-1.5', '2']);
    const info = (await redis.call('AI.INFO', 'm')) as unknown[];
    expect(info.slice(4, 6)).toEqual(['backend', 'TORCH']);
    expect([info.at(-3), info.at(-1)]).toEqual([count, 0]);
  });

  test('has its requests joined, as ONNX models have', async () => {
    await storeModel('0', 'BATCHSIZE', '2', 'MINBATCHSIZE', '2');
    await redis.call('AI.TENSORSET', 'x2', 'FLOAT', '1', '2', 'VALUES', '3', '4');
    const other = new Redis(started.socketPath);
    const before = await runs();
    expect(await Promise.all([run(), run(other, 'x2', 'y2')])).toEqual(['OK', 'OK']);
    other.disconnect();
    expect((await runs()) - before).toBe(1);
    expect([await values('y'), await values('y2')]).toEqual([
      ['-1.5', '2'],
      ['-3', '-4'],
    ]);
  });

  test('says in its own words what it refuses', async () => {
    await expect(storeModel('no number')).rejects.toThrow('Not a number');
    await storeModel('0');
    await redis.call('AI.TENSORSET', 'x', 'INT32', '1', 'VALUES', '7');
    expect(await run()).toBe('It negates FLOAT, not INT32');
  });

  test('has a run ended that takes too long', async () => {
    await storeModel('5000');
    expect(await run()).toMatch(/^ERR Exiting due to terminate flag being set to true: .* of 1000 ms$/);
    await storeModel('0');
    expect(await run()).toBe('OK');
  });

  test.skipIf(onnxRuntime === undefined)('is a step of a DAG beside an ONNX model', async () => {
    await storeModel('0');
    await redis.call('AI.MODELSTORE', 'twice', 'ONNX', 'CPU', 'BLOB', modelFile('double'));
    const [, , result] = (await redis.call(
      ...(['AI.DAGEXECUTE', 'LOAD', '1', 'x', '|>'] as const),
      ...['AI.MODELEXECUTE', 'm', 'INPUTS', '1', 'x', 'OUTPUTS', '1', 'y', '|>'],
      ...['AI.MODELEXECUTE', 'twice', 'INPUTS', '1', 'y', 'OUTPUTS', '1', 'z', '|>'],
      ...['AI.TENSORGET', 'z', 'VALUES'],
    )) as unknown[];
    expect(result).toEqual(['-3', '4']);
  });

  test('does not stand for those that nobody has registered', async () => {
    await expect(redis.call('AI.MODELSTORE', 'm', 'TFLITE', 'CPU', 'BLOB', '0')).rejects.toThrow(
      'ERR Could not load backend: workers need Python ≥ 3.8, and there is no program no-such-python',
    );
  });
});
