import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeModels, pythonWith } from '../support/frameworks.js';
import { type Started, start } from '../support/start.js';

const found = await pythonWith('TORCH');
const missing = 'missing' in found ? found.missing : '';

describe.skipIf(missing !== '')(`PyTorch models in a worker ${missing}`, () => {
  let started: Started;
  let redis: Redis;
  let file: (name: string) => Buffer;
  beforeAll(async () => {
    if (!('python' in found)) return;
    file = await makeModels(found.python, 'torch');
    started = await start({ python: found.python, preloadBackends: ['TORCH'], intraOpThreads: 1, interOpThreads: 1 });
    redis = new Redis(started.port);
    await redis.call('AI.TENSORSET', 'x', 'FLOAT', '2', '2', 'VALUES', '1', '2', '3', '4');
    await redis.call('AI.TENSORSET', 'y', 'FLOAT', '2', '2', 'VALUES', '10', '20', '30', '40');
  }, 120_000);
  afterAll(async () => {
    redis?.disconnect();
    await started?.stop();
  });

  const store = (key: string, model: Buffer, ...options: string[]) =>
    redis.call('AI.MODELSTORE', key, 'TORCH', 'CPU', ...options, 'BLOB', model);
  const values = (key: string) => redis.call('AI.TENSORGET', key, 'VALUES');

  test.each(['net.pt', 'net.pt2'])('%s gives what PyTorch gives', async (name) => {
    expect(await store('net', file(name))).toBe('OK');
    expect(await redis.call('AI.MODELEXECUTE', 'net', 'INPUTS', '2', 'x', 'y', 'OUTPUTS', '2', 'a', 'b')).toBe('OK');
    expect(await values('a')).toEqual(['12', '24', '36', '48']);
    expect(await values('b')).toEqual(['11', '21', '31', '41']);
    const meta = (await redis.call('AI.MODELGET', 'net', 'META')) as unknown[];
    expect([meta[1], (meta[11] as unknown[]).length, (meta[13] as unknown[]).length]).toEqual(['TORCH', 2, 2]);
    await expect(redis.call('AI.MODELEXECUTE', 'net', 'INPUTS', '1', 'x', 'OUTPUTS', '2', 'a', 'b')).rejects.toThrow(
      'Number of keys given as INPUTS here does not match model definition',
    );
  });
});
