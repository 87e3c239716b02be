import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { commonCommands } from './support/differential-commands.js';
import { typeCommands } from './support/differential-types.js';
import { encode, RawClient, rawReply } from './support/raw-client.js';
import { type Started, start } from './support/start.js';

const missing = spawnSync('redis-server', ['--version']).error !== undefined;
const script = [...commonCommands, ['FLUSHALL'], ...typeCommands];

/** The reply to the words, as it comes. */
async function replyOf(client: RawClient, words: readonly (string | Buffer)[]): Promise<string> {
  await client.write(encode(...words));
  return rawReply(client);
}

describe.skipIf(missing).each([
  ['RESP2', '2'],
  ['RESP3', '3'],
])(`replies beside redis-server's in %s${missing ? ' (skipped: no redis-server)' : ''}`, (_title, version) => {
  let started: Started;
  let folder: string;
  let redis: ChildProcess;
  let theirs: RawClient;
  let ours: RawClient;

  beforeAll(async () => {
    started = await start();
    folder = mkdtempSync(join(tmpdir(), 'simwright-redis-'));
    const path = join(folder, 'redis.sock');
    redis = spawn('redis-server', ['--port', '0', '--unixsocket', path, '--save', '', '--dir', folder], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await new Promise<void>((resolve, reject) => {
      redis.once('exit', (code) => reject(new Error(`redis-server ended with ${code}`)));
      let log = '';
      redis.stdout?.on('data', (chunk) => {
        log += String(chunk);
        if (log.includes('connections at')) resolve();
      });
    });
    theirs = await RawClient.connect({ path });
    ours = await RawClient.connect({ path: started.socketPath });
    for (const client of [ours, theirs]) expect(await replyOf(client, ['HELLO', version])).toContain(`:${version}\r\n`);
  });
  afterAll(async () => {
    theirs?.destroy();
    ours?.destroy();
    redis?.kill();
    rmSync(folder, { recursive: true, force: true });
    await started.stop();
  });

  test.each(script.map((words) => [words.join(' ').slice(0, 60), words] as const))('%j', async (_name, words) => {
    expect(await replyOf(ours, words)).toBe(await replyOf(theirs, words));
  });
});
