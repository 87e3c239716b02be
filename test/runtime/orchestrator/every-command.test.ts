import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { commands } from '../../../src/runtime/orchestrator/commands/table.js';
import { answeredByServers, type CommandRow, commandRows } from './support/command-rows.js';
import { isEmbedded } from './support/engine.js';
import { encode, RawClient, rawReply } from './support/raw-client.js';
import { type RawReply, ReplyReader } from './support/reply-reader.js';
import { onnxRuntime, type Started, start } from './support/start.js';

const noRedis = spawnSync('redis-server', ['--version']).error !== undefined;
/** Requests longer than this are cut at some places only: at all of them the model's bytes would cost minutes. */
const cutEverywhereBytes = 400;

const named = Object.entries(commandRows);
/** Without ONNX Runtime no model can be stored. */
const rows = named
  .filter(([, { before, request }]) => onnxRuntime !== undefined || ![...before, request].flat().includes('ONNX'))
  .filter(([name]) => isEmbedded || !answeredByServers.has(name));

test('every command has a row', () => {
  expect(named.map(([name]) => name).sort()).toEqual(commands.map(({ name }) => name).sort());
});

let started: Started;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'simwright-commands-'));
  started = await start({ checkpointFile: join(folder, 'checkpoint') });
});
afterAll(async () => {
  await started.stop();
  rmSync(folder, { recursive: true });
});

/** Sends what goes before a row's request, and reads the replies. */
async function setUp(client: RawClient, { before }: CommandRow): Promise<void> {
  const requests = [['FLUSHALL'], ...before];
  await client.write(Buffer.concat(requests.map((words) => encode(...words))));
  for (const _each of requests) await rawReply(client);
}

/** The reply to a row's request, sent in the pieces that the cuts make, one at a time. */
async function replyTo(path: string, row: CommandRow, cuts: readonly number[], between: () => Promise<unknown>) {
  const client = await RawClient.connect({ path });
  try {
    const replies: string[] = [];
    const request = encode(...row.request);
    for (const cut of cuts) {
      await setUp(client, row);
      if (cut > 0) {
        await client.write(request.subarray(0, cut));
        await between();
      }
      await client.write(request.subarray(cut));
      if (row.ends === true) return [(await client.readToEnd()).toString('latin1')];
      replies.push(await rawReply(client));
    }
    return replies;
  } finally {
    client.destroy();
  }
}

function places(length: number): number[] {
  const step = length <= cutEverywhereBytes ? 1 : Math.ceil(length / 100);
  return Array.from({ length: Math.ceil((length - 1) / step) }, (_, index) => 1 + index * step);
}

const matches = (reply: string, { reply: wanted }: CommandRow): void => {
  if (typeof wanted === 'string') expect(reply).toBe(wanted);
  else expect(reply).toMatch(wanted);
};

describe('as raw bytes, whole and cut in two at every byte', () => {
  test.each(rows)('%s', async (_name, row) => {
    const other = await RawClient.connect({ path: started.socketPath });
    // An answer to another client says that the store has turned to what came before.
    const between = async () => {
      await other.write(encode('PING'));
      await other.read(7);
    };
    const [whole = ''] = await replyTo(started.socketPath, row, [0], between);
    matches(whole, row);
    const cuts = places(encode(...row.request).length);
    if (row.ends === true || row.alone === true) {
      for (const cut of cuts) expect(await replyTo(started.socketPath, row, [cut], between)).toEqual([whole]);
    } else for (const reply of await replyTo(started.socketPath, row, cuts, between)) matches(reply, row);
    other.destroy();
  });
});

describe('through ioredis', () => {
  test.each(rows.filter(([, { ends, alone }]) => ends !== true && alone !== true))('%s', async (_name, row) => {
    const redis = new Redis(started.socketPath);
    const send = (words: readonly (string | Buffer)[]) =>
      redis.callBuffer(String(words[0]), ...words.slice(1)).catch((error: Error) => new Error(error.message));
    await send(['FLUSHALL']);
    for (const words of row.before) await send(words);
    const reply = await send(row.request);
    redis.disconnect();
    if (typeof row.reply === 'string') expect(reply).toEqual(await asIoredis(row.reply));
    else if (row.reply.source.startsWith('^-')) expect(`-${(reply as Error).message}\r\n`).toMatch(row.reply);
    else expect(reply).not.toBeInstanceOf(Error);
  });
});

/** A reply as ioredis gives it when it is asked for buffers. */
async function asIoredis(reply: string): Promise<unknown> {
  const reader = new ReplyReader();
  reader.feed(Buffer.from(reply, 'latin1'));
  const inner = (each: RawReply): unknown => {
    if (typeof each === 'string') return Buffer.from(each);
    return Array.isArray(each) ? each.map(inner) : each;
  };
  return inner(await reader.next(1000, () => 0, false));
}

describe.skipIf(noRedis)(`beside redis-server${noRedis ? ' (skipped: no redis-server)' : ''}`, () => {
  let path: string;
  let server: ChildProcess;
  beforeAll(async () => {
    path = join(folder, 'redis.sock');
    const words = ['--port', '0', '--unixsocket', path, '--save', '', '--dir', folder];
    server = spawn('redis-server', words, { stdio: ['ignore', 'pipe', 'inherit'] });
    await new Promise<void>((resolve, reject) => {
      server.once('exit', (code) => reject(new Error(`redis-server ended with ${code}`)));
      let log = '';
      server.stdout?.on('data', (chunk) => {
        log += String(chunk);
        if (log.includes('connections at')) resolve();
      });
    });
  });
  afterAll(() => server.kill());

  test.each(rows.filter(([, { differs }]) => differs === undefined))('%s', async (_name, row) => {
    const none = () => Promise.resolve();
    const theirs = await replyTo(path, row, [0], none);
    expect(await replyTo(started.socketPath, row, [0], none)).toEqual(theirs);
  });
});
