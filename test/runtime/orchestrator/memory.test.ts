import { Redis } from 'ioredis';
import { afterEach, describe, expect, test } from 'vitest';
import { memoryInUse } from './support/memory-in-use.js';
import { encode, RawClient } from './support/raw-client.js';
import { modelFile, onnxRuntime, type Started, start } from './support/start.js';

const mib = 1024 * 1024;
const open: { started?: Started; clients: RawClient[]; redis: Redis[] } = { clients: [], redis: [] };

afterEach(async () => {
  for (const client of open.clients.splice(0)) client.destroy();
  for (const redis of open.redis.splice(0)) redis.disconnect();
  await open.started?.stop();
});

async function begin(options: Parameters<typeof start>[0] = {}) {
  open.started = await start(options);
  const { port } = open.started;
  const redis = new Redis(port);
  open.redis.push(redis);
  return {
    redis,
    connect: async () => {
      const client = await RawClient.connect({ port });
      open.clients.push(client);
      return client;
    },
  };
}

const tensor = (key: string, bytes: number, fill: number) =>
  encode('AI.TENSORSET', key, 'INT8', String(bytes), 'BLOB', Buffer.alloc(bytes, fill));

test('a tensor that a client is reading is not touched when it is overwritten and its memory used again', async () => {
  const { redis, connect } = await begin();
  const bytes = 16 * mib;
  const reader = await connect();
  await redis.call('AI.TENSORSET', 't', 'INT8', String(bytes), 'BLOB', Buffer.alloc(bytes, 1));
  await reader.write(encode('AI.TENSORGET', 't', 'BLOB'));
  const head = Buffer.from(`$${bytes}\r\n`);
  expect(await reader.read(head.length)).toEqual(head);
  for (let round = 2; round < 8; round += 1) {
    await redis.call('AI.TENSORSET', 't', 'INT8', String(bytes), 'BLOB', Buffer.alloc(bytes, round));
  }
  expect((await reader.read(bytes)).equals(Buffer.alloc(bytes, 1))).toBe(true);
  const last = (await redis.callBuffer('AI.TENSORGET', 't', 'BLOB')) as Buffer;
  expect(last.equals(Buffer.alloc(bytes, 7))).toBe(true);
});

test.each([1024, 10_000, 40_000, 100_000, 3 * mib])(
  'tensors of %i bytes that take turns in the same memory keep their values',
  async (bytes) => {
    const { redis } = await begin();
    const others = Array.from({ length: 4 }, () => redis.duplicate());
    open.redis.push(...others);
    const work = async (client: Redis, seed: number) => {
      for (let round = 0; round < 20; round += 1) {
        const data = Buffer.alloc(bytes, seed * 20 + round);
        await client.call('AI.TENSORSET', `t${seed}`, 'INT8', String(bytes), 'BLOB', data);
        const [, back] = await Promise.all([
          redis.call('AI.TENSORSET', 'shared', 'INT8', String(bytes), 'BLOB', data),
          client.callBuffer('AI.TENSORGET', `t${seed}`, 'BLOB'),
        ]);
        expect(data.equals(back as Buffer)).toBe(true);
        const shared = (await client.callBuffer('AI.TENSORGET', 'shared', 'BLOB')) as Buffer;
        expect(shared.equals(Buffer.alloc(bytes, shared[0]))).toBe(true);
      }
    };
    await Promise.all(others.map(work));
  },
);

describe.skipIf(onnxRuntime === undefined)('a client whose request takes long', () => {
  test('is not read from beyond what may wait', async () => {
    const { redis, connect } = await begin({ intraOpThreads: 1 });
    await redis.call('AI.MODELSTORE', 'slow', 'ONNX', 'CPU', 'BLOB', modelFile('slow'));
    await redis.call('AI.TENSORSET', 'x', 'FLOAT', '256', '256');
    await redis.call('AI.TENSORSET', 'rounds', 'INT64', '1', 'VALUES', '4000');
    const client = await connect();
    const events: string[] = [];
    await client.write(encode('CLIENT', 'ID'));
    await client.read(1);
    await client.write(encode('AI.MODELEXECUTE', 'slow', 'INPUTS', '2', 'rounds', 'x', 'OUTPUTS', '1', 'y'));
    const sent = client.write(tensor('large', 64 * mib, 5)).then(() => events.push('all was taken'));
    while ((await redis.exists('y')) === 0) await redis.ping();
    events.push('the run ended');
    await sent;
    expect(events).toEqual(['the run ended', 'all was taken']);
    while ((await redis.exists('large')) === 0) await redis.ping();
    const large = (await redis.callBuffer('AI.TENSORGET', 'large', 'BLOB')) as Buffer;
    expect(large.equals(Buffer.alloc(64 * mib, 5))).toBe(true);
  });
});

test('large requests that together do not fit are read past and refused, whole and in order', async () => {
  const { redis, connect } = await begin({ maxMemoryBytes: 40 * mib });
  const [first, second] = [await connect(), await connect()];
  const request = tensor('t', 24 * mib, 1);
  const half = request.length / 2;
  await first.write(request.subarray(0, half));
  const received = async () => Number(/total_commands_processed:(\d+)/.exec(await redis.info('stats'))?.[1]);
  await received();
  await second.write(Buffer.concat([tensor('u', 24 * mib, 2), encode('PING')]));
  const text = "-OOM command not allowed when used memory > 'maxmemory'.\r\n+PONG\r\n";
  expect((await second.read(text.length)).toString()).toBe(text);
  await first.write(request.subarray(half));
  expect((await first.read(5)).toString()).toBe('+OK\r\n');
  expect(await redis.exists('t', 'u')).toBe(1);
  await redis.del('t');
  await second.write(tensor('u', 24 * mib, 2));
  expect((await second.read(5)).toString()).toBe('+OK\r\n');
});

test('memory set aside for a client that leaves in the middle is there for others', async () => {
  const { redis, connect } = await begin({ maxMemoryBytes: 40 * mib });
  const leaving = await connect();
  await leaving.write(tensor('t', 24 * mib, 1).subarray(0, 12 * mib));
  leaving.destroy();
  while (!/connected_clients:1\r/.test(await redis.info('clients'))) await redis.ping();
  const client = await connect();
  await client.write(tensor('u', 24 * mib, 2));
  expect((await client.read(5)).toString()).toBe('+OK\r\n');
});

test.each(['FLUSHALL', 'UNLINK'])(
  'a scan that nobody goes on with keeps no memory of keys after %s',
  async (removal) => {
    const { redis } = await begin();
    const keys = Array.from({ length: 1000 }, (_, key) => `key${key}`);
    const field = Buffer.alloc(900, 'v');
    await redis.hset('first', { field });
    const before = await memoryInUse();
    for (let round = 0; round < 30; round += 1) {
      await Promise.all(keys.map((key) => redis.hset(`${round}${key}`, { field })));
      expect((await redis.scan('0'))[0]).not.toBe('0');
      await (removal === 'FLUSHALL' ? redis.flushall() : redis.unlink(keys.map((key) => `${round}${key}`)));
    }
    expect(open.started?.orchestrator.stats().usedBytes).toBeLessThan(4096);
    expect(await memoryInUse()).toBeLessThan(before + 8 * mib);
  },
);

describe.skipIf(onnxRuntime === undefined)('devices that others stand in for', () => {
  test('run models that are meant for them', async () => {
    const { redis } = await begin({ mapDevice: { 'gpu:0': 'cpu' } });
    await redis.call('AI.MODELSTORE', 'm', 'ONNX', 'GPU', 'BLOB', modelFile('double'));
    await redis.call('AI.TENSORSET', 'x', 'FLOAT', '1', '2', 'VALUES', '1', '2');
    expect(await redis.call('AI.MODELEXECUTE', 'm', 'INPUTS', '1', 'x', 'OUTPUTS', '1', 'y')).toBe('OK');
    expect(await redis.call('AI.MODELGET', 'm', 'META')).toEqual(expect.arrayContaining(['device', 'GPU']));
    await expect(redis.call('AI.MODELSTORE', 'n', 'ONNX', 'GPU:1', 'BLOB', modelFile('double'))).rejects.toThrow(
      "GPU requested but ONNX couldn't find CUDA",
    );
  });

  test('must be devices', async () => {
    await expect(start({ mapDevice: { 'GPU:0': 'TPU' } })).rejects.toThrow('the device map GPU:0=TPU names no devices');
  });
});
