import { connect } from 'node:net';
import { Redis } from 'ioredis';
import { afterEach, describe, expect, test } from 'vitest';
import { waitUntil } from '../support/wait-until.js';
import { memoryInUse } from './support/memory-in-use.js';
import { type Started, start } from './support/start.js';

let started: Started | undefined;
let redis: Redis | undefined;
afterEach(async () => {
  redis?.disconnect();
  await started?.stop();
});

async function open(options: Parameters<typeof start>[0]): Promise<Redis> {
  started = await start(options);
  redis = new Redis(started.port);
  return redis;
}

const MiB = 1024 * 1024;
const put = (store: Redis, key: string, bytes: number) =>
  store.call('AI.TENSORSET', key, 'UINT8', bytes, 'BLOB', Buffer.alloc(bytes));

describe('keys that expire', () => {
  test('are gone without being asked for, and free their memory', async () => {
    const store = await open({});
    await put(store, 't', MiB);
    await store.pexpire('t', 20);
    expect(started?.orchestrator.stats().usedBytes).toBeGreaterThan(MiB);
    await waitUntil('no keys', () => started?.orchestrator.stats().keys === 0);
    expect(started?.orchestrator.stats().usedBytes).toBe(0);
    expect(await store.info('stats')).toContain('expired_keys:1\r\n');
  });

  test('are not found from that moment on, and may be set anew', async () => {
    const store = await open({});
    for (let index = 0; index < 500; index += 1) await store.psetex(`k${index}`, 1, 'v');
    await waitUntil('the last key is gone', async () => (await store.exists('k499')) === 0);
    expect(await store.keys('*')).toEqual([]);
    await store.set('k1', 'again');
    expect(await store.ttl('k1')).toBe(-1);
    expect(await store.info('keyspace')).toContain('db0:keys=1,expires=0');
  });

  test('a tensor that overwrites one that expires does not', async () => {
    const store = await open({});
    await put(store, 't', 4);
    await store.expire('t', 100);
    await put(store, 't', 4);
    expect(await store.ttl('t')).toBe(-1);
  });
});

describe('memory that is used up', () => {
  const oom = "OOM command not allowed when used memory > 'maxmemory'.";

  test('noeviction: writes are refused', async () => {
    const store = await open({ maxMemoryBytes: 4 * MiB });
    await put(store, 'a', 3 * MiB);
    await expect(put(store, 'b', 2 * MiB)).rejects.toThrow(oom);
    expect(await store.keys('*')).toEqual(['a']);
  });

  test('allkeys-lru: what was used longest ago goes', async () => {
    const store = await open({ maxMemoryBytes: 4 * MiB, evictionPolicy: 'allkeys-lru' });
    for (const key of ['a', 'b', 'c']) await put(store, key, MiB);
    await store.call('AI.TENSORGET', 'a', 'META');
    await put(store, 'd', MiB);
    expect((await store.keys('*')).sort()).toEqual(['a', 'c', 'd']);
    expect(await store.info('stats')).toContain('evicted_keys:1\r\n');
    expect(await store.info('memory')).toContain('maxmemory_policy:allkeys-lru\r\n');
    await expect(put(store, 'huge', 5 * MiB)).rejects.toThrow(oom);
    expect((await store.keys('*')).length).toBe(3);
  });

  test('volatile-lru and volatile-ttl: only what expires goes', async () => {
    const store = await open({ maxMemoryBytes: 4 * MiB, evictionPolicy: 'volatile-lru' });
    for (const key of ['a', 'b', 'c']) await put(store, key, MiB);
    await expect(put(store, 'd', 2 * MiB)).rejects.toThrow(oom);
    await store.expire('b', 1000);
    await store.expire('c', 100);
    await put(store, 'd', MiB);
    expect((await store.keys('*')).sort()).toEqual(['a', 'c', 'd']);
    await store.expire('a', 1000);
    await store.config('SET', 'maxmemory-policy', 'volatile-ttl');
    await put(store, 'e', MiB);
    expect((await store.keys('*')).sort()).toEqual(['a', 'd', 'e']);
  });

  test('allkeys-lfu: what was used least often goes', async () => {
    const store = await open({ maxMemoryBytes: 4 * MiB, evictionPolicy: 'allkeys-lfu' });
    for (const key of ['a', 'b', 'c']) await put(store, key, MiB);
    for (let use = 0; use < 200; use += 1) {
      await store.call('AI.TENSORGET', 'a', 'META');
      await store.call('AI.TENSORGET', 'b', 'META');
    }
    await store.call('AI.TENSORGET', 'c', 'META');
    await put(store, 'd', MiB);
    expect((await store.keys('*')).sort()).toEqual(['a', 'b', 'd']);
  });

  test('allkeys-random: something goes, and a lowered limit is kept', async () => {
    const store = await open({ evictionPolicy: 'allkeys-random' });
    for (let index = 0; index < 100; index += 1) await put(store, `k${index}`, 64 * 1024);
    await store.config('SET', 'maxmemory', '2mb');
    await waitUntil('less memory', () => (started?.orchestrator.stats().usedBytes ?? 0) <= 2 * MiB);
    await put(store, 'last', 64 * 1024);
    expect(await store.exists('last')).toBe(1);
    expect(started?.orchestrator.stats().usedBytes).toBeLessThanOrEqual(2 * MiB);
    expect(started?.orchestrator.stats().keys).toBeGreaterThan(20);
  });

  test('what is set aside for a request is free again once the request has gone wrong', async () => {
    const store = await open({ maxMemoryBytes: 4 * MiB });
    const broken = connect({ port: started?.port ?? 0, host: '127.0.0.1', allowHalfOpen: true });
    const ended = new Promise<string>((resolve) => {
      let told = '';
      broken.on('data', (data) => {
        told += String(data);
      });
      broken.on('end', () => resolve(told));
    });
    broken.write('*4\r\n$4\r\nMSET\r\n$1\r\na\r\n');
    broken.write(`$${3 * MiB}\r\n${'v'.repeat(3 * MiB)}\r\nnonsense\r\n`);
    expect(await ended).toBe("-ERR Protocol error: expected '$', got 'n'\r\n");
    // The peer is still there.
    expect(await put(store, 'b', 3 * MiB)).toBe('OK');
    broken.destroy();
  });

  test('copies share bytes, and each counts for all of them until it goes', async () => {
    const store = await open({ maxMemoryBytes: 20_000 * MiB });
    const bytes = 10 * MiB;
    const used = () => started?.orchestrator.stats().usedBytes ?? 0;
    await store.call('AI.TENSORSET', 'original', 'UINT8', bytes, 'BLOB', Buffer.alloc(bytes, 7));
    const one = used();
    const before = await memoryInUse();
    const copies = Array.from({ length: 1000 }, (_, copy) => `copy${String(copy).padStart(4, '0')}`);
    await Promise.all(copies.map((copy) => store.copy('original', copy)));
    expect(await memoryInUse()).toBeLessThan(before + 0.5 * bytes);
    expect(used()).toBe(1001 * one);
    expect(Number(await store.memory('USAGE', 'copy0000'))).toBe(one);
    await store.del('original');
    expect(used()).toBe(1000 * one);
    await store.call('AI.TENSORSET', 'copy0000', 'UINT8', 4, 'BLOB', 'four');
    expect(used()).toBe(1000 * one - bytes + 4);
    const [other, own] = (await Promise.all([
      store.callBuffer('AI.TENSORGET', 'copy0999', 'BLOB'),
      store.callBuffer('AI.TENSORGET', 'copy0000', 'BLOB'),
    ])) as [Buffer, Buffer];
    expect(own.toString()).toBe('four');
    expect(other.equals(Buffer.alloc(bytes, 7))).toBe(true);
    // A copy beyond the limit is refused, though it would take nothing now.
    await store.config('SET', 'maxmemory', String(used() + bytes));
    await expect(store.copy('copy0999', 'more')).rejects.toThrow(oom);
    await store.flushall();
    expect(used()).toBe(0);
    // Nothing is left in the books: a value as large as the limit fits.
    await store.config('SET', 'maxmemory', '64mb');
    await waitUntil('there is room', () =>
      put(store, 'k', 62 * MiB).then(
        () => true,
        () => false,
      ),
    );
    await store.del('k');
    expect(await memoryInUse()).toBeLessThan(before + bytes);
  });

  test('bytes of copies that are gone count once while somebody reads them, and then no more', async () => {
    const store = await open({ maxMemoryBytes: 64 * MiB });
    await put(store, 'original', 20 * MiB);
    await store.copy('original', 'copy');
    const reader = connect({ port: started?.port ?? 0, host: '127.0.0.1' });
    reader.pause();
    const requests = () => started?.orchestrator.stats().requests ?? 0;
    const asked = requests();
    reader.write('AI.TENSORGET copy BLOB\r\n');
    await waitUntil('it is being read', () => requests() > asked);
    await store.del('original', 'copy');
    expect(started?.orchestrator.stats().usedBytes).toBe(0);
    expect(await put(store, 'k', 42 * MiB)).toBe('OK');
    await store.del('k');
    await expect(put(store, 'k', 46 * MiB)).rejects.toThrow(oom);
    reader.destroy();
    await waitUntil('there is room', () =>
      put(store, 'k', 62 * MiB).then(
        () => true,
        () => false,
      ),
    );
  });

  test('MEMORY USAGE is what counts', async () => {
    const store = await open({});
    await put(store, 'a', MiB);
    await store.hset('h', { field: 'value' });
    const usage = Number(await store.memory('USAGE', 'a')) + Number(await store.memory('USAGE', 'h'));
    expect(started?.orchestrator.stats().usedBytes).toBe(usage);
    await store.hdel('h', 'field');
    await store.rpush('l', 'a', 'b');
    await store.lpop('l', 2);
    await store.del('a');
    expect(started?.orchestrator.stats().usedBytes).toBe(0);
  });
});

test('clients are listed and ended', async () => {
  const store = await open({});
  const other = new Redis(started?.port ?? 0, { retryStrategy: () => null });
  other.on('error', () => undefined);
  const ended = new Promise<void>((resolve) => other.on('end', () => resolve()));
  const id = Number(await other.client('ID'));
  await other.client('SETNAME', 'other');
  expect(String(await store.client('LIST'))).toMatch(new RegExp(`^id=${id} addr=127.0.0.1:\\d+ .*name=other .*$`, 'm'));
  expect(await store.client('KILL', 'ID', id)).toBe(1);
  await ended;
  expect(String(await store.client('LIST'))).not.toContain('name=other');
  other.disconnect();
});

test('each command is logged where that is asked for', async () => {
  const lines: string[] = [];
  const store = await open({ logCommands: true, log: (level, message) => lines.push(`${level} ${message}`) });
  await store.set('k\n', Buffer.from([0, 255]));
  expect(lines.find((line) => line.includes('"set"'))).toMatch(
    /^debug \[\d+ 127\.0\.0\.1:\d+\] "set" "k\\n" "\\u0000ÿ"$/,
  );
});

describe('SHUTDOWN', () => {
  test('is refused where nobody would notice', async () => {
    const store = await open({});
    await expect(store.call('SHUTDOWN')).rejects.toThrow('ERR this orchestrator is ended by the job');
  });

  test('tells whoever started it', async () => {
    let told = 0;
    const store = await open({ onShutdown: () => (told += 1) });
    await expect(store.call('SHUTDOWN', 'SAVE')).rejects.toThrow('ERR there is no file to save to');
    store.options.retryStrategy = () => null;
    store.on('error', () => undefined);
    expect(await store.call('SHUTDOWN', 'NOSAVE')).toBe('OK');
    await waitUntil('it is told', () => told === 1);
  });
});
