import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { runPython, smartredisPython } from './support/python.js';
import { encode, RawClient, rawReply } from './support/raw-client.js';
import { modelFile, onnxRuntime, type Started, start } from './support/start.js';

/** Rounds that keep one core busy for well over 300 ms. */
const rounds = 4000;
const found = await smartredisPython();
const python = 'python' in found ? found.python : '';

describe.skipIf(onnxRuntime === undefined)('answers that come late', () => {
  let started: Started;
  let redis: Redis;
  const open: RawClient[] = [];
  beforeAll(async () => {
    started = await start({ intraOpThreads: 1 });
  });
  afterAll(() => started.stop());
  beforeEach(async () => {
    redis = new Redis(started.port);
    await redis.flushdb();
    await redis.call('AI.MODELSTORE', 'slow', 'ONNX', 'CPU', 'BLOB', modelFile('slow'));
    await redis.call('AI.TENSORSET', 'x', 'FLOAT', '256', '256');
    await redis.call('AI.TENSORSET', 'rounds', 'INT64', '1', 'VALUES', String(rounds));
  });
  afterEach(() => {
    redis.disconnect();
    for (const client of open.splice(0)) client.destroy();
  });

  const words = ['AI.MODELEXECUTE', 'slow', 'INPUTS', '2', 'rounds', 'x', 'OUTPUTS', '1', 'y'];
  /** As SmartRedis sends it. */
  const smartredisWords = [...words, 'TIMEOUT', '60000000'];
  const quit = encode('QUIT');
  const connect = async () => {
    const client = await RawClient.connect({ port: started.port });
    open.push(client);
    return client;
  };
  const figure = async (section: string, name: string) =>
    Number(new RegExp(`${name}:(\\d+)`).exec(await redis.info(section))?.[1]);
  const calls = async () => {
    const info = (await redis.call('AI.INFO', 'slow')) as unknown[];
    return info[info.indexOf('calls') + 1];
  };
  /** Sends a request on a connection of its own that has introduced itself, waits until it is worked on, and leaves. */
  const askAndLeave = async (...request: string[]) => {
    const clients = await figure('clients', 'connected_clients');
    const client = await connect();
    await client.write(encode('CLIENT', 'SETNAME', 'impatient'));
    expect((await client.read(5)).toString()).toBe('+OK\r\n');
    const before = await figure('stats', 'total_commands_processed');
    await client.write(encode(...request));
    for (let looks = 1; (await figure('stats', 'total_commands_processed')) - before - looks < 1; ) looks += 1;
    client.destroy();
    while ((await figure('clients', 'connected_clients')) > clients) await redis.ping();
  };

  test('are nested in arrays that keep the client waiting', async () => {
    const client = await connect();
    await client.write(Buffer.concat([encode('PING'), encode(...smartredisWords), encode('EXISTS', 'y'), quit]));
    expect((await client.readToEnd()).toString()).toMatch(/^\+PONG\r\n(\*1\r\n)+\+OK\r\n:1\r\n\+OK\r\n$/);
  });

  test('are nested when they are errors too', async () => {
    const client = await connect();
    await client.write(Buffer.concat([encode(...smartredisWords), quit]));
    const [nested] = [await client.read(1)];
    await redis.set('y', 'no tensor');
    expect(nested.toString() + (await client.readToEnd()).toString()).toMatch(
      /^(\*1\r\n)+-WRONGTYPE [^\r\n]*\r\n\+OK\r\n$/,
    );
  });

  test('are nested for whatever SmartRedis sends once it is known, and where keys have its prefix', async () => {
    const client = await connect();
    await client.write(encode(...smartredisWords));
    expect((await rawReply(client)).replaceAll('*1\r\n', '')).toBe('+OK\r\n');
    await redis.call('AI.TENSORSET', 'rounds', 'INT64', '1', 'VALUES', String(rounds));
    await client.write(encode(...words));
    expect(await rawReply(client)).toMatch(/^(\*1\r\n)+\+OK\r\n$/);
    const clustered = await connect();
    await clustered.write(encode('AI.MODELEXECUTE', '{\0\0}.slow', ...words.slice(2)));
    expect(await rawReply(clustered)).toMatch(/^(\*1\r\n)+\+OK\r\n$/);
  });

  test.each([
    ['a TIMEOUT of its own', [...words, 'TIMEOUT', '100000']],
    ['no TIMEOUT', words],
  ])('are plain for others, who send %s', async (_what, request) => {
    const client = await connect();
    await client.write(Buffer.concat([encode('PING'), encode(...request), encode('EXISTS', 'y'), quit]));
    expect((await client.readToEnd()).toString()).toBe('+PONG\r\n+OK\r\n:1\r\n+OK\r\n');
  });

  test.each([['HELLO'], ['CLIENT', 'ID'], ['COMMAND', 'COUNT']])('are plain after %s', async (...introduction) => {
    const client = await connect();
    await client.write(Buffer.concat([encode(...introduction), encode(...smartredisWords), quit]));
    expect((await client.readToEnd()).toString('latin1')).toMatch(/[^*1]\r\n\+OK\r\n\+OK\r\n$/);
  });

  test('are plain where clients read them', async () => {
    const client = await connect();
    const running = redis.call(...(words as [string]));
    await client.write(Buffer.concat([encode('PING'), encode('AI.TENSORGET', 'x', 'META'), quit]));
    expect((await client.readToEnd()).toString()).toMatch(/^\+PONG\r\n\*4\r\n\$5\r\ndtype/);
    expect(await running).toBe('OK');
  });

  test('go to the client that sends the same again after it has given up', async () => {
    await askAndLeave(...words);
    expect(await redis.exists('y')).toBe(0);
    expect(await redis.call(...(words as [string]))).toBe('OK');
    expect(await calls()).toBe(1);
    expect(await redis.call(...(words as [string]))).toBe('OK');
    expect(await calls()).toBe(2);
  });

  test('are remembered for the client that gave up, as long as they are true', async () => {
    await askAndLeave(...words);
    while ((await redis.exists('y')) === 0) await redis.ping();
    expect(await redis.call(...(words as [string]))).toBe('OK');
    expect(await calls()).toBe(1);
    await askAndLeave(...words);
    while ((await calls()) !== 2) await redis.ping();
    await redis.del('y');
    expect(await redis.call(...(words as [string]))).toBe('OK');
    expect(await redis.exists('y')).toBe(1);
    expect(await calls()).toBe(3);
  });

  test('do not stand for a request with other inputs', async () => {
    await askAndLeave(...words);
    await redis.call('AI.TENSORSET', 'rounds', 'INT64', '1', 'VALUES', '1');
    expect(await redis.call(...(words as [string]))).toBe('OK');
    expect(await calls()).toBe(2);
  });

  test('are not needed for a model that is there already', async () => {
    const other = redis.duplicate();
    const running = redis.call(...(words as [string]));
    expect(await other.call('AI.MODELSTORE', 'slow', 'ONNX', 'CPU', 'BLOB', modelFile('slow'))).toBe('OK');
    expect(await other.exists('y')).toBe(0);
    expect(await running).toBe('OK');
    expect(await calls()).toBe(1);
    expect(await other.call('AI.MODELSTORE', 'slow', 'ONNX', 'CPU', 'TAG', 'new', 'BLOB', modelFile('slow'))).toBe(
      'OK',
    );
    expect(await calls()).toBe(0);
    expect(await other.call('AI.MODELGET', 'slow', 'META')).toEqual(expect.arrayContaining(['tag', 'new']));
    other.disconnect();
  });

  test.skipIf(python === '')(
    `reach the smartredis package at its default of 250 ms${python === '' ? ' (skipped: no smartredis)' : ''}`,
    async () => {
      await redis.call(...(words as [string]));
      const info = (await redis.call('AI.INFO', 'slow')) as unknown[];
      const seconds = Number(info[info.indexOf('duration') + 1]) / 1e6;
      const enough = Math.ceil((rounds * 2) / Math.min(1, seconds));
      await redis.call('AI.TENSORSET', 'rounds', 'INT64', '1', 'VALUES', String(enough));
      await redis.call('AI.INFO', 'slow', 'RESETSTAT');
      const model = fileURLToPath(new URL('./models/slow.onnx', import.meta.url));
      const address = started.orchestrator.addresses[0] ?? '';
      const output = await runPython(python, 'smartredis_slow.py', [model], {
        SSDB: address,
        SR_DB_TYPE: 'Standalone',
      });
      expect(output.trim().split('\n').at(-1)).toBe('ran');
      expect(await calls()).toBe(1);
      const after = (await redis.call('AI.INFO', 'slow')) as unknown[];
      expect(after[after.indexOf('duration') + 1]).toBeGreaterThan(1_000_000);
    },
  );
});
