import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { isNewEnough, type ServerProgram } from '../../../src/runtime/engine/find-engine.js';
import { encode, RawClient, rawReply } from '../orchestrator/support/raw-client.js';
import { modelFile, onnxRuntime } from '../orchestrator/support/start.js';
import { waitUntil } from '../support/wait-until.js';
import { lackOfStore, orSkipped } from './support/lacks.js';
import { type StartedServer, servers, startOnServer } from './support/servers.js';

const here = servers.filter(isNewEnough);
const lacks = lackOfStore({ 'a server': here[0] });
const onnx = onnxRuntime === undefined ? {} : { onnxRuntime };
const mebi = 1024 * 1024;
const maxBulkBytes = 4 * mebi;
/** Rounds that keep one core busy for well over 100 ms. */
const rounds = 1500;

describe.skipIf(lacks !== '').each(here.length === 0 ? [{ path: '', kind: 'redis' as const, version: '' }] : here)(
  orSkipped('a store on $kind $version among faults', lacks),
  (server: ServerProgram) => {
    let started: StartedServer;
    let redis: Redis;
    const open: RawClient[] = [];
    const call = (...words: (string | Buffer)[]) =>
      redis.call(...(words as [string])).then(
        (reply) => reply,
        (error: Error) => error.message,
      );
    const connect = async () => {
      const client = await RawClient.connect({ path: started.socketPath });
      open.push(client);
      return client;
    };
    const info = async (name: string) =>
      Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(await redis.info('everything'))?.[1]);
    const slow = ['AI.MODELEXECUTE', 'slow', 'INPUTS', '2', 'rounds', 'x', 'OUTPUTS', '1', 'y'];
    const fast = ['AI.MODELEXECUTE', 'fast', 'INPUTS', '1', 'two', 'OUTPUTS', '1', 'four'];
    const fill = async () => {
      await call('AI.MODELSTORE', 'slow', 'ONNX', 'CPU', 'BLOB', modelFile('slow'));
      await call('AI.MODELSTORE', 'fast', 'ONNX', 'CPU', 'BLOB', modelFile('double'));
      await call('AI.TENSORSET', 'two', 'FLOAT', '1', '2', 'VALUES', '1', '2');
      await call('AI.TENSORSET', 'x', 'FLOAT', '256', '256');
      await call('AI.TENSORSET', 'rounds', 'INT64', '1', 'VALUES', String(rounds));
    };
    /** Sends a slow run from a client of its own; resolves when the AI layer has it. */
    const begin = async (client: RawClient, words = slow) => {
      const sent = await info('ai_requests_sent');
      await client.write(encode(...words));
      await waitUntil('it runs', async () => (await info('ai_requests_sent')) > sent);
    };

    beforeAll(async () => {
      started = await startOnServer(server, { ...onnx, intraOpThreads: 1, maxBulkBytes });
      redis = new Redis(started.socketPath);
    });
    beforeEach(async () => {
      await call('FLUSHALL');
      await fill();
    });
    afterEach(() => {
      for (const client of open.splice(0)) client.destroy();
    });
    afterAll(async () => {
      redis.disconnect();
      await started.stop();
    });

    test('clients that go in the middle of a tensor leave nothing', async () => {
      const before = await info('used_memory');
      const whole = encode(
        'AI.TENSORSET',
        'half',
        'UINT8',
        String(4 * mebi - 4096),
        'BLOB',
        Buffer.alloc(4 * mebi - 4096),
      );
      for (let count = 0; count < 20; count += 1) await (await connect()).write(whole.subarray(0, 3 * mebi));
      await waitUntil('it is with the server', async () => (await info('used_memory')) > before + 40 * mebi);
      expect(await call(...fast)).toBe('OK');
      for (const client of open.splice(0)) client.destroy();
      await waitUntil('its memory is given back', async () => (await info('used_memory')) < before + 4 * mebi);
      expect(await call('EXISTS', 'half')).toBe(0);
    });

    test('a client that does not read what it asks for loses its connection before that fills the memory', async () => {
      await call('AI.TENSORSET', 'large', 'UINT8', String(mebi), 'BLOB', Buffer.alloc(mebi, 1));
      const client = await connect();
      await client.write(encode('CLIENT', 'ID'));
      const id = String(await rawReply(client))
        .slice(1)
        .trim();
      client.pause();
      await client.write(Buffer.concat(Array.from({ length: 10_000 }, () => encode('AI.TENSORGET', 'large', 'BLOB'))));
      await waitUntil('it is ended', async () => (await call('CLIENT', 'LIST', 'ID', id)) === '');
      // Two of the largest values, which is eight of these, and what the tests before have left.
      expect(await info('used_memory_peak')).toBeLessThan(160 * mebi);
      expect(await call(...fast)).toBe('OK');
      // Whoever reads gets all, however much it is at once.
      const reader = await connect();
      const count = 8;
      await reader.write(Buffer.concat(Array.from({ length: count }, () => encode('AI.TENSORGET', 'large', 'BLOB'))));
      const one = Buffer.byteLength(`$${mebi}\r\n`) + mebi + 2;
      expect((await reader.read(count * one)).length).toBe(count * one);
    });

    test.each(['FLUSHALL', 'FLUSHALL ASYNC', 'FLUSHDB'])('%s in the middle of a run', async (words) => {
      const client = await connect();
      await begin(client);
      expect(await call(...words.split(' '))).toBe('OK');
      expect(await call(...fast)).toBe('ERR model key is empty');
      // Its inputs were taken when it began, and its result is the first thing in the empty store.
      expect(String(await client.read(5))).toBe('+OK\r\n');
      expect(await call('KEYS', '*')).toEqual(['y']);
    });

    test('an answer that comes after its client has gone is written all the same', async () => {
      const client = await connect();
      await begin(client);
      client.destroy();
      await waitUntil('the result is there', async () => (await call('EXISTS', 'y')) === 1);
      expect(await call('EXISTS', 'y')).toBe(1);
    });

    test('an answer to keys that hold something else by then is an error, and nothing of it is written', async () => {
      const client = await connect();
      await begin(client);
      await call('SET', 'y', 'text');
      expect(String(await client.read(10))).toBe('-WRONGTYPE');
      expect(await call('GET', 'y')).toBe('text');
    });

    test('an AI layer that is dumb is ended after the longest time of a run, and another takes its place', async () => {
      const executionTimeoutSeconds = 3;
      const other = await startOnServer(server, { ...onnx, executionTimeoutSeconds });
      const client = new Redis(other.socketPath);
      await client.call('AI.MODELSTORE', 'fast', 'ONNX', 'CPU', 'BLOB', modelFile('double'));
      await client.call('AI.TENSORSET', 'two', 'FLOAT', '1', '2', 'VALUES', '1', '2');
      const before = other.store.pids.worker;
      process.kill(before ?? 0, 'SIGSTOP');
      await expect(client.call(...(fast as [string]))).rejects.toThrow(
        'ERR the AI layer ended while it ran this command',
      );
      const notice = `it gave no sign of life for ${executionTimeoutSeconds} s`;
      await waitUntil('that is told', () => other.log.some((line) => line.includes(notice)));
      expect(await client.call(...(fast as [string]))).toBe('OK');
      expect(other.store.pids.worker).not.toBe(before);
      client.disconnect();
      await other.stop();
    });

    test('a cheap model does not wait behind a dear one, and nobody else does', async () => {
      for (let run = 0; run < 20; run += 1) await call(...fast);
      const client = await connect();
      const pending = { slow: true };
      await begin(client, [...slow.slice(0, -1), 'late']);
      void client.read(5).then(() => {
        pending.slow = false;
      });
      let ran = 0;
      while (pending.slow && ran < 20) {
        expect(await call('PING')).toBe('PONG');
        expect(await call(...fast)).toBe('OK');
        ran += 1;
      }
      expect(ran).toBe(20);
    });
  },
);
