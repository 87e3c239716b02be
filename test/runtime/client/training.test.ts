import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import {
  type DownloaderOptions,
  type Tensor,
  TrainingDownloader,
  TrainingUploader,
  tensor,
  type UploaderOptions,
} from '../../../src/runtime/client/index.js';
import { root } from '../../helpers/simwright.js';
import { smartredisPython } from '../orchestrator/support/python.js';
import { useClients } from './support/use-clients.js';

const { started, raw } = useClients();

function env(variables: Readonly<Record<string, string>> = {}) {
  const address = started().orchestrator.addresses[0] ?? '';
  return { SSDB: address, SR_DB_TYPE: 'Standalone', SSKEYIN: 'p', SSKEYOUT: 'p', ...variables };
}

const upload = (options: UploaderOptions = {}) => TrainingUploader.connect({ env: env(), ...options });
const download = (options: DownloaderOptions = {}) =>
  TrainingDownloader.connect({ env: env(), waitIntervalMs: 1, timeoutMs: 20_000, ...options });

/** Four samples of three equal values, which count on from batch to batch, and their remainders by five. */
function batchOf(number: number): [Tensor, Tensor] {
  const rows = [0, 1, 2, 3].map((row) => 4 * number + row);
  const samples = Float32Array.from(rows.flatMap((row) => [row, row, row]));
  return [tensor(samples, [4, 3]), tensor(BigInt64Array.from(rows.map((row) => BigInt(row % 5))))];
}

async function put(uploader: TrainingUploader, count: number, first = 0): Promise<TrainingUploader> {
  for (let number = first; number < first + count; number++) await uploader.putBatch(...batchOf(number));
  return uploader;
}

/** First values of all samples, batch by batch; that targets belong to them is checked. */
async function rowsOf(downloader: TrainingDownloader): Promise<number[][]> {
  const found: number[][] = [];
  for await (const { samples, targets } of downloader) {
    const rows = Array.from(samples.data, Number).filter((_, index) => index % 3 === 0);
    expect(Array.from(targets?.data ?? [], Number)).toEqual(rows.map((row) => row % 5));
    found.push(rows);
  }
  await downloader.close();
  return found;
}

const rows = (first: number, end: number) => Array.from({ length: end - first }, (_, index) => first + index);

test('each batch comes once, in order, as soon as it is there, until the end', async () => {
  const downloader = await download();
  const reading = rowsOf(downloader);
  const uploader = await put(await upload({ numClasses: 5, sampleName: 'x', targetName: 'y' }), 0);
  await uploader.publishInfo();
  await put(uploader, 5);
  await expect.poll(() => downloader.position).toEqual({ p: 5 });
  await put(uploader, 2, 5);
  expect(await downloader.publishedEnd()).toBeUndefined();
  await uploader.end();
  expect(await reading).toEqual(rows(0, 7).map((number) => rows(4 * number, 4 * number + 4)));
  expect(downloader.info).toMatchObject({ sampleName: 'x', targetName: 'y', numClasses: 5 });
  await expect(put(uploader, 1)).rejects.toThrow('end() has been called');
  await uploader.close();
});

test('samples are regrouped, shared among replicas, and read on from a position', async () => {
  await using uploader = await put(await upload(), 6);
  await uploader.end('failed');
  expect(await rowsOf(await download({ batchSize: 7 }))).toEqual([rows(0, 7), rows(7, 14), rows(14, 21), rows(21, 24)]);
  const shares = await Promise.all(
    [0, 1].map(async (replicaRank) => rowsOf(await download({ replicaRank, numReplicas: 2 }))),
  );
  expect(shares.map((share) => share.map(([first]) => first))).toEqual([
    [0, 8, 16],
    [4, 12, 20],
  ]);
  const left = await download();
  for await (const _ of left) if (left.position['p'] === 2) break;
  expect(await left.publishedEnd()).toBe('failed');
  await left.close();
  expect((await rowsOf(await download({ position: left.position }))).flat()).toEqual(rows(8, 24));
});

test('a producer that runs again goes on, and its stream has not ended', async () => {
  await (await put(await upload({ rank: 1, ranks: 2 }), 2)).end();
  await using again = await upload({ rank: 1, ranks: 2 });
  expect(again.batches).toBe(2);
  const downloader = await download();
  expect(await downloader.publishedEnd()).toBeUndefined();
  await put(again, 1, 2);
  await (await upload({ rank: 0, ranks: 2 })).end();
  expect(await downloader.publishedEnd()).toBeUndefined();
  await again.end();
  expect(await rowsOf(downloader)).toHaveLength(3);
  expect((await upload({ rank: 1, ranks: 2, resume: false })).batches).toBe(0);
});

test('a window: by number, and where the store is full', async () => {
  const windowed = await put(await upload({ keepLast: 3 }), 10);
  await windowed.end();
  const downloader = await download();
  expect((await rowsOf(downloader)).flat()).toEqual(rows(28, 40));
  expect(downloader.missing).toBe(7);
  await raw().flushdb();
  const used = Number(/used_memory:(\d+)/.exec(await raw().info('memory'))?.[1]);
  await raw().config('SET', 'maxmemory', used + 2 ** 20);
  try {
    const big = () => tensor(new Float32Array(64 * 256), [64, 256]);
    await using uploader = await upload({ targetName: '' });
    for (let number = 0; number < 60; number++) await uploader.putBatch(big());
    const kept = await download({ targetName: '' });
    await uploader.end();
    for await (const { samples, targets } of kept) expect([samples.shape, targets]).toEqual([[64, 256], undefined]);
    expect(kept.missing).toBeGreaterThan(40);
    expect(kept.missing).toBeLessThan(56);
    const keeper = await upload({ listName: 'kept', keepLast: 'all', targetName: '' });
    await expect(
      (async () => {
        for (let number = 0; number < 60; number++) await keeper.putBatch(big());
      })(),
    ).rejects.toThrow('OOM');
  } finally {
    await raw().config('SET', 'maxmemory', 0);
  }
});

test('mistakes are told', async () => {
  await expect(upload({ listName: '' })).rejects.toThrow('need names');
  await expect(upload({ keepLast: 0 })).rejects.toThrow('keepLast is 0');
  await expect(download({ batchSize: 0.5 })).rejects.toThrow('batchSize is 0.5');
  await expect(download({ replicaRank: 2, numReplicas: 2 })).rejects.toThrow('replica 2 of 2');
  const uploader = await upload({ rank: 1 });
  await expect(uploader.end()).rejects.toThrow('Say ranks');
  await expect(uploader.putBatch(batchOf(0)[0], tensor([1, 2]))).rejects.toThrow('the first dimension counts samples');
  await uploader.putBatch(batchOf(0)[0]);
  await expect(rowsOf(await download())).rejects.toThrow("has no tensor 'targets', but samples");
  await uploader.putBatch(tensor([1, 2]));
  await expect(rowsOf(await download({ targetName: '', batchSize: 9 }))).rejects.toThrow('does not go with');
  await expect(rowsOf(await download({ listName: 'none', timeoutMs: 5 }))).rejects.toThrow('no batch of none has come');
});

test('a list without a prefix', async () => {
  const bare = { SSKEYIN: '', SSKEYOUT: '' };
  await using uploader = await put(await upload({ env: env(bare) }), 2);
  await uploader.end();
  expect(await rowsOf(await download({ sources: [''] }))).toHaveLength(2);
  expect(await rowsOf(await download({ env: env(bare) }))).toHaveLength(2);
});

const found = await smartredisPython();
const why = 'missing' in found ? ` (skipped: no smartredis: ${found.missing})` : '';

describe.skipIf(why !== '')(`beside the Python classes${why}`, () => {
  const python = (program: string, prefix: string) =>
    promisify(execFile)('python' in found ? found.python : '', ['-c', program], {
      env: {
        ...process.env,
        ...env({ SSKEYIN: prefix, SSKEYOUT: prefix, SR_LOG_LEVEL: 'QUIET' }),
        PYTHONPATH: [join(root, 'python'), join(root, 'python/tests')].join(':'),
      },
    });

  /** Everything under a prefix, without it. */
  async function dump(prefix: string): Promise<unknown[]> {
    const keys = (await raw().keys(`${prefix}.*`)).sort();
    return Promise.all(
      keys.map(async (key) => {
        const kind = await raw().type(key);
        if (kind === 'list')
          return [key.slice(prefix.length), (await raw().lrange(key, 0, -1)).map((one) => one.slice(prefix.length))];
        const bytes =
          kind === 'hash'
            ? await raw().hgetallBuffer(key)
            : await raw().callBuffer('AI.TENSORGET', key, 'META', 'BLOB');
        return [key.slice(prefix.length), bytes];
      }),
    );
  }

  test('the keys and bytes are the same', async () => {
    const program = `
from batches import batch_of
from simwright.ml import TrainingUploader
with TrainingUploader(num_classes=5) as uploader:
    uploader.publish_info()
    for number in range(3):
        uploader.put_batch(*batch_of(number))`;
    await python(program, 'python');
    const uploader = await upload({ numClasses: 5, env: env({ SSKEYOUT: 'node' }) });
    await uploader.publishInfo();
    await (await put(uploader, 3)).end();
    const ours = await dump('node');
    expect(ours).toHaveLength(3 * 3 + 3);
    expect(ours).toEqual(await dump('python'));
    expect((await rowsOf(await download({ env: env({ SSKEYIN: 'python' }) }))).flat()).toEqual(rows(0, 12));
  });

  test('a Python trainer reads what is put here', async () => {
    await using uploader = await put(await upload(), 4);
    await uploader.end();
    const program = `
from batches import rows_of
from simwright.ml import TrainingDownloader
print(rows_of(TrainingDownloader("training_data", batch_size=4, init_samples=False).stream()))`;
    expect(JSON.parse((await python(program, 'p')).stdout)).toEqual(rows(0, 16));
  });
});
