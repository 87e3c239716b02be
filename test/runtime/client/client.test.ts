import { spawn } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { Client, ClientError, type Dtype, type Tensor, tensor } from '../../../src/runtime/client/index.js';
import { modelFile, onnxRuntime, start } from '../orchestrator/support/start.js';

import { useClients } from './support/use-clients.js';

const { started, raw, connect } = useClients();

const samples: { readonly [D in Dtype]: Extract<Tensor, { dtype: D }> } = {
  FLOAT: tensor(Float32Array.from([0.1, -2, 3, 4, 5, 6]), [2, 3]),
  DOUBLE: tensor([0.1, Number.MIN_VALUE, -0], [3, 1]),
  INT8: tensor(Int8Array.from([-128, 127])),
  INT16: tensor(Int16Array.from([-32768, 32767])),
  INT32: tensor(Int32Array.from([-2147483648, 2147483647])),
  INT64: tensor(BigInt64Array.from([-(2n ** 63n), 2n ** 63n - 1n])),
  UINT8: tensor(Uint8Array.from([0, 255])),
  UINT16: tensor(Uint16Array.from([0, 65535])),
};

describe.each(['host:port', 'unix://PATH', 'a cluster of one'])('tensors over %s', (kind) => {
  const connectTo = () =>
    connect({
      SSDB: started().orchestrator.addresses[kind === 'unix://PATH' ? 1 : 0] ?? '',
      SR_DB_TYPE: kind === 'a cluster of one' ? 'Clustered' : 'Standalone',
    });

  test('of every type come back as they were', async () => {
    const client = await connectTo();
    for (const sample of Object.values(samples)) {
      await client.putTensor('t', sample);
      expect(await client.getTensor('t')).toEqual(sample);
    }
  });

  test('are copied, renamed, polled and deleted', async () => {
    const client = await connectTo();
    await client.putTensor('a', samples.FLOAT);
    await client.copyTensor('a', 'b');
    await client.renameTensor('b', 'c');
    expect([await client.tensorExists('a'), await client.tensorExists('b'), await client.keyExists('c')]).toEqual([
      true,
      false,
      true,
    ]);
    await client.deleteTensor('c');
    await client.deleteTensor('c');
    expect(await client.pollTensor('c', { intervalMs: 1, attempts: 2 })).toBe(false);
    const waiting = client.pollTensor('later', { intervalMs: 5, attempts: 1000 });
    await raw().call('AI.TENSORSET', 'later', 'FLOAT', '1');
    expect(await waiting).toBe(true);
  });

  test('of 24 MiB, and views into larger arrays', async () => {
    const client = await connectTo();
    const large = tensor(Float64Array.from({ length: 3 * 1024 * 1024 }, (_, index) => index));
    const view = tensor(new Float32Array(Float32Array.from([9, 1, 2, 9]).buffer, 4, 2));
    await Promise.all([client.putTensor('large', large), client.putTensor('view', view)]);
    const [back, small] = await Promise.all([client.getTensor('large', 'DOUBLE'), client.getTensor('view', 'FLOAT')]);
    expect(Buffer.compare(Buffer.from(back.data.buffer), Buffer.from(large.data.buffer))).toBe(0);
    expect(small.data).toEqual(Float32Array.from([1, 2]));
  });
});

test('a single number, which a script returns, is a tensor without dimensions', async () => {
  const client = await connect();
  await client.putTensor('x', tensor(Float32Array.of(1, 2, 6)));
  await client.setScript('s', 'CPU', 'def mean(x):\n    return x.mean()\n');
  await client.runScript('s', 'mean', ['x'], ['y']);
  expect(await client.getTensor('y')).toEqual({ dtype: 'FLOAT', shape: [], data: Float32Array.of(3) });
});

test('errors carry the text of the server', async () => {
  const client = await connect();
  const missing = await client.getTensor('missing').catch((error: unknown) => error);
  expect(missing).toBeInstanceOf(ClientError);
  expect((missing as Error).message).toBe('ERR tensor key is empty or in a different shard');
  await expect(client.renameTensor('missing', 'x')).rejects.toThrow('ERR no such key');
  await client.putTensor('t', samples.INT8);
  await expect(client.getTensor('t', 'FLOAT')).rejects.toThrow("the tensor 't' has the type INT8, not FLOAT");
});

test('shapes that do not fit are refused', () => {
  expect(() => tensor(new Float32Array(3), [2])).toThrow('shape [2] means 2 elements, the array has 3');
  expect(() => tensor(new Float32Array(0), [])).toThrow('one or more positive integers');
  expect(() => tensor(new Uint32Array(1) as never)).toThrow('Uint32Array');
});

test('prefixes: what is written has SSKEYOUT, what is read the data source, models neither', async () => {
  const client = await connect({ SSKEYOUT: 'me', SSKEYIN: 'first,second' });
  await client.putTensor('t', samples.UINT8);
  expect(await raw().keys('*')).toEqual(['me.t']);
  await raw().rename('me.t', 'second.t');
  expect(await client.tensorExists('t')).toBe(false);
  client.setDataSource('second');
  expect(await client.getTensor('t')).toEqual(samples.UINT8);
  expect(() => client.setDataSource('third')).toThrow("'third' is no data source of this client");
  client.useTensorPrefix(false);
  await client.putTensor('t', samples.UINT8);
  expect((await raw().keys('*')).sort()).toEqual(['second.t', 't']);
});

test('a suffix names the variables, others are not looked at', async () => {
  const address = started().orchestrator.addresses[1] ?? '';
  const client = await connect({ SSDB: 'nonsense', SSDB_two: address, SSKEYOUT: 'x', SSKEYOUT_two: 'y' }, 'two');
  await client.putTensor('t', samples.UINT8);
  expect(await raw().keys('*')).toEqual(['y.t']);
});

test.each([
  [{}, 'SSDB is not set'],
  [{ SSDB: 'nowhere' }, "SSDB has the entry 'nowhere'"],
  [{ SSDB: '127.0.0.1:1', SR_CONN_TIMEOUT: 'soon' }, "SR_CONN_TIMEOUT is 'soon'"],
  [{ SSDB: '127.0.0.1:1', SR_CONN_TIMEOUT: '0' }, 'cannot connect to the store at 127.0.0.1:1: connect ECONNREFUSED'],
  [{ SSDB: 'unix:///nowhere.sock', SR_CONN_TIMEOUT: '0' }, 'unix:///nowhere.sock: connect ENOENT'],
])('a store that cannot be reached: %j', async (env, text) => {
  await expect(Client.connect({ env })).rejects.toThrow(text);
});

test('a store that comes late is waited for', async () => {
  const late = await start();
  const { port } = late;
  await late.stop();
  const waiting = Client.connect({
    env: { SSDB: `127.0.0.1:${port}`, SR_CONN_INTERVAL: '20', SR_CONN_TIMEOUT: '20' },
  });
  const again = await start({ listen: [{ kind: 'tcp', host: '127.0.0.1', port }] });
  const client = await waiting;
  await client.putTensor('t', samples.UINT8);
  await client.close();
  await again.stop();
});

test('what the store says of itself', async () => {
  const client = await connect();
  await client.putTensor('t', samples.UINT8);
  const info = await client.info();
  expect(info['Keyspace']?.['db0']).toContain('keys=1');
  expect(Number(info['Memory']?.['used_memory'])).toBeGreaterThan(0);
});

test('a process with a closed client ends by itself', async () => {
  const source = `
    import { Client } from ${JSON.stringify(new URL('../../../src/runtime/client/index.ts', import.meta.url).href)};
    await (await Client.connect()).close();
    const client = await Client.connect();
    await client.keyExists('x');
    await client.close();
  `;
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', source], {
    env: { ...process.env, SSDB: started().orchestrator.addresses[0] },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  expect(await new Promise((resolve) => child.once('exit', resolve))).toBe(0);
});

describe.skipIf(onnxRuntime === undefined)('models', () => {
  const blob = onnxRuntime === undefined ? Buffer.alloc(0) : modelFile('double');

  test.each(['Standalone', 'Clustered'])('are stored, run, read back and deleted (%s)', async (type) => {
    const client = await connect({ SR_DB_TYPE: type, SSKEYOUT: 'me', SSKEYIN: 'me' });
    await client.setModel('m', { backend: 'ONNX', device: 'CPU', batchSize: 4, minBatchSize: 1, tag: 'v1', blob });
    expect(await raw().keys('*')).toEqual(['m']);
    expect(await client.modelExists('m')).toBe(true);
    expect(await client.pollModel('m', { intervalMs: 1, attempts: 1 })).toBe(true);
    expect(await client.getModel('m')).toEqual(blob);
    await client.putTensor('x', tensor(Float32Array.from([1, 2]), [1, 2]));
    await client.runModel('m', ['x'], 'y');
    expect(await client.getTensor('y', 'FLOAT')).toEqual(tensor(Float32Array.from([2, 4]), [1, 2]));
    await expect(client.runModel('none', 'x', 'y')).rejects.toThrow('ERR model key is empty');
    await client.deleteModel('m');
    expect(await client.modelExists('m')).toBe(false);
  });

  test('go in chunks of the size that the store says', async () => {
    const client = await connect();
    await raw().call('AI.CONFIG', 'MODEL_CHUNK_SIZE', '10');
    await client.setModel('m', { backend: 'ONNX', device: 'CPU', blob });
    await raw().call('AI.CONFIG', 'MODEL_CHUNK_SIZE', '535822336');
    expect(await client.getModel('m')).toEqual(blob);
  });

  test('for several GPUs are numbered from the first, and a missing copy is named', async () => {
    const client = await connect();
    await expect(client.setModelMultiGpu('m', { backend: 'ONNX', firstGpu: 1, gpus: 2, blob })).rejects.toThrow(
      "ERR GPU requested but ONNX couldn't find CUDA",
    );
    await client.setModel('m', { backend: 'ONNX', device: 'CPU', blob });
    await client.setModel('m.GPU:1', { backend: 'ONNX', device: 'CPU', blob });
    await client.setModel('m.GPU:2', { backend: 'ONNX', device: 'CPU', blob });
    await client.putTensor('x', tensor(Float32Array.from([1, 2]), [1, 2]));
    await client.runModelMultiGpu('m', 'x', 'y', { offset: 3, firstGpu: 1, gpus: 2 });
    expect((await client.getTensor('y', 'FLOAT')).data).toEqual(Float32Array.from([2, 4]));
    await expect(client.runModelMultiGpu('m', 'x', 'y', { offset: 0, firstGpu: 0, gpus: 1 })).rejects.toThrow(
      "ERR model key is empty (there is 'm', but no copy of it for this GPU)",
    );
    await client.deleteModelMultiGpu('m', { firstGpu: 1, gpus: 2 });
    expect(await raw().keys('m*')).toEqual([]);
  });

  test('options that need each other are checked before anything is sent', async () => {
    const client = await connect();
    const setting = client.setModel('m', { backend: 'ONNX', device: 'CPU', minBatchSize: 2, blob });
    await expect(setting).rejects.toThrow('need a batchSize');
  });
});
