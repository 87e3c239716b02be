import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isNewEnough } from '../../../src/runtime/engine/find-engine.js';
import { ServerProcess } from '../../../src/runtime/engine/server-process.js';
import { EngineWorker } from '../../../src/runtime/orchestrator/framed/engine-worker.js';
import { modelFile, onnxRuntime } from '../orchestrator/support/start.js';
import { waitUntil } from '../support/wait-until.js';
import { builtModule, hasCompiler, type StartedServer, servers, startOnServer } from './support/servers.js';

const here = servers.filter(isNewEnough);
const why =
  here.length === 0 ? ' (skipped: there is no server)' : hasCompiler ? '' : ' (skipped: there is no C compiler)';

describe.skipIf(why !== '').each(here.length === 0 ? [{ path: '', kind: 'redis' as const, version: '' }] : here)(
  `the module in $kind $version${why}`,
  (server) => {
    let started: StartedServer;
    let redis: Redis;
    const call = (...words: (string | Buffer | number)[]) => redis.callBuffer(...(words.map(String) as [string]));
    const text = (...words: (string | Buffer)[]) =>
      redis.call(...(words as [string])).then(
        (reply) => reply,
        (error: Error) => error.message,
      );
    beforeAll(async () => {
      started = await startOnServer(server, {
        ...(onnxRuntime !== undefined && { onnxRuntime }),
        log: () => undefined,
      });
      redis = new Redis(started.socketPath);
    });
    afterAll(async () => {
      redis.disconnect();
      await started.stop();
    });

    test('keeps tensors as values of a type of their own', async () => {
      const bytes = Buffer.from(Float32Array.of(1, 2, 3).buffer);
      expect(await text('AI.TENSORSET', 'a', 'FLOAT', '3', 'BLOB', bytes)).toBe('OK');
      expect(await text('TYPE', 'a')).toBe('AI_TENSOR');
      expect(await text('GET', 'a')).toMatch(/^WRONGTYPE/);
      expect(await text('COPY', 'a', 'b')).toBe(1);
      expect(await text('RENAME', 'b', 'c')).toBe('OK');
      expect(await redis.callBuffer('AI.TENSORGET', 'c', 'BLOB')).toEqual(bytes);
      expect(Number(await text('MEMORY', 'USAGE', 'a'))).toBeGreaterThan(12);
      expect(await text('EXPIRE', 'c', '100')).toBe(1);
      expect(await text('SET', 'text', 'x')).toBe('OK');
      expect(await text('AI.TENSORSET', 'text', 'FLOAT', '1')).toMatch(/^WRONGTYPE/);
    });

    test('lets a tensor that is set anew live on, also where another one would have expired', async () => {
      const put = (values: string) => text('AI.TENSORSET', 'again', 'INT8', '1', 'VALUES', values);
      await put('1');
      const first = text('AI.TENSORGET', 'again', 'VALUES');
      expect(await text('EXPIRE', 'again', '100')).toBe(1);
      await redis.watch('again');
      expect(await put('2')).toBe('OK');
      expect(await redis.multi().ping().exec()).toBeNull();
      expect([await first, await text('AI.TENSORGET', 'again', 'VALUES')]).toEqual([[1], [2]]);
      expect(await text('TTL', 'again')).toBe(-1);
    });

    test('dumps and restores tensors, and takes no damaged dump', async () => {
      await text('AI.TENSORSET', 'dumped', 'INT16', '2', '2', 'VALUES', '1', '-2', '3', '-4');
      const dump = (await redis.callBuffer('DUMP', 'dumped')) as Buffer;
      expect(await text('RESTORE', 'restored', '0', dump)).toBe('OK');
      expect(await text('AI.TENSORGET', 'restored', 'VALUES')).toEqual([1, -2, 3, -4]);
      for (let at = 0; at < dump.length; at += 1) {
        const damaged = Buffer.from(dump);
        damaged[at] = (damaged[at] ?? 0) ^ 0x55;
        expect(await text('RESTORE', 'damaged', '0', damaged)).toMatch(/^ERR /);
      }
      expect(await text('PING')).toBe('PONG');
    });

    test.each([
      ['AI.TENSORSET k FLOAT 1', 'k'],
      ['AI.MODELSTORE m ONNX CPU BLOB x', 'm'],
      ['AI.MODELEXECUTE m INPUTS 2 a b OUTPUTS 1 c TIMEOUT 5', 'm a b c'],
      ['AI.MODELEXECUTE m INPUTS 99 a b', 'm a b'],
      ['AI.MODELEXECUTE m INPUTS -1 a', 'm'],
      ['AI.MODELRUN m TIMEOUT 7 INPUTS a b OUTPUTS c', 'm a b c'],
      ['AI.SCRIPTEXECUTE s f KEYS 1 k INPUTS 2 a b ARGS 2 x y OUTPUTS 1 c', 's k a b c'],
      ['AI.SCRIPTRUN s f INPUTS a $ b OUTPUTS c', 's a b c'],
      [
        'AI.DAGEXECUTE LOAD 1 a PERSIST 1 c ROUTING r |> AI.MODELEXECUTE m INPUTS 1 a OUTPUTS 1 c |> AI.SCRIPTRUN s f INPUTS c',
        'a c r m s',
      ],
    ])('tells the keys of %s', async (words, keys) => {
      expect(await text('COMMAND', 'GETKEYS', ...words.split(' '))).toEqual(keys.split(' '));
    });

    test('refuses to run programs in a transaction and in a script, and sets tensors there', async () => {
      const replies = await redis
        .multi()
        .call('AI.TENSORSET', 't', 'FLOAT', '1')
        .call('AI.MODELEXECUTE', 'm', 'INPUTS', '1', 't', 'OUTPUTS', '1', 'u')
        .exec();
      expect(replies?.map(([error, reply]) => error?.message ?? reply)).toEqual([
        'OK',
        'ERR Cannot run RedisAI command within a transaction or a LUA script',
      ]);
      const script = "return redis.call('AI.TENSORGET', KEYS[1], 'VALUES')";
      expect(await text('EVAL', script, '1', 't')).toEqual(['0']);
      expect(await text('EVAL', "return redis.call('AI.INFO', KEYS[1])", '1', 't')).toMatch(/LUA script/);
    });

    test('lets nobody write in its name, load modules, or end it', async () => {
      expect(await text('AI._APPLY')).toMatch(/^ERR only the module itself/);
      for (const words of [['MODULE', 'LOAD', '/x'], ['SHUTDOWN'], ['REPLICAOF', 'x', '1'], ['DEBUG', 'SEGFAULT']]) {
        expect(await text(...words)).toMatch(/^NOPERM|^ERR (MODULE|DEBUG) command not allowed/);
      }
      expect(await text('CONFIG', 'SET', 'dir', '/tmp')).toMatch(/^ERR .*protected/);
    });

    test('lets go of values that another thread releases', async () => {
      for (let round = 0; round < 20; round += 1) {
        const puts = Array.from({ length: 200 }, (_, at) => text('AI.TENSORSET', `f${at}`, 'FLOAT', '256'));
        await Promise.all(puts);
        expect(await text('FLUSHALL', 'ASYNC')).toBe('OK');
      }
      const used = async () => Number(/used_memory:(\d+)/.exec(String(await call('INFO', 'memory')))?.[1]);
      await waitUntil('memory is given back', async () => (await used()) < 16 * 1024 * 1024);
    });

    describe.skipIf(onnxRuntime === undefined)('with models', () => {
      beforeAll(async () => {
        await text('AI.MODELSTORE', 'm', 'ONNX', 'CPU', 'TAG', 'v1', 'BLOB', modelFile('double'));
        await text('AI.TENSORSET', 'x', 'FLOAT', '1', '2', 'VALUES', '1', '2');
      });
      const run = (model: string) => text('AI.MODELEXECUTE', model, 'INPUTS', '1', 'x', 'OUTPUTS', '1', 'y');

      test('renames, copies and deletes them, each with counts of its own', async () => {
        expect(await run('m')).toBe('OK');
        expect(await text('RENAME', 'm', 'n')).toBe('OK');
        expect(await run('m')).toBe('ERR model key is empty');
        expect(await text('COPY', 'n', 'm')).toBe(1);
        expect(await run('m')).toBe('OK');
        expect(await run('n')).toBe('OK');
        const calls = async (key: string) => ((await text('AI.INFO', key)) as unknown[])[15];
        expect([await calls('n'), await calls('m')]).toEqual([2, 1]);
        expect((await text('AI._MODELSCAN')) as unknown[]).toHaveLength(2);
        expect(await text('DEL', 'n')).toBe(1);
        expect(await run('n')).toBe('ERR model key is empty');
        expect(await run('m')).toBe('OK');
      });

      test('keeps a model that cannot be loaded, so that it can be replaced and deleted', async () => {
        expect(await text('AI._RESTORE', 'broken', 'MODEL', Buffer.alloc(16 * 2 ** 20 + 1), 'bytes')).toMatch(/^ERR /);
        expect(await text('AI._RESTORE', 'broken', 'MODEL', '{"backend":"ONNX"}', 'bytes')).toBe('OK');
        expect(await run('broken')).toMatch(/no model or script of this version/);
        expect(await text('AI._MODELSCAN')).toEqual(expect.arrayContaining([['broken', '']]));
        expect(await text('AI.MODELSTORE', 'broken', 'ONNX', 'CPU', 'BLOB', modelFile('double'))).toBe('OK');
        expect(await run('broken')).toBe('OK');
        expect(await text('AI.MODELDEL', 'broken')).toBe('OK');
      });

      test('refuses commands with more to send than it can', async () => {
        const dimensions = Array.from({ length: 60_000 }, () => '1');
        expect(await text('AI.TENSORSET', 'deep', 'INT8', ...dimensions)).toBe('OK');
        const inputs = Array.from({ length: 200 }, () => 'deep');
        const many = ['AI.MODELEXECUTE', 'm', 'INPUTS', '200', ...inputs, 'OUTPUTS', '1', 'y'];
        expect(await text(...many)).toMatch(/^ERR the command names more keys/);
        expect(await run('m')).toBe('OK');
      });

      test('runs on when the keyspace is emptied meanwhile', async () => {
        const other = new Redis(started.socketPath);
        const runs = Array.from({ length: 200 }, () => run('m'));
        await other.flushall();
        other.disconnect();
        const replies = new Set(await Promise.all(runs));
        for (const reply of replies)
          expect(String(reply)).toMatch(/^(OK|ERR model key is empty|ERR tensor key is empty.*)$/);
        await text('AI.MODELSTORE', 'm', 'ONNX', 'CPU', 'BLOB', modelFile('double'));
        await text('AI.TENSORSET', 'x', 'FLOAT', '1', '2', 'VALUES', '1', '2');
        expect(await run('m')).toBe('OK');
      });

      test('goes on when the AI layer is killed again and again under load', async () => {
        const replies = new Set<unknown>();
        let done = 0;
        let isOver = false;
        const clients = Array.from({ length: 4 }, () => new Redis(started.socketPath));
        const load = clients.map(async (client) => {
          while (!isOver) {
            const words = ['AI.MODELEXECUTE', 'm', 'INPUTS', '1', 'x', 'OUTPUTS', '1', 'y'] as const;
            replies.add(await client.call(...words).catch((error: Error) => error.message));
            done += 1;
          }
        });
        for (let kill = 0; kill < 3; kill += 1) {
          const before = started.store.pids.worker;
          const at = done;
          await waitUntil('runs succeed', () => done > at + 10);
          if (before !== undefined) process.kill(before, 'SIGKILL');
          await waitUntil('another one has come', () => {
            const { worker } = started.store.pids;
            return worker !== undefined && worker !== before;
          });
        }
        const at = done;
        await waitUntil('runs succeed again', () => done > at + 10);
        isOver = true;
        await Promise.all(load);
        for (const client of clients) client.disconnect();
        for (const reply of replies)
          expect(['OK', 'ERR the AI layer ended while it ran this command']).toContain(reply);
        expect(await text('AI.TENSORGET', 'x', 'VALUES')).toEqual(['1', '2']);
      });
    });
  },
);

const older = servers.find((one) => !isNewEnough(one));
const lacks =
  older === undefined
    ? 'a Redis 6.2'
    : !hasCompiler
      ? 'a C compiler'
      : onnxRuntime === undefined
        ? 'onnxruntime-node'
        : '';

describe.skipIf(lacks !== '')(
  `a server that lends no event loop, Redis 6.2${lacks === '' ? '' : ` (skipped: there is no ${lacks})`}`,
  () => {
    test('loads the same module, which looks at the AI layer by a timer', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'simwright-old-'));
      const place = join(folder, 'store.sock');
      const words = ['loadmodule', await builtModule(), 'socket', join(folder, 'ai.sock'), 'parent', process.pid];
      const config = `port 0\nunixsocket ${place}\nsave ""\ndir ${folder}\n${words.join(' ')}\n`;
      const server = new ServerProcess(older?.path ?? '', config, () => undefined);
      await (await server.answering(`unix://${place}`)).close();
      const worker = new EngineWorker({ socketPath: join(folder, 'ai.sock'), maxBulkBytes: 2 ** 29, onnxRuntime });
      await worker.ready();
      const redis = new Redis(place);
      expect(await redis.call('AI.MODELSTORE', 'm', 'ONNX', 'CPU', 'BLOB', modelFile('double'))).toBe('OK');
      expect(await redis.call('AI.TENSORSET', 'x', 'FLOAT', '1', '2', 'VALUES', '1', '2')).toBe('OK');
      expect(await redis.call('AI.MODELEXECUTE', 'm', 'INPUTS', '1', 'x', 'OUTPUTS', '1', 'y')).toBe('OK');
      expect(await redis.call('AI.TENSORGET', 'y', 'VALUES')).toEqual(['2', '4']);
      expect(await redis.call('AI._MODELSCAN')).toEqual([['m', '']]);
      // A server that follows another one by then takes no results.
      await redis.call('AI.MODELSTORE', 'slow', 'ONNX', 'CPU', 'BLOB', modelFile('slow'));
      await redis.call('AI.TENSORSET', 'often', 'INT64', '1', 'VALUES', '300');
      await redis.call('AI.TENSORSET', 'matrix', 'FLOAT', '256', '256');
      const other = new Redis(place);
      const count = async (what: string) =>
        new RegExp(`requests_${what}:(\\d+)`).exec(await other.info('modules'))?.[1];
      const before = await count('sent');
      const run = redis.call('AI.MODELEXECUTE', 'slow', 'INPUTS', '2', 'often', 'matrix', 'OUTPUTS', '1', 'y');
      const reply = run.catch((error: Error) => error.message);
      await waitUntil('the AI layer runs it', async () => (await count('sent')) !== before);
      await other.replicaof('127.0.0.1', 1);
      expect(await reply).toMatch(/^(UNBLOCKED|READONLY) /);
      await waitUntil('the run has ended', async () => (await count('failed')) === '1');
      expect(await redis.call('AI.TENSORGET', 'y', 'VALUES')).toEqual(['2', '4']);
      await other.call('REPLICAOF', 'NO', 'ONE');
      other.disconnect();
      expect(await redis.call('FLUSHALL', 'ASYNC')).toBe('OK');
      redis.disconnect();
      await worker.close();
      await server.stop();
      rmSync(folder, { recursive: true });
    });
  },
);
