import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Client, Dataset, tensor } from '../../../src/runtime/client/index.js';
import { shardPrefix, slotOf } from '../../../src/runtime/slots.js';
import { runPython, smartredisPython } from '../orchestrator/support/python.js';
import { modelFile, onnxRuntime } from '../orchestrator/support/start.js';
import { type Recorded, type ShardFronts, startShards } from './support/shard-fronts.js';

/** As `redis-cli --cluster create` deals the slots to three nodes. */
const ranges = [
  [0, 5460],
  [5461, 10922],
  [10923, 16383],
] as const;

test.each([
  [0, '0000'],
  [9, '01265c'],
  [51, '016dd8'],
  [2731, 'cfef'],
  [3277, 'fe65'],
  [5461, '384d'],
  [8192, '2204'],
  [10923, 'edeb'],
  [14336, '3b87'],
])('the prefix of the shard whose first slot is %i', (slot, hex) => {
  expect(shardPrefix(slot).toString('hex')).toBe(hex);
});

test('a prefix lies in its slot and has no brace, for every slot', () => {
  for (let slot = 0; slot < 16384; slot += 1) {
    const prefix = shardPrefix(slot);
    expect(prefix.includes('{') || prefix.includes('}')).toBe(false);
    expect(slotOf(Buffer.concat([Buffer.from('{'), prefix, Buffer.from('}.model')]))).toBe(slot);
  }
});

test.each([
  ['foo', 12182],
  ['{foo}.bar', 12182],
  ['a{foo}b{c}', 12182],
  ['{}foo', 9500],
  ['', 0],
])('the slot of %j', (key, slot) => {
  expect(slotOf(key)).toBe(slot);
});

const found = await smartredisPython();
const why = 'missing' in found ? found.missing : onnxRuntime === undefined ? 'no onnxruntime-node' : undefined;
const skipped = why === undefined ? '' : ` (skipped: ${why})`;
const model = fileURLToPath(new URL('../orchestrator/models/double.onnx', import.meta.url));

test.skipIf(why !== undefined)(`on a single server both clients send the same${skipped}`, async () => {
  const front = await startShards([[0, 16383]]);
  const env = {
    SSDB: front.address,
    SR_DB_TYPE: 'Standalone',
    SSKEYOUT: 'out',
    SSKEYIN: 'out',
    SR_SOCKET_TIMEOUT: '30000',
  };
  const client = await Client.connect({ env });
  try {
    front.recorded.length = 0;
    await runPython('python' in found ? found.python : '', 'smartredis_cluster.py', [model], env);
    const theirs = front.recorded.splice(0).map(shown);
    await client.flushDb();
    front.recorded.length = 0;
    await callEverything(client);
    expect(theirs.length).toBeGreaterThan(40);
    expect(front.recorded.map(shown)).toEqual(theirs);
  } finally {
    await client.close();
    await front.stop();
  }
});

describe('three shards', () => {
  let fronts: ShardFronts;
  let client: Client;
  beforeAll(async () => {
    fronts = await startShards(ranges);
    client = await Client.connect({ env: { SSDB: fronts.address } });
  });
  beforeEach(async () => {
    for (const address of fronts.addresses) await client.flushDb(address);
    fronts.recorded.length = 0;
  });
  afterAll(async () => {
    await client?.close();
    await fronts?.stop();
  });

  test('keys go to the shard of their slot', async () => {
    for (const name of ['a', 'b', 'c', 'foo']) await client.putTensor(name, tensor([1]));
    const shards = fronts.recorded.map(({ shard, words }) => [String(words[1]), shard]);
    expect(shards).toEqual([
      ['a', 2],
      ['b', 0],
      ['c', 1],
      ['foo', 2],
    ]);
    expect(await client.keyExists('c')).toBe(true);
    await client.renameTensor('a', 'b');
    expect([await client.tensorExists('a'), await client.tensorExists('b')]).toEqual([false, true]);
    expect((await client.getTensor('b', 'DOUBLE')).data).toEqual(Float64Array.from([1]));
  });

  test('servers are asked by their addresses', async () => {
    expect(client.addresses).toEqual(fronts.addresses);
    const second = fronts.addresses[1] ?? '';
    await client.configSet('lua-time-limit', '4321', second);
    expect(await client.configGet('lua-time-limit', `tcp://${second}`)).toEqual({ 'lua-time-limit': '4321' });
    expect(await client.configGet('lua-time-limit')).toEqual({ 'lua-time-limit': '5000' });
    expect((await client.info(second))['Server']?.['tcp_port']).toBe(String(fronts.stores[1]?.port));
    expect((await client.clusterInfo(second))['cluster_state']).toBe('ok');
    await expect(client.info('elsewhere:1')).rejects.toThrow('no server of this store has the address elsewhere:1');
  });

  test.skipIf(onnxRuntime === undefined)('models lie on every shard, and run where the first input lies', async () => {
    const blob = modelFile('double');
    await client.setModel('m', { backend: 'ONNX', device: 'CPU', blob });
    const stored = fronts.recorded.filter(({ words }) => String(words[0]) === 'AI.MODELSTORE');
    expect(stored.map(({ shard, words }) => [shard, words[1]?.toString('hex')])).toEqual(
      ['{\0\0}.m', '{8M}.m', '{\xed\xeb}.m'].map((key, shard) => [shard, Buffer.from(key, 'latin1').toString('hex')]),
    );
    expect(await client.modelExists('m')).toBe(true);
    expect(await client.getModel('m')).toEqual(blob);
    for (const name of ['a', 'b', 'c']) {
      await client.putTensor(name, tensor(Float32Array.from([1, 2]), [1, 2]));
      await client.runModel('m', name, 'out');
      expect((await client.getTensor('out', 'FLOAT')).data).toEqual(Float32Array.from([2, 4]));
      await client.deleteTensor('out');
    }
    for (const address of fronts.addresses) expect((await client.aiInfo('m', address))['calls']).toBe('1');
    await client.resetAiInfo('m');
    expect((await client.aiInfo('m'))['calls']).toBe('0');
    await expect(client.runModel('none', 'a', 'out')).rejects.toThrow('ERR model key is empty');
    await client.deleteModel('m');
    for (const { port } of fronts.stores) {
      const redis = new Redis(port);
      expect((await redis.keys('*')).filter((key) => key.includes('TMP') || key.endsWith('.m'))).toEqual([]);
      redis.disconnect();
    }
  });

  test.skipIf(why !== undefined)(`the Python client sends the same to the same shards${skipped}`, async () => {
    const env = { SSDB: fronts.address, SR_DB_TYPE: 'Clustered', SR_SOCKET_TIMEOUT: '30000' };
    await runPython('python' in found ? found.python : '', 'smartredis_cluster.py', [model], env);
    const theirs = fronts.recorded.splice(0).map(shown);
    for (const address of fronts.addresses) await client.flushDb(address);
    fronts.recorded.length = 0;

    await callEverything(client);
    expect(theirs.length).toBeGreaterThan(60);
    expect(fronts.recorded.map(shown)).toEqual(theirs);
  });
});

const twice = { intervalMs: 1, attempts: 2 };

/** What `smartredis_cluster.py` does. */
async function callEverything(client: Client): Promise<void> {
  await client.putTensor('a', tensor(Float32Array.from([1, 2]), [1, 2]));
  await client.putTensor('b', tensor(BigInt64Array.from([3n, 4n])));
  await client.renameTensor('b', 'c');
  await client.copyTensor('a', 'd');
  await client.deleteTensor('d');
  await client.getTensor('a');
  await client.tensorExists('a');
  await client.keyExists('a');
  await client.pollTensor('none', twice);
  await client.pollKey('a', twice);
  const dataset = new Dataset('ds').addTensor('x', tensor([1.5, 2.5])).addMetaScalar('time', 2.5);
  await client.putDataset(dataset);
  await client.appendToList('l', dataset);
  await client.copyDataset('ds', 'ds2');
  await client.renameDataset('ds2', 'ds3');
  await client.datasetExists('ds3');
  await client.pollDataset('none', twice);
  await client.deleteDataset('ds3');
  await client.getDataset('ds');
  await client.copyList('l', 'm');
  await client.renameList('m', 'n');
  await client.getListLength('n');
  await client.pollListLength('n', 2, twice);
  await client.pollListLengthAtLeast('n', 1, twice);
  await client.pollListLengthAtMost('n', 1, twice);
  await client.getDatasetListRange('n', 0, 0);
  await client.getDatasetsFromList('n');
  await client.deleteList('n');
  await client.setModel('m', {
    backend: 'ONNX',
    device: 'CPU',
    tag: 'v1',
    batchSize: 4,
    blob: modelFile('double'),
  });
  await client.modelExists('m');
  await client.runModel('m', 'a', 'y');
  await client.getModel('m');
  await client.aiInfo('m');
  await client.pollModel('m', twice);
  await client.deleteModel('m');
  await client.setScript('s', 'CPU', 'def f(x):\n    return x\n');
  await client.getScript('s');
  await client.deleteScript('s');
  await client.setScriptMultiGpu('g', 'def f(x):\n    return x\n', { firstGpu: 0, gpus: 2 });
  await client.deleteScriptMultiGpu('g', { firstGpu: 0, gpus: 2 });
  await client.info();
  await client.configGet('lua-time-limit');
  await client.configSet('lua-time-limit', '4000');
}

/** A request as text. The order of a hash's fields means nothing, and any shard may be asked for the chunk size. */
function shown({ shard, words }: Recorded): string {
  const texts = words.map((word) => word.toString('latin1'));
  const [name = '', key = '', ...rest] = texts;
  if (name === 'AI.CONFIG') return texts.join(' ');
  if (name !== 'HMSET') return `${shard}: ${texts.join(' ')}`;
  const pairs = rest.flatMap((field, at) => (at % 2 === 0 ? [`${field} ${rest[at + 1]}`] : [])).sort();
  return `${shard}: ${[name, key, ...pairs].join(' ')}`;
}
