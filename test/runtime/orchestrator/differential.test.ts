import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encode, RawClient } from './support/raw-client.js';
import { type Started, start } from './support/start.js';

const missing = spawnSync('redis-server', ['--version']).error !== undefined;

/** Commands whose replies must be those of Redis to the byte. */
const script: (string | Buffer)[][] = [
  ['PING'],
  ['PING', 'hello'],
  ['PING', 'a', 'b'],
  ['ECHO', Buffer.from([0, 13, 10, 255])],
  ['EXISTS'],
  ['EXISTS', 'a', 'a', 'b'],
  ['SET', 'a', Buffer.from([0, 13, 10, 255])],
  ['SET', 'empty', ''],
  ['GET', 'a'],
  ['GET', 'empty'],
  ['GET', 'missing'],
  ['GET'],
  ['SET', 'a'],
  ['EXISTS', 'a', 'a', 'b'],
  ['TYPE', 'a'],
  ['TYPE', 'missing'],
  ['DBSIZE'],
  ['RENAME', 'a', 'b'],
  ['RENAME', 'a', 'b'],
  ['RENAME', 'b', 'b'],
  ['RENAME', 'b'],
  ['DEL', 'b', 'b', 'missing'],
  ['UNLINK', 'empty'],
  ['DEL'],
  ['HSET', 'h', 'f1', 'v1', 'f2', 'v2'],
  ['HSET', 'h', 'f1', 'new', 'f3', ''],
  ['HSET', 'h', 'f1'],
  ['HSET', 'h', 'f1', 'v', 'f2'],
  ['HMSET', 'h', 'f4', Buffer.from([0, 1, 2])],
  ['HMSET', 'h', 'f1', 'v', 'f2'],
  ['HGETALL', 'h'],
  ['HGETALL', 'missing'],
  ['HGET', 'h', 'f4'],
  ['HGET', 'h', 'f9'],
  ['HEXISTS', 'h', 'f1'],
  ['HEXISTS', 'h', 'f9'],
  ['HEXISTS', 'missing', 'f'],
  ['HLEN', 'h'],
  ['TYPE', 'h'],
  ['GET', 'h'],
  ['RPUSH', 'h', 'x'],
  ['RPUSH', 'l', 'a', 'b', Buffer.from([0]), ''],
  ['RPUSH', 'l'],
  ['LLEN', 'l'],
  ['LLEN', 'missing'],
  ['LRANGE', 'l', '0', '-1'],
  ['LRANGE', 'l', '1', '2'],
  ['LRANGE', 'l', '-2', '100'],
  ['LRANGE', 'l', '-100', '0'],
  ['LRANGE', 'l', '3', '1'],
  ['LRANGE', 'l', '9', '12'],
  ['LRANGE', 'l', 'x', '1'],
  ['LRANGE', 'missing', '0', '-1'],
  ['HSET', 'l', 'f', 'v'],
  ['HGETALL', 'l'],
  ['TYPE', 'l'],
  ['RENAME', 'l', 'h'],
  ['TYPE', 'h'],
  ['KEYS', 'h*'],
  ['KEYS', '[^h]'],
  ['SCAN', '0', 'COUNT', '100'],
  ['SCAN', 'x'],
  ['SCAN', '0', 'COUNT'],
  ['SCAN', '0', 'COUNT', '0'],
  ['SELECT', '0'],
  ['SELECT', 'x'],
  ['FLUSHDB', 'NOW'],
  ['FLUSHDB'],
  ['FLUSHALL', 'SYNC'],
  ['DBSIZE'],
  ['NONSENSE'],
  ['nonsense', 'one', 'two'],
  ['NONSENSE', 'x'.repeat(200), 'y'],
  ['n'.repeat(200), 'x'],
  ['CLIENT', 'GETNAME'],
  ['CLIENT', 'SETNAME', 'a b'],
  ['CLIENT', 'SETNAME', 'tester'],
  ['CLIENT', 'GETNAME'],
  ['CLIENT', 'SETNAME'],
  ['CLIENT', 'NONSENSE'],
  ['CLIENT'],
  ['CONFIG', 'GET', 'lua-time-limit'],
  ['CONFIG', 'SET', 'lua-time-limit', '4000'],
  ['CONFIG', 'GET', 'LUA-time-limit'],
  ['CONFIG', 'GET', 'nonsense'],
  ['CONFIG', 'SET', 'nonsense', '1'],
  ['CONFIG', 'SET', 'ignore-warnings', 'ARM64-COW-BUG'],
  ['CONFIG', 'GET', 'ignore-warnings'],
  ['CONFIG', 'GET', 'maxmemory-policy'],
  ['CONFIG', 'GET'],
  ['CONFIG', 'SET', 'lua-time-limit'],
  ['CONFIG', 'NONSENSE'],
  ['FLUSHALL'],
  ['SET', 's', 'v', 'XX'],
  ['SET', 's', 'v', 'NX'],
  ['SET', 's', 'w', 'NX'],
  ['SET', 's', 'w', 'GET'],
  ['SET', 's', 'x', 'NX', 'XX'],
  ['SET', 's', 'x', 'EX', '0'],
  ['SET', 's', 'x', 'EX', 'y'],
  ['SET', 's', 'x', 'EX'],
  ['SET', 's', 'x', 'EX', '10', 'PX', '10'],
  ['SET', 's', 'x', 'KEEPTTL', 'EX', '10'],
  ['SET', 's', 'x', 'NONSENSE'],
  ['SET', 's', 'x', 'EX', '100'],
  ['TTL', 's'],
  ['SET', 's', 'y', 'KEEPTTL'],
  ['TTL', 's'],
  ['APPEND', 's', 'z'],
  ['TTL', 's'],
  ['SET', 's', 'y'],
  ['TTL', 's'],
  ['TTL', 'missing'],
  ['PTTL', 'missing'],
  ['PTTL', 's'],
  ['EXPIRE', 's', '100'],
  ['EXPIRE', 's', '50', 'GT'],
  ['EXPIRE', 's', '200', 'GT'],
  ['EXPIRE', 's', '100', 'LT'],
  ['EXPIRE', 's', '100', 'NX'],
  ['EXPIRE', 's', '100', 'XX'],
  ['EXPIRE', 's', '100', 'NX', 'XX'],
  ['EXPIRE', 's', '100', 'GT', 'LT'],
  ['EXPIRE', 's', '100', 'ZZ'],
  ['EXPIRE', 's', 'x'],
  ['EXPIRE', 's'],
  ['EXPIRE', 'missing', '100'],
  ['TTL', 's'],
  ['RENAME', 's', 's2'],
  ['TTL', 's2'],
  ['PERSIST', 's2'],
  ['PERSIST', 's2'],
  ['PERSIST', 'missing'],
  ['PEXPIREAT', 's2', '33177117420000'],
  ['PEXPIRETIME', 's2'],
  ['EXPIRETIME', 's2'],
  ['EXPIREAT', 's2', '1'],
  ['EXISTS', 's2'],
  ['EXPIRE', 's2', '-1'],
  ['SETEX', 'e', '100', 'v'],
  ['SETEX', 'e', '0', 'v'],
  ['PSETEX', 'e', '-5', 'v'],
  ['TTL', 'e'],
  ['COPY', 'e', 'f'],
  ['COPY', 'e', 'f'],
  ['COPY', 'e', 'f', 'REPLACE'],
  ['COPY', 'e', 'e'],
  ['COPY', 'missing', 'f'],
  ['COPY', 'e', 'f', 'NONSENSE'],
  ['TTL', 'f'],
  ['GET', 'f'],
  ['SETNX', 'f', 'w'],
  ['GETDEL', 'f'],
  ['GETDEL', 'f'],
  ['MSET', 'a', '1', 'b', '2'],
  ['MSET', 'a', '1', 'b'],
  ['MGET', 'a', 'b', 'missing'],
  ['INCR', 'a'],
  ['INCRBY', 'a', '40'],
  ['DECR', 'a'],
  ['DECRBY', 'a', '100'],
  ['DECRBY', 'a', '-9223372036854775808'],
  ['INCRBY', 'a', '9223372036854775807'],
  ['INCRBY', 'a', '9223372036854775807'],
  ['INCR', 'e'],
  ['STRLEN', 'a'],
  ['STRLEN', 'missing'],
  ['APPEND', 'new', 'text'],
  ['RPUSH', 'l', 'b', 'c'],
  ['LPUSH', 'l', 'a', 'z'],
  ['LRANGE', 'l', '0', '-1'],
  ['LINDEX', 'l', '0'],
  ['LINDEX', 'l', '-1'],
  ['LINDEX', 'l', '9'],
  ['LINDEX', 'l', '-9'],
  ['LINDEX', 'l', 'x'],
  ['LINDEX', 'missing', 'x'],
  ['LPOP', 'l'],
  ['RPOP', 'l'],
  ['LPOP', 'l', '0'],
  ['LPOP', 'l', '-1'],
  ['RPOP', 'l', '5'],
  ['LPOP', 'l'],
  ['LPOP', 'l', '1'],
  ['LPOP', 'l', '1', '1'],
  ['EXISTS', 'l'],
  ['LPUSH', 'a', 'x'],
  ['STRLEN', 'h'],
  ['HSET', 'h', 'f', 'v', 'g', 'w'],
  ['STRLEN', 'h'],
  ['MGET', 'h', 'a'],
  ['COPY', 'h', 'h2'],
  ['HDEL', 'h', 'f', 'f', 'missing'],
  ['HDEL', 'missing', 'f'],
  ['HDEL', 'h'],
  ['HKEYS', 'h'],
  ['HVALS', 'h2'],
  ['HMGET', 'h2', 'g', 'f', 'x'],
  ['HMGET', 'missing', 'g'],
  ['HDEL', 'h', 'g'],
  ['EXISTS', 'h'],
  ['HKEYS', 'a'],
  ['FLUSHALL'],
  ['RANDOMKEY'],
  ['SET', 'only', 'v'],
  ['RANDOMKEY'],
  ['MEMORY', 'USAGE', 'missing'],
  ['MEMORY', 'USAGE'],
  ['MEMORY', 'NONSENSE'],
  ['CONFIG', 'SET', 'maxmemory', '100mb'],
  ['CONFIG', 'GET', 'maxmemory'],
  ['CONFIG', 'SET', 'maxmemory', 'x'],
  ['CONFIG', 'SET', 'maxmemory', '0'],
  ['CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru'],
  ['CONFIG', 'GET', 'maxmemory-policy'],
  ['CONFIG', 'SET', 'maxmemory-policy', 'nonsense'],
  ['CONFIG', 'SET', 'maxmemory-policy', 'noeviction'],
  ['CLIENT', 'KILL', '1.2.3.4:5'],
  ['CLIENT', 'KILL', 'ID', '99999'],
  ['CLIENT', 'KILL', 'ID', 'x'],
  ['CLIENT', 'LIST', 'ID', 'x'],
  ['SHUTDOWN', 'NONSENSE'],
  ['BGSAVE', 'NONSENSE'],
  ['HELLO', '4'],
  ['HELLO', 'x'],
];

describe.skipIf(missing)(`replies beside redis-server's${missing ? ' (skipped: no redis-server)' : ''}`, () => {
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
  });
  afterAll(async () => {
    theirs?.destroy();
    ours?.destroy();
    redis?.kill();
    rmSync(folder, { recursive: true, force: true });
    await started.stop();
  });

  test.each(script.map((words) => [words.join(' ').slice(0, 60), words] as const))('%j', async (_name, words) => {
    // The command after it tells where its reply ends.
    const bytes = Buffer.concat([encode(...words), encode('ECHO', 'end-of-reply')]);
    const end = '$12\r\nend-of-reply\r\n';
    const replyOf = async (client: RawClient): Promise<string> => {
      await client.write(bytes);
      let text = '';
      while (!text.endsWith(end)) {
        const next = await client.read(1);
        if (next.length === 0) throw new Error(`the connection ended after ${JSON.stringify(text)}`);
        text += next.toString('latin1');
      }
      return text;
    };
    expect(await replyOf(ours)).toBe(await replyOf(theirs));
  });
});
