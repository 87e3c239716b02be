import { describe, expect, test } from 'vitest';
import { Dataset, tensor } from '../../../src/runtime/client/index.js';
import { decodeField, encodeField } from '../../../src/runtime/client/metadata.js';
import { runPython, smartredisPython } from '../orchestrator/support/python.js';

import { useClients } from './support/use-clients.js';

const { started, raw, connect } = useClients({ SR_DB_TYPE: 'Standalone' });

const once = { intervalMs: 1, attempts: 1 };

function sample(name: string, step = 7n): Dataset {
  return new Dataset(name)
    .addTensor('field', tensor(Float32Array.from([1, 2, 3, 4, 5, 6]), [2, 3]))
    .addTensor('index', tensor(Int32Array.from([1, 2])))
    .addMetaScalar('time', 2.5)
    .addMetaScalar('time', 3.5)
    .addMetaScalar('step', step)
    .addMetaScalar('count', 4_000_000_000, 'UINT32')
    .addMetaString('name', 'cavity')
    .addMetaString('name', 'ü');
}

test('fields are written as the other clients do', () => {
  const field = encodeField({ type: 'INT64', values: [3n, 4n] });
  expect(field.toString('hex')).toBe('0403000000000000000400000000000000');
  const text = encodeField({ type: 'STRING', values: ['ab', ''] });
  expect(text.toString('hex')).toBe(`07${'0200000000000000'}6162${'0000000000000000'}`);
  for (const [type, value] of [
    ['DOUBLE', 0.1],
    ['FLOAT', 0.5],
    ['INT32', -5],
    ['INT64', -(2n ** 63n)],
    ['UINT32', 4_294_967_295],
    ['UINT64', 2n ** 64n - 1n],
    ['STRING', 'text'],
  ] as const) {
    expect(decodeField(encodeField({ type, values: [value, value] }), 'f')).toEqual({ type, values: [value, value] });
  }
  expect(() => encodeField({ type: 'INT32', values: [2 ** 31] })).toThrow('2147483648 is no INT32');
  for (const hex of ['', '09', '0101', '0705000000000000006162']) {
    expect(() => decodeField(Buffer.from(hex, 'hex'), 'f')).toThrow("the field 'f' of a data set cannot be read");
  }
});

test('data sets are stored, read, copied, renamed, polled and deleted', async () => {
  const client = await connect();
  const dataset = sample('d');
  await client.putDataset(dataset);
  expect((await raw().keys('*')).sort()).toEqual(['{d}.field', '{d}.index', '{d}.meta']);
  const back = await client.getDataset('d');
  expect(back.tensorNames.sort()).toEqual(['field', 'index']);
  expect(back.getTensor('field', 'FLOAT')).toEqual(dataset.getTensor('field'));
  expect(back.getMetaScalars('time')).toEqual([2.5, 3.5]);
  expect(back.getMetaScalars('step')).toEqual([7n]);
  expect(back.getMetaScalars('count')).toEqual([4_000_000_000]);
  expect(back.getMetaStrings('name')).toEqual(['cavity', 'ü']);
  expect(back.metadataType('count')).toBe('UINT32');
  await client.copyDataset('d', 'e');
  await client.renameDataset('e', 'f');
  expect([await client.datasetExists('d'), await client.datasetExists('e')]).toEqual([true, false]);
  expect((await client.getDataset('f')).getTensor('index')).toEqual(dataset.getTensor('index'));
  expect(await client.pollDataset('f', once)).toBe(true);
  expect(await client.pollDataset('e', once)).toBe(false);
  await client.deleteDataset('f');
  expect((await raw().keys('*f*')).filter((key) => key.startsWith('{f}'))).toEqual([]);
  await expect(client.getDataset('f')).rejects.toThrow("there is no data set 'f'");
  await expect(client.deleteDataset('f')).rejects.toThrow("there is no data set 'f'");
  await expect(client.putDataset(new Dataset('empty'))).rejects.toThrow("the data set 'empty' is empty");
});

test('a data set refuses what it cannot hold', () => {
  const dataset = sample('d');
  expect(() => dataset.addTensor('field', tensor([1]))).toThrow("the data set 'd' has a tensor 'field' already");
  expect(() => dataset.addMetaString('time', 'x')).toThrow("the field 'time' has the type DOUBLE, not STRING");
  expect(() => dataset.addMetaString('.COMPLETE', 'x')).toThrow("a field cannot be named '.COMPLETE'");
  expect(() => dataset.getTensor('none')).toThrow("the data set 'd' has no tensor 'none'");
  expect(() => dataset.getTensor('field', 'INT8')).toThrow("the tensor 'field' has the type FLOAT, not INT8");
  expect(() => dataset.getMetaStrings('time')).toThrow("the field 'time' of the data set 'd' holds numbers");
  expect(() => dataset.getMetaScalars('name')).toThrow("the field 'name' of the data set 'd' holds texts");
  expect(() => dataset.getMetaScalars('none')).toThrow("the data set 'd' has no field 'none'");
});

test('lists of data sets', async () => {
  const client = await connect();
  for (const step of [0n, 1n, 2n]) {
    const dataset = sample(`d${step}`, step);
    await client.putDataset(dataset);
    await client.appendToList('l', dataset);
  }
  expect(await client.getListLength('l')).toBe(3);
  expect(await client.getListLength('none')).toBe(0);
  expect(await client.pollListLength('l', 3, once)).toBe(true);
  expect(await client.pollListLength('l', 2, once)).toBe(false);
  expect(await client.pollListLengthAtLeast('l', 2, once)).toBe(true);
  expect(await client.pollListLengthAtMost('l', 2, once)).toBe(false);
  const steps = (datasets: Dataset[]) => datasets.map((dataset) => dataset.getMetaScalars('step')[0]);
  expect(steps(await client.getDatasetsFromList('l'))).toEqual([0n, 1n, 2n]);
  expect(steps(await client.getDatasetListRange('l', -2, -1))).toEqual([1n, 2n]);
  await client.copyList('l', 'm');
  await client.copyList('l', 'm');
  expect(await client.getListLength('m')).toBe(3);
  await client.renameList('m', 'n');
  expect([await client.getListLength('m'), await client.getListLength('n')]).toEqual([0, 3]);
  await client.deleteList('n');
  expect(await client.getListLength('n')).toBe(0);
  await expect(client.copyList('none', 'x')).rejects.toThrow("there is no list 'none'");
});

test('prefixes of data sets and lists', async () => {
  const client = await connect({ SSKEYOUT: 'me', SSKEYIN: 'you' });
  const dataset = sample('d');
  await client.putDataset(dataset);
  await client.appendToList('l', dataset);
  expect((await raw().keys('*')).sort()).toEqual(['me.l', 'me.{d}.field', 'me.{d}.index', 'me.{d}.meta']);
  expect(await raw().lrange('me.l', 0, -1)).toEqual(['me.{d}']);
  expect(await client.datasetExists('d')).toBe(false);
  const other = await connect({ SSKEYIN: 'me' });
  expect((await other.getDatasetsFromList('l')).map(({ name }) => name)).toEqual(['d']);
  client.useDatasetPrefix(false);
  client.useListPrefix(false);
  await client.putDataset(dataset);
  await client.appendToList('l', dataset);
  expect(await raw().lrange('l', 0, -1)).toEqual(['{d}']);
});

describe('scripts', () => {
  test('are stored, read, run and deleted', async () => {
    const client = await connect();
    await client.setScript('s', 'CPU', 'def f(x):\n    return x\n');
    expect(await client.getScript('s')).toBe('def f(x):\n    return x\n');
    expect(await client.modelExists('s')).toBe(true);
    await client.putTensor('x', tensor([1]));
    await client.runScript('s', 'f', 'x', 'y');
    expect(await client.getTensor('y')).toEqual(tensor([1]));
    await client.deleteScript('s');
    await expect(client.getScript('s')).rejects.toThrow('ERR script key is empty');
  });

  test('for several GPUs', async () => {
    const client = await connect();
    const gpus = { firstGpu: 1, gpus: 2 };
    await client.setScriptMultiGpu('s', 'def f(x):\n    return x\n', gpus);
    expect((await raw().keys('*')).sort()).toEqual(['s', 's.GPU:1', 's.GPU:2']);
    await client.putTensor('x', tensor([1]));
    await expect(client.runScriptMultiGpu('s', 'f', 'x', 'y', { ...gpus, offset: 3 })).rejects.toThrow('GPU');
    await client.deleteScriptMultiGpu('s', gpus);
    expect(await raw().keys('s*')).toEqual([]);
  });
});

test('calls about the server', async () => {
  const client = await connect();
  expect(client.addresses).toEqual([started().orchestrator.addresses[0]]);
  await client.setModelChunkSize(1000);
  expect(await raw().call('AI.CONFIG', 'GET', 'MODEL_CHUNK_SIZE')).toBe(1000);
  await client.configSet('lua-time-limit', '4000');
  expect(await client.configGet('lua-time-limit')).toEqual({ 'lua-time-limit': '4000' });
  expect(await client.configGet('nonsense')).toEqual({});
  await expect(client.configSet('nonsense', '1')).rejects.toThrow('ERR Unknown option');
  await expect(client.clusterInfo()).rejects.toThrow('the store is no cluster');
  await expect(client.save()).rejects.toThrow('ERR there is no file to save to');
  await client.setScript('s', 'CPU', 'def f(x): return x');
  expect(await client.aiInfo('s')).toMatchObject({ type: 'SCRIPT', calls: '0' });
  await client.flushDb();
  expect(await raw().dbsize()).toBe(0);
});

const found = await smartredisPython();
const why = 'missing' in found ? found.missing : undefined;
test.skipIf(why !== undefined)(
  `data sets cross over to the Python client and back${why === undefined ? '' : ` (skipped: ${why})`}`,
  async () => {
    const client = await connect();
    await client.putDataset(sample('ours'));
    await client.appendToList('l', sample('ours'));
    const env = { SSDB: started().orchestrator.addresses[0] ?? '', SR_DB_TYPE: 'Standalone' };
    const printed = JSON.parse(
      await runPython('python' in found ? found.python : '', 'smartredis_dataset.py', [], env),
    );
    expect(printed).toEqual({
      field: [
        [1, 2, 3],
        [4, 5, 6],
      ],
      index: [1, 2],
      time: [2.5, 3.5],
      step: [7],
      count: [4_000_000_000],
      name: ['cavity', 'ü'],
    });
    const [ours, theirs] = await client.getDatasetsFromList('l');
    expect(ours?.name).toBe('ours');
    expect(theirs?.name).toBe('theirs');
    expect(theirs?.getTensor('t', 'INT16').data).toEqual(Int16Array.from([1, -1]));
    expect(theirs?.getMetaScalars('double')).toEqual([1.5, -1.5]);
    expect(theirs?.getMetaScalars('int')).toEqual([-3n]);
    expect(theirs?.getMetaStrings('text')).toEqual(['a', 'ß']);
  },
);
