import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { oneOperator } from './support/onnx.js';
import { modelFile, onnxRuntime, type Started, start } from './support/start.js';

describe.skipIf(onnxRuntime === undefined)('batches', () => {
  let started: Started;
  let redis: Redis;
  let clients: Redis[];
  beforeAll(async () => {
    started = await start({ intraOpThreads: 1 });
  });
  afterAll(() => started.stop());
  beforeEach(async () => {
    redis = new Redis(started.port);
    clients = Array.from({ length: 6 }, () => new Redis(started.socketPath));
    await redis.flushdb();
  });
  afterEach(() => {
    for (const client of [redis, ...clients]) client.disconnect();
  });

  const storeModel = (model: Buffer, ...batch: string[]) =>
    redis.call('AI.MODELSTORE', 'm', 'ONNX', 'CPU', ...batch, 'BLOB', model);
  const put = (key: string, shape: number[], values: number[]) =>
    redis.call('AI.TENSORSET', key, 'FLOAT', ...shape.map(String), 'VALUES', ...values.map(String));
  const execute = (client: Redis | undefined, input: string, output: string, ...more: string[]) =>
    (client as Redis).call('AI.MODELEXECUTE', 'm', 'INPUTS', '1', input, 'OUTPUTS', '1', output, ...more).then(
      (reply) => String(reply),
      (error: Error) => error.message,
    );
  const values = async (key: string) => ((await redis.call('AI.TENSORGET', key, 'VALUES')) as string[]).map(Number);
  const runs = async () => Number(/ai_runs:(\d+)/.exec(await redis.info('ai_simwright'))?.[1]);
  const statistics = async () => {
    const info = (await redis.call('AI.INFO', 'm')) as unknown[];
    return Object.fromEntries(['samples', 'calls', 'errors'].map((name) => [name, info[info.indexOf(name) + 1]]));
  };
  /** Resolves when the store has begun to work on so many requests more. */
  const begun = async (requests: number, ask: () => Promise<unknown>[]) => {
    const count = async () => Number(/total_commands_processed:(\d+)/.exec(await redis.info('stats'))?.[1]);
    const before = await count();
    const replies = ask();
    for (let looks = 1; (await count()) - before - looks < requests; ) looks += 1;
    return replies;
  };

  test('join requests of several clients until BATCHSIZE is reached, and cut the result', async () => {
    await storeModel(modelFile('double'), 'BATCHSIZE', '4', 'MINBATCHSIZE', '4');
    for (let index = 0; index < 4; index += 1) await put(`x${index}`, [1, 2], [index, -1]);
    const before = await runs();
    const replies = clients.slice(0, 4).map((client, index) => execute(client, `x${index}`, `y${index}`));
    expect(await Promise.all(replies)).toEqual(['OK', 'OK', 'OK', 'OK']);
    expect((await runs()) - before).toBe(1);
    for (let index = 0; index < 4; index += 1) {
      expect(await values(`y${index}`)).toEqual([2 * index, -2]);
      expect(await redis.call('AI.TENSORGET', `y${index}`, 'META')).toEqual(['dtype', 'FLOAT', 'shape', [1, 2]]);
    }
    expect(await statistics()).toEqual({ samples: 4, calls: 4, errors: 0 });
  });

  test('may overshoot with the last one, and are as long as their sizes say', async () => {
    await storeModel(modelFile('double'), 'BATCHSIZE', '4', 'MINBATCHSIZE', '4');
    await put('three', [3, 2], [1, 2, 3, 4, 5, 6]);
    await put('two', [2, 2], [7, 8, 9, 10]);
    const before = await runs();
    expect(await Promise.all([execute(clients[0], 'three', 'a'), execute(clients[1], 'two', 'b')])).toEqual([
      'OK',
      'OK',
    ]);
    expect((await runs()) - before).toBe(1);
    expect(await values('a')).toEqual([2, 4, 6, 8, 10, 12]);
    expect(await values('b')).toEqual([14, 16, 18, 20]);
  });

  test('leave a request of BATCHSIZE or more alone, unless a smaller one waits for company', async () => {
    await storeModel(modelFile('double'), 'BATCHSIZE', '2', 'MINBATCHSIZE', '2');
    await put('one', [1, 2], [1, 2]);
    await put('two', [2, 2], [1, 2, 3, 4]);
    const before = await runs();
    expect(await execute(clients[0], 'two', 'a')).toBe('OK');
    expect((await runs()) - before).toBe(1);
    const [waiting] = await begun(1, () => [execute(clients[1], 'one', 'b')]);
    expect(await redis.exists('b')).toBe(0);
    expect(await execute(clients[2], 'two', 'c')).toBe('OK');
    expect(await waiting).toBe('OK');
    expect((await runs()) - before).toBe(2);
  });

  test('join only inputs that differ in dimension 0 alone', async () => {
    await storeModel(modelFile('double'), 'BATCHSIZE', '2', 'MINBATCHSIZE', '2');
    await put('good', [1, 2], [1, 2]);
    await put('bad', [1, 3], [1, 2, 3]);
    const [first, second] = await begun(2, () => [execute(clients[0], 'good', 'a'), execute(clients[1], 'bad', 'b')]);
    expect(await execute(clients[2], 'good', 'c')).toBe('OK');
    expect(await first).toBe('OK');
    expect(await execute(clients[3], 'bad', 'd')).toContain('Got: 3 Expected: 2');
    expect(await second).toContain('Got: 3 Expected: 2');
    expect(await statistics()).toEqual({ samples: 2, calls: 4, errors: 2 });
  });

  test('without enough requests run after MINBATCHTIMEOUT with what is there', async () => {
    await storeModel(modelFile('double'), 'BATCHSIZE', '8', 'MINBATCHSIZE', '8', 'MINBATCHTIMEOUT', '30');
    await put('x', [1, 2], [1, 2]);
    expect(await execute(clients[0], 'x', 'y')).toBe('OK');
    expect(await values('y')).toEqual([2, 4]);
  });

  test('that never fill fail by TIMEOUT, and are run when their model is deleted', async () => {
    await storeModel(modelFile('double'), 'BATCHSIZE', '8', 'MINBATCHSIZE', '8');
    await put('x', [1, 2], [1, 2]);
    expect(await execute(clients[0], 'x', 'y', 'TIMEOUT', '20')).toMatch(/^TIMEDOUT /);
    const [waiting] = await begun(1, () => [execute(clients[1], 'x', 'z')]);
    expect(await redis.call('AI.MODELDEL', 'm')).toBe('OK');
    expect(await waiting).toBe('OK');
    expect(await values('z')).toEqual([2, 4]);
  });

  test('whose outputs are not as long as the batch fail for everybody', async () => {
    await storeModel(oneOperator('Shape', 7, [2]), 'BATCHSIZE', '3', 'MINBATCHSIZE', '3');
    await put('x', [1, 2], [1, 2]);
    const replies = clients.slice(0, 3).map((client, index) => execute(client, 'x', `y${index}`));
    const text = 'ERR Model did not generate the expected batch size';
    expect(await Promise.all(replies)).toEqual([text, text, text]);
    expect(await statistics()).toEqual({ samples: 0, calls: 3, errors: 3 });
    expect(await redis.exists('y0', 'y1', 'y2')).toBe(0);
  });

  test('of large tensors keep their values', async () => {
    await storeModel(modelFile('double'), 'BATCHSIZE', '3000000', 'MINBATCHSIZE', '3000000');
    const rows = 1_000_000;
    const data = [1, 2, 3].map((seed) => Float32Array.from({ length: rows * 2 }, (_, index) => seed * (index % 1000)));
    for (const [index, floats] of data.entries()) {
      await redis.call('AI.TENSORSET', `x${index}`, 'FLOAT', String(rows), '2', 'BLOB', Buffer.from(floats.buffer));
    }
    const replies = data.map((_, index) => execute(clients[index], `x${index}`, `y${index}`));
    expect(await Promise.all(replies)).toEqual(['OK', 'OK', 'OK']);
    for (const [index, floats] of data.entries()) {
      const doubled = (await redis.callBuffer('AI.TENSORGET', `y${index}`, 'BLOB')) as Buffer;
      expect(Buffer.compare(doubled, Buffer.from(floats.map((float) => 2 * float).buffer))).toBe(0);
      const input = (await redis.callBuffer('AI.TENSORGET', `x${index}`, 'BLOB')) as Buffer;
      expect(Buffer.compare(input, Buffer.from(floats.buffer))).toBe(0);
    }
  });

  test('form behind a run that takes long, also of models without a minimum', async () => {
    await redis.call('AI.MODELSTORE', 'slow', 'ONNX', 'CPU', 'BLOB', modelFile('slow'));
    await redis.call('AI.TENSORSET', 'field', 'FLOAT', '256', '256');
    await redis.call('AI.TENSORSET', 'rounds', 'INT64', '1', 'VALUES', '4000');
    await storeModel(modelFile('double'), 'BATCHSIZE', '4');
    for (let index = 0; index < 5; index += 1) await put(`x${index}`, [1, 2], [index, 1]);
    const before = await runs();
    const replies = await begun(6, () => [
      redis.duplicate().call('AI.MODELEXECUTE', 'slow', 'INPUTS', '2', 'rounds', 'field', 'OUTPUTS', '1', 'out'),
      ...Array.from({ length: 5 }, (_, index) => execute(clients[index], `x${index}`, `y${index}`)),
    ]);
    expect(await redis.exists('out')).toBe(0);
    expect(await Promise.all(replies)).toEqual(['OK', 'OK', 'OK', 'OK', 'OK', 'OK']);
    expect((await runs()) - before).toBe(3);
    for (let index = 0; index < 5; index += 1) expect(await values(`y${index}`)).toEqual([2 * index, 2]);
  });

  test('of cheap models are run on the main thread, past a long run that has the only other one', async () => {
    await redis.del('out');
    await storeModel(modelFile('double'), 'BATCHSIZE', '4');
    for (let index = 0; index < 4; index += 1) await put(`x${index}`, [1, 2], [index, 1]);
    for (let round = 0; round < 200; round += 1) await execute(clients[0], 'x1', 'y');
    await redis.call('AI.MODELSTORE', 'slow', 'ONNX', 'CPU', 'BLOB', modelFile('slow'));
    await redis.call('AI.TENSORSET', 'field', 'FLOAT', '256', '256');
    await redis.call('AI.TENSORSET', 'rounds', 'INT64', '1', 'VALUES', '4000');
    const [slow] = await begun(1, () => [
      (clients[5] as Redis).call('AI.MODELEXECUTE', 'slow', 'INPUTS', '2', 'rounds', 'field', 'OUTPUTS', '1', 'out'),
    ]);
    const replies = clients.slice(0, 4).map((client, index) => execute(client, `x${index}`, `y${index}`));
    expect(await Promise.all(replies)).toEqual(['OK', 'OK', 'OK', 'OK']);
    expect(await redis.exists('out')).toBe(0);
    for (let index = 0; index < 4; index += 1) expect(await values(`y${index}`)).toEqual([2 * index, 2]);
    expect(await slow).toBe('OK');
  });
});
