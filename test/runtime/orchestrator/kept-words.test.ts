import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { Dispatcher } from '../../../src/runtime/orchestrator/server/dispatch.js';
import { type CommandRow, commandRows } from './support/command-rows.js';
import { encode, RawClient } from './support/raw-client.js';
import { modelFile, onnxRuntime, type Started, start } from './support/start.js';

const { run } = Dispatcher.prototype;
type Words = readonly (string | Buffer)[];

/** Hands requests over as views of memory that changes as soon as the call has returned, as a socket's chunk may. */
function runOnShortLivedWords(this: Dispatcher, context: Parameters<typeof run>[0], words: Buffer[]) {
  const memory = Buffer.concat([...words, Buffer.from('end')]);
  let end = 0;
  const views = words.map(({ length }) => {
    end += length;
    return memory.subarray(end - length, end);
  });
  const reply = run.call(this, context, views);
  memory.fill('#');
  return reply;
}

const model = modelFile('double');

const entryPoint = 'def f(tensors: List[Tensor], keys: List[str], args: List[str]):\n    return tensors\n';

const more: Readonly<Record<string, Pick<CommandRow, 'before' | 'request'>>> = {
  'CLIENT SETNAME': { before: [], request: ['CLIENT', 'SETNAME', 'me'] },
  'CONFIG SET': { before: [], request: ['CONFIG', 'SET', 'lua-time-limit', '6000'] },
  'AI.CONFIG BACKENDSPATH': { before: [], request: ['AI.CONFIG', 'BACKENDSPATH', '/somewhere'] },
  'SET with options': { before: [['SET', 'a', 'old']], request: ['SET', 'a', 'new', 'XX', 'GET', 'EX', '100'] },
  'strings by value': { before: [], request: ['AI.TENSORSET', 's', 'STRING', '2', 'VALUES', 'one', 'two'] },
  'strings as bytes': { before: [], request: ['AI.TENSORSET', 's', 'STRING', '2', 'BLOB', 'one\0two\0'] },
  'a script with entry points': {
    before: [],
    request: ['AI.SCRIPTSTORE', 's', 'CPU', 'TAG', 'tag', 'ENTRY_POINTS', '1', 'f', 'SOURCE', entryPoint],
  },
  'a model in pieces': {
    before: [],
    request: ['AI.MODELSTORE', 'm', 'ONNX', 'CPU', 'BLOB', model.subarray(0, 30), model.subarray(30)],
  },
  'a copy of a list': { before: [['RPUSH', 'l', 'one', 'two']], request: ['COPY', 'l', 'm'] },
  'a renamed hash': { before: [['HSET', 'h', 'f', 'v']], request: ['RENAME', 'h', 'g'] },
};

const rows = Object.entries({ ...commandRows, ...more }).filter(
  ([, { before, request }]) => onnxRuntime !== undefined || ![...before, request].flat().includes('ONNX'),
);

const reads: Readonly<Record<string, (key: Buffer) => Words>> = {
  string: (key) => ['GET', key],
  hash: (key) => ['HGETALL', key],
  list: (key) => ['LRANGE', key, '0', '-1'],
  AI_TENSOR: (key) => ['AI.TENSORGET', key],
  AI__MODEL: (key) => ['AI.MODELGET', key],
  AI_SCRIPT: (key) => ['AI.SCRIPTGET', key],
};

let started: Started;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'simwright-words-'));
  started = await start({ checkpointFile: join(folder, 'checkpoint') });
});
afterAll(async () => {
  await started.stop();
  rmSync(folder, { recursive: true });
});

const send = (redis: Redis, words: Words): Promise<unknown> =>
  redis.callBuffer(String(words[0]), ...words.slice(1)).catch((error: Error) => error.message);

/** All that the store keeps and tells. */
async function contents(redis: Redis): Promise<unknown[]> {
  const kept: unknown[] = [];
  const keys = (await redis.keysBuffer('*')).sort(Buffer.compare);
  for (const key of keys) {
    const read = reads[await redis.type(key)];
    if (read === undefined) throw new Error(`${key} holds something that nothing here reads`);
    kept.push(key, await send(redis, read(key)));
  }
  for (const words of [
    ['CLIENT', 'GETNAME'],
    ['CONFIG', 'GET', 'lua*'],
    ['AI.CONFIG', 'GET', 'BACKENDSPATH'],
  ]) {
    kept.push(await send(redis, words));
  }
  return kept;
}

/** What a row's request answers and leaves behind. */
async function outcome({ before, request }: Pick<CommandRow, 'before' | 'request'>) {
  const redis = new Redis(started.socketPath);
  try {
    await send(redis, ['FLUSHALL']);
    await send(redis, ['AI.CONFIG', 'BACKENDSPATH', '']);
    for (const words of before) await send(redis, words);
    return { reply: await send(redis, request), kept: await contents(redis) };
  } finally {
    redis.disconnect();
  }
}

/** Where replies differ from one time to the next. */
const tellsOfTheMoment = new Set(['hello', 'info', 'lastsave', 'pttl', 'time']);

describe('no command keeps its words, or answers with them, beyond its call', () => {
  test.each(rows.filter(([, row]) => !('ends' in row) && !('alone' in row)))('%s', async (name, row) => {
    const usual = await outcome(row);
    const spy = vi.spyOn(Dispatcher.prototype, 'run').mockImplementation(runOnShortLivedWords);
    try {
      const { reply, kept } = await outcome(row);
      expect(kept).toEqual(usual.kept);
      if (!tellsOfTheMoment.has(name)) expect(reply).toEqual(usual.reply);
    } finally {
      spy.mockRestore();
    }
  });
});

describe.skipIf(onnxRuntime === undefined).each(['AI.MODELSTORE', 'AI.MODELSET'])('%s', (command) => {
  test('keeps its words while it waits for another to the same key', async () => {
    const clients = Array.from({ length: 3 }, () => new Redis(started.socketPath));
    await Promise.all(clients.map((redis) => redis.ping()));
    const spy = vi.spyOn(Dispatcher.prototype, 'run').mockImplementation(runOnShortLivedWords);
    try {
      const store = (redis: Redis, index: number) =>
        redis.call(command, 'm', 'ONNX', 'CPU', 'TAG', `t${index}`, 'BLOB', model.subarray(0, 30), model.subarray(30));
      expect(await Promise.all(clients.map(store))).toEqual(['OK', 'OK', 'OK']);
      expect(await clients[0]?.callBuffer('AI.MODELGET', 'm', 'BLOB')).toEqual(model);
    } finally {
      spy.mockRestore();
      for (const redis of clients) redis.disconnect();
    }
  });
});

describe.skipIf(onnxRuntime === undefined)('behind a slow request', () => {
  const slow = encode('AI.MODELEXECUTE', 'slow', 'INPUTS', '2', 'rounds', 'x', 'OUTPUTS', '1', 'y');

  /** One that gets late replies as they are, and a model that keeps a core busy for well over 300 ms. */
  async function client(): Promise<RawClient> {
    const redis = new Redis(started.socketPath);
    await redis.flushall();
    await redis.call('AI.MODELSTORE', 'slow', 'ONNX', 'CPU', 'BLOB', modelFile('slow'));
    await redis.call('AI.TENSORSET', 'x', 'FLOAT', '256', '256');
    await redis.call('AI.TENSORSET', 'rounds', 'INT64', '1', 'VALUES', '4000');
    redis.disconnect();
    const raw = await RawClient.connect({ path: started.socketPath });
    await raw.write(encode('CLIENT', 'SETNAME', 'raw'));
    expect((await raw.read(5)).toString()).toBe('+OK\r\n');
    return raw;
  }

  test('waiting requests are theirs whatever others send meanwhile', async () => {
    const waiting = await client();
    const value = 'v'.repeat(20_000);
    await waiting.write(
      Buffer.concat([slow, encode('ECHO', value), encode('SET', 'key', value), encode('GET', 'key')]),
    );
    const others = new Redis(started.socketPath);
    for (let count = 0; count < 2; count += 1) {
      await Promise.all(Array.from({ length: 8 }, () => others.echo('#'.repeat(30_000))));
    }
    expect(await others.exists('y', 'key')).toBe(0);
    others.disconnect();
    const bulk = `$${value.length}\r\n${value}\r\n`;
    const wanted = `+OK\r\n${bulk}+OK\r\n${bulk}`;
    expect((await waiting.read(wanted.length)).toString()).toBe(wanted);
    waiting.destroy();
  });

  test.each([
    ['QUIT', encode('QUIT'), '+OK\r\n'],
    ['what is no request', Buffer.from('nonsense "\r\n'), '-ERR Protocol error: '],
  ])('many requests and %s end the connection', async (_name, last, answer) => {
    const leaving = await client();
    await leaving.write(Buffer.concat([slow, ...Array.from({ length: 1500 }, () => encode('PING')), last]));
    const replies = (await leaving.readToEnd()).toString();
    expect(replies).toMatch(/^\+OK\r\n(\+PONG\r\n){1500}/);
    expect(replies).toContain(answer);
    const redis = new Redis(started.socketPath);
    await expect.poll(async () => String(await redis.client('LIST')), { timeout: 20_000 }).not.toContain('name=raw');
    redis.disconnect();
  });
});
