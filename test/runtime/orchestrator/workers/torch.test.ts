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
    file = await makeModels(found.python, 'torch', 'exported');
    started = await start({ python: found.python, preloadBackends: ['TORCH'], intraOpThreads: 1, interOpThreads: 1 });
    redis = new Redis(started.port);
    await redis.call('AI.TENSORSET', 'x', 'FLOAT', '2', '2', 'VALUES', '1', '2', '3', '4');
    await redis.call('AI.TENSORSET', 'y', 'FLOAT', '2', '2', 'VALUES', '10', '20', '30', '40');
  });
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

  const execute = (inputs: readonly string[], outputs: readonly string[]) =>
    redis.call(
      ...(['AI.MODELEXECUTE', 'm', 'INPUTS', String(inputs.length), ...inputs] as const),
      ...['OUTPUTS', String(outputs.length), ...outputs],
    );

  test.each([
    [
      'pickled.pt',
      undefined,
      /is a pickle of torch\.save, which is not loaded, .* torch\.jit\.save, or torch\.export\.export/,
    ],
    ['old.pt', undefined, /is a pickle of torch\.save/],
    ['net.pt', 1000, /is a zip archive that is cut short or damaged/],
    ['net.pt2', 3000, /is a zip archive that is cut short or damaged/],
    ['net.pt', 0, /no TorchScript archive and no exported program/],
  ])('%s, of which %s bytes are left, is refused', async (name, length, text) => {
    await expect(store('bad', length === 0 ? Buffer.from('nothing') : file(name).subarray(0, length))).rejects.toThrow(
      text,
    );
  });

  test('an exported program that hides a pickle runs none of it', async () => {
    await expect(store('bad', file('evil.pt2'))).rejects.toThrow(
      'the exported program holds more than tensors: io.open',
    );
    expect(() => file('ran')).toThrow('ENOENT');
  });

  test.each([
    ['half', '1', /^output 1 has the type torch.float16, which no tensor of the store can hold/],
    ['bfloat16', '2', /^output 1 has the type torch.bfloat16/],
    ['complex', '3', /^output 1 has the type torch.complex64/],
  ])('outputs of the type %s are refused', async (_type, value, text) => {
    await store('m', file('types.pt'));
    await redis.call('AI.TENSORSET', 'v', 'FLOAT', '1', 'VALUES', value);
    await expect(execute(['v'], ['a'])).rejects.toThrow(text);
  });

  test('a model that returns a list may have any number of outputs, the right one in a run', async () => {
    await store('m', file('many.pt'));
    expect(await execute(['x'], ['a', 'b', 'c'])).toBe('OK');
    expect(await values('c')).toEqual(['3', '4', '5', '6']);
    await expect(execute(['x'], ['a', 'b'])).rejects.toThrow('the model has 3 outputs, and the command names 2');
  });

  test('inputs that PyTorch cannot take are refused', async () => {
    await store('m', file('net.pt'));
    await redis.call('AI.TENSORSET', 'u', 'UINT16', '2', '2', 'VALUES', '1', '2', '3', '4');
    await redis.call('AI.TENSORSET', 't', 'STRING', '1', 'VALUES', 'text');
    await redis.call('AI.TENSORSET', 'w', 'FLOAT', '3', 'VALUES', '1', '2', '3');
    await expect(execute(['u', 'y'], ['a', 'b'])).rejects.toThrow(/^Unsupported kUInt bits 16/);
    await expect(execute(['t', 'y'], ['a', 'b'])).rejects.toThrow(/^Unsupported data type STRING/);
    await expect(execute(['w', 'y'], ['a', 'b'])).rejects.toThrow('The size of tensor a (3) must match');
    await store('m', file('linear.pt'));
    await redis.call('AI.TENSORSET', 'i', 'INT32', '2', '2', 'VALUES', '1', '2', '3', '4');
    await expect(execute(['i'], ['a'])).rejects.toThrow(/same dtype|expected scalar type/);
  });

  test('a GPU that is not there is refused', async () => {
    const text =
      /^ERR (GPU requested but Torch couldn't find CUDA, ROCm or XPU|Invalid DEVICE: there is no GPU:77 here)/;
    await expect(redis.call('AI.MODELSTORE', 'm', 'TORCH', 'GPU:77', 'BLOB', file('net.pt'))).rejects.toThrow(text);
  });

  test('large tensors of several parts go in and out whole', async () => {
    await store('m', file('sum.pt'), 'BATCHSIZE', '64');
    const rows = 300_000;
    const matrix = Float32Array.from({ length: rows * 4 }, (_, index) => index % 1000);
    await redis.call('AI.TENSORSET', 'big', 'FLOAT', String(rows), '4', 'BLOB', Buffer.from(matrix.buffer));
    const clients = Array.from({ length: 4 }, () => new Redis(started.port));
    const outputs = await Promise.all(
      clients.map(async (client, index) => {
        await client.call('AI.MODELEXECUTE', 'm', 'INPUTS', '1', 'big', 'OUTPUTS', '1', `out${index}`);
        const blob = (await client.callBuffer('AI.TENSORGET', `out${index}`, 'BLOB')) as Buffer;
        return new Float32Array(blob.buffer.slice(blob.byteOffset, blob.byteOffset + blob.length));
      }),
    );
    const expected = Float32Array.from({ length: rows }, (_, row) => {
      const [a = 0, b = 0, c = 0, d = 0] = matrix.subarray(4 * row, 4 * row + 4);
      return (a + b + c + d) * 0.5;
    });
    for (const output of outputs) expect(Buffer.from(output.buffer).equals(Buffer.from(expected.buffer))).toBe(true);
    for (const client of clients) client.disconnect();
  });

  test('requests of 16 clients share runs', async () => {
    await store('m', file('sum.pt'), 'BATCHSIZE', '16', 'MINBATCHSIZE', '16', 'MINBATCHTIMEOUT', '60000');
    const clients = Array.from({ length: 16 }, () => new Redis(started.port));
    await Promise.all(
      clients.map((client, index) =>
        client.call('AI.TENSORSET', `in${index}`, 'FLOAT', '1', '2', 'VALUES', `${index}`, '1'),
      ),
    );
    const runs = async () => Number(/ai_runs:(\d+)/.exec(await redis.info('ai_simwright'))?.[1]);
    const before = await runs();
    await Promise.all(
      clients.map((client, index) => client.call('AI.MODELRUN', 'm', 'INPUTS', `in${index}`, 'OUTPUTS', `out${index}`)),
    );
    expect((await runs()) - before).toBe(1);
    for (const [index, client] of clients.entries()) {
      expect(await values(`out${index}`)).toEqual([String((index + 1) / 2)]);
      client.disconnect();
    }
  });

  test('a device that another stands in for has processes of its own, as many as asked for', async () => {
    const other = await start({
      ...{ python: (found as { python: string }).python, intraOpThreads: 1, threadsPerQueue: 2 },
      mapDevice: { 'GPU:0': 'CPU:1' },
      preloadBackends: [{ backend: 'TORCH', device: 'GPU' }],
    });
    const client = new Redis(other.port);
    const info = await client.info('ai_workers');
    expect(info.match(/device=CPU:1,framework=torch/g)).toHaveLength(2);
    await client.call('AI.MODELSTORE', 'm', 'TORCH', 'GPU:0', 'BLOB', file('sum.pt'));
    await client.call('AI.TENSORSET', 'x', 'FLOAT', '1', '2', 'VALUES', '1', '2');
    await client.call('AI.MODELRUN', 'm', 'INPUTS', 'x', 'OUTPUTS', 'y');
    expect(await client.call('AI.TENSORGET', 'y', 'VALUES')).toEqual(['1.5']);
    expect(await client.info('ai_workers')).toContain('ai_workers:2\r\n');
    client.disconnect();
    await other.stop();
  });
});
