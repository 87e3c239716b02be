import { readFileSync } from 'node:fs';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeModels, pythonWith, soon } from '../support/frameworks.js';
import { type Started, start } from '../support/start.js';

const found = await pythonWith('TORCH');
const missing = 'missing' in found ? found.missing : '';
const python = 'python' in found ? found.python : '';

let started: Started | undefined;
let redis: Redis;
let file: ((name: string) => Buffer) | undefined;
const logged: string[] = [];
/** Opens a store with small models of PyTorch. */
async function open(options: Parameters<typeof start>[0]): Promise<void> {
  file ??= await makeModels(python, 'torch');
  const log = (_level: string, message: string) => logged.push(message);
  started = await start({ python, preloadBackends: ['TORCH'], intraOpThreads: 1, log, ...options });
  redis = new Redis(started.port);
  await redis.call('AI.TENSORSET', 'x', 'FLOAT', '2', '2', 'VALUES', '1', '2', '3', '4');
  for (const seconds of [0, 60]) await redis.call('AI.TENSORSET', `s${seconds}`, 'FLOAT', '1', 'VALUES', `${seconds}`);
  for (const name of ['net', 'sum', 'slow', 'huge']) {
    await redis.call('AI.MODELSTORE', name, 'TORCH', 'CPU', 'BLOB', file(`${name}.pt`));
  }
}

async function close(): Promise<void> {
  redis?.disconnect();
  await started?.stop();
}

const run = (model: string, input: string, client = redis) =>
  client.call('AI.MODELEXECUTE', model, 'INPUTS', '1', input, 'OUTPUTS', '1', 'out').then(
    (reply) => String(reply),
    (error: Error) => error.message,
  );
const worker = async () => {
  const text = /ai_worker_0:(.*)\r/.exec(await redis.info('ai_workers'))?.[1] ?? '';
  return Object.fromEntries(text.split(',').map((pair) => pair.split('='))) as Record<string, string>;
};
const processor = (pid: string) => Number(readFileSync(`/proc/${pid}/stat`, 'latin1').split(' ')[13]);
const isAlive = (pid: number) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

describe.skipIf(missing !== '')(`a worker ${missing}`, () => {
  beforeAll(() => open({}));
  afterAll(close);

  test('is told of by INFO, MEMORY and AI.INFO', async () => {
    expect(await run('sum', 'x')).toBe('OK');
    const { pid, backend, framework, version, models, resident_bytes } = await worker();
    expect([backend, framework, models]).toEqual(['TORCH', 'torch', '4']);
    expect(Number(resident_bytes)).toBeGreaterThan(50e6);
    const all = await redis.info('everything');
    expect(all).toContain(`ai_libtorch_version:${version}`);
    expect(Number(/used_memory_workers_rss:(\d+)/.exec(all)?.[1])).toBeGreaterThan(50e6);
    expect(await redis.call('MEMORY', 'STATS')).toEqual(expect.arrayContaining(['workers.count', 1]));
    const info = (await redis.call('AI.INFO', 'sum')) as unknown[];
    expect(info.slice(-2)).toEqual(['worker', expect.stringContaining(`pid=${pid},backend=TORCH`)]);
    expect(logged.join('\n')).toContain(`TORCH worker ${pid} on CPU runs torch ${version}`);
  });

  test('that is killed in a run fails that run alone; those that wait go on with another', async () => {
    const { pid = '' } = await worker();
    const others = [new Redis(started?.port ?? 0), new Redis(started?.port ?? 0), new Redis(started?.port ?? 0)];
    const before = processor(pid);
    const long = run('slow', 's60', others[0]);
    expect(await soon(() => processor(pid) > before + 10)).toBe(true);
    const waiting = [run('sum', 'x', others[1]), run('sum', 'x', others[2])];
    process.kill(Number(pid), 'SIGKILL');
    expect(await long).toMatch(
      new RegExp(`^ERR the TORCH worker \\(process ${pid}\\) has ended: it was killed by SIGKILL`),
    );
    expect(await Promise.all(waiting)).toEqual(['OK', 'OK']);
    expect(await redis.call('AI.TENSORGET', 'out', 'VALUES')).toEqual(['1.5', '3.5']);
    expect((await worker())['pid']).not.toBe(pid);
    for (const client of others) client.disconnect();
  });

  test('that dies while it is idle is started again before somebody asks', async () => {
    const { pid = '' } = await worker();
    process.kill(Number(pid), 'SIGKILL');
    expect(await soon(async () => !['', pid, undefined].includes((await worker())['pid']), 60_000)).toBe(true);
    expect(await run('sum', 'x')).toBe('OK');
  });

  test('refuses more memory than there is, and goes on', async () => {
    const { pid } = await worker();
    await redis.call('AI.TENSORSET', 'much', 'FLOAT', '1', 'VALUES', '1000000');
    expect(await run('huge', 'much')).toMatch(/allocate|memory/);
    expect(await run('sum', 'x')).toBe('OK');
    expect((await worker())['pid']).toBe(pid);
  });

  test('gives memory back: 1,000 models stored and deleted', async () => {
    const model = file?.('sum.pt') as Buffer;
    const cycle = async (count: number) => {
      for (let index = 0; index < count; index += 1) {
        await redis.call('AI.MODELSTORE', `m${index % 7}`, 'TORCH', 'CPU', 'BLOB', model);
        await redis.call('AI.MODELDEL', `m${index % 7}`);
      }
    };
    await cycle(100);
    const before = await worker();
    await cycle(1000);
    const after = await worker();
    expect([after['pid'], after['models']]).toEqual([before['pid'], before['models']]);
    expect(Number(after['resident_bytes']) - Number(before['resident_bytes'])).toBeLessThan(8e6);
  });
});

describe.skipIf(missing !== '')(`a worker of a store with a short execution time-out ${missing}`, () => {
  beforeAll(() => open({ executionTimeoutSeconds: 2 }));
  afterAll(close);

  test('is killed when a run takes too long', async () => {
    const { pid = '' } = await worker();
    expect(await run('slow', 's60')).toBe(
      'ERR Exiting due to terminate flag being set to true: the model ran longer than the execution time-out of 2000 ms',
    );
    expect(await soon(() => !isAlive(Number(pid)))).toBe(true);
    expect(await run('slow', 's0')).toBe('OK');
  });

  test('that a signal stops is killed, too', async () => {
    expect(await run('sum', 'x')).toBe('OK');
    const { pid = '' } = await worker();
    process.kill(Number(pid), 'SIGSTOP');
    expect(await run('sum', 'x')).toContain('longer than the execution time-out of 2000 ms');
    // Loading has a limit of its own.
    expect(await soon(async () => (await worker())['framework'] === 'torch', 60_000)).toBe(true);
    const { pid: next = '' } = await worker();
    process.kill(Number(next), 'SIGSTOP');
    expect(await run('sum', 'x')).toBe(
      'ERR Exiting due to terminate flag being set to true: loading took longer than 10000 ms',
    );
    expect(await run('sum', 'x')).toBe('OK');
  });
});
