import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { createClient as createClient5, WatchError as WatchError5 } from 'redis5';
import { createClient as createClient6, WatchError as WatchError6 } from 'redis6';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { clientPackages, packagesPath, runPython, smartredisPython } from './support/python.js';
import { modelFile, onnxRuntime, type Started, start } from './support/start.js';

const found = await smartredisPython();
const python = 'python' in found ? found.python : '';
const why = 'missing' in found ? `no Python: ${found.missing}` : onnxRuntime === undefined ? 'no onnxruntime-node' : '';
const slowModel = fileURLToPath(new URL('./models/slow.onnx', import.meta.url));
const inTransaction = 'ERR Cannot run RedisAI command within a transaction or a LUA script';
/** The model keeps a core busy for so many rounds, which take well over 300 ms. */
const rounds = '4000';
const run = ['AI.MODELEXECUTE', 'slow', 'INPUTS', '2', 'rounds', 'x', 'OUTPUTS', '1', 'y'] as const;

let started: Started;
beforeAll(async () => {
  started = await start({ intraOpThreads: 1 });
});
afterAll(() => started.stop());

describe.skipIf(why !== '')(`Python clients at their defaults${why === '' ? '' : ` (skipped: ${why})`}`, () => {
  const names = Object.keys(clientPackages) as (keyof typeof clientPackages)[];
  test.each(names)('%s', { timeout: 180_000 }, async (name) => {
    const isRedisAI = name === 'redisai-py';
    const script = isRedisAI ? 'redisai_py_client.py' : 'redis_py_client.py';
    const words = isRedisAI
      ? [String(started.port), slowModel]
      : [name.slice(-1), String(started.port), started.socketPath, slowModel];
    expect(await runPython(python, script, words, { PYTHONPATH: await packagesPath(python, name) })).toContain('used');
  });
});

/** Stores the model that takes long and its inputs. */
async function prepare(call: (...words: (string | Buffer)[]) => Promise<unknown>): Promise<void> {
  await call('FLUSHALL');
  await call('AI.TENSORSET', 'x', 'FLOAT', '256', '256');
  await call('AI.TENSORSET', 'rounds', 'INT64', '1', 'VALUES', rounds);
  expect(await call('AI.MODELSTORE', 'slow', 'ONNX', 'CPU', 'BLOB', modelFile('slow'))).toBe('OK');
}

describe.each([
  ['node-redis 5', createClient5, WatchError5],
  ['node-redis 6', createClient6 as unknown as typeof createClient5, WatchError6],
] as const)('%s at its defaults', (_name, createClient, WatchError) => {
  let client: ReturnType<typeof createClient>;
  beforeEach(async () => {
    client = createClient({ url: `redis://127.0.0.1:${started.port}` });
    await client.connect();
    await client.flushAll();
    return () => client.destroy();
  });

  test('keys, hashes and lists', async () => {
    expect(await client.ping()).toBe('PONG');
    await client.set('key', 'value', { EX: 100 });
    expect(await client.get('key')).toBe('value');
    expect(await client.hSet('hash', { a: '1', b: '2' })).toBe(2);
    expect({ ...(await client.hGetAll('hash')) }).toEqual({ a: '1', b: '2' });
    expect(await client.hIncrBy('hash', 'a', 5)).toBe(6);
    expect(await client.rPush('list', ['x', 'y'])).toBe(2);
    expect(await client.lMove('list', 'other', 'LEFT', 'RIGHT')).toBe('x');
    expect(await client.get('missing')).toBe(null);
    expect({ ...(await client.configGet('maxmemory-policy')) }).toEqual({ 'maxmemory-policy': 'noeviction' });
    expect(await client.info('server')).toContain('redis_version:7.0.15');
    const keys: string[] = [];
    for await (const page of client.scanIterator()) keys.push(...page);
    expect(keys.sort()).toEqual(['hash', 'key', 'list', 'other']);
  });

  test('transactions', async () => {
    expect(await client.multi().set('n', '1').incr('n').exec()).toEqual(['OK', 2]);
    const other = client.duplicate();
    await other.connect();
    await client.watch('n');
    await other.set('n', '5');
    await expect(client.multi().set('n', '6').exec()).rejects.toThrow(WatchError);
    other.destroy();
    expect(await client.get('n')).toBe('5');
    await client.sendCommand(['MULTI']);
    await client.sendCommand(['SET', 'with', 'it']);
    expect(await client.sendCommand([...run])).toBe('QUEUED');
    expect(await client.sendCommand(['EXEC'])).toMatchObject(['OK', { message: inTransaction }]);
    expect(await client.get('with')).toBe('it');
  });

  test('waiting for a list', async () => {
    const other = client.duplicate();
    await other.connect();
    const popped = client.blPop('queue', 20);
    await expect.poll(() => other.info('clients')).toContain('blocked_clients:1');
    expect(await other.rPush('queue', 'late')).toBe(1);
    expect({ ...(await popped) }).toEqual({ key: 'queue', element: 'late' });
    expect(await client.blPop('queue', 0.01)).toBe(null);
    other.destroy();
  });

  test.skipIf(onnxRuntime === undefined)('models, whose answers come late', async () => {
    await prepare((...words) => client.sendCommand(words));
    expect(await client.sendCommand([...run])).toBe('OK');
  });
});

describe('ioredis at its defaults', () => {
  test('keys, transactions, waiting and models', async () => {
    const redis = new Redis(started.port);
    await redis.flushall();
    await redis.hset('hash', { a: '1' });
    expect(await redis.hgetall('hash')).toEqual({ a: '1' });
    expect(await redis.config('GET', 'maxmemory')).toEqual(['maxmemory', '0']);
    expect(await redis.multi().set('n', '1').incr('n').exec()).toEqual([
      [null, 'OK'],
      [null, 2],
    ]);
    const waiting = new Redis(started.port);
    const popped = waiting.blpop('queue', 20);
    await expect.poll(() => redis.info('clients')).toContain('blocked_clients:1');
    await redis.rpush('queue', 'late');
    expect(await popped).toEqual(['queue', 'late']);
    waiting.disconnect();
    const monitor = await redis.monitor();
    const seen = new Promise((resolve) => monitor.on('monitor', (_time: string, words: string[]) => resolve(words)));
    await redis.set('seen', 'x');
    expect(await seen).toEqual(['set', 'seen', 'x']);
    monitor.disconnect();
    if (onnxRuntime !== undefined) {
      await prepare((command, ...words) => redis.call(String(command), ...words));
      expect(await redis.call(run[0], ...run.slice(1))).toBe('OK');
    }
    redis.disconnect();
  });

  test('as a cluster of one', async () => {
    const { Cluster } = await import('ioredis');
    const cluster = new Cluster([{ host: '127.0.0.1', port: started.port }]);
    expect(await cluster.set('in', 'a cluster')).toBe('OK');
    expect(await cluster.get('in')).toBe('a cluster');
    cluster.disconnect();
  });
});
