import { execFile, spawn, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RawClient } from './support/raw-client.js';
import { type Started, start } from './support/start.js';

const missing = spawnSync('redis-cli', ['--version']).error !== undefined;
const run = promisify(execFile);

describe.skipIf(missing)(`redis-cli, as a person uses it${missing ? ' (not installed)' : ''}`, () => {
  let started: Started;
  beforeAll(async () => {
    started = await start();
    const redis = new Redis(started.port);
    await redis.set('text', 'some text');
    await redis.rpush('list', 'a', 'b', 'c');
    await redis.hset('hash', 'field', 'value');
    await redis.call('AI.TENSORSET', 'tensor', 'FLOAT', '2', 'VALUES', '1.5', '2');
    redis.disconnect();
  });
  afterAll(() => started.stop());

  const cli = async (...words: string[]): Promise<string> => {
    const { stdout } = await run('redis-cli', ['-p', String(started.port), ...words], { timeout: 30_000 });
    return stdout.trimEnd();
  };

  test('commands as arguments', async () => {
    expect(await cli('PING')).toBe('PONG');
    expect((await cli('KEYS', '*')).split('\n').sort()).toEqual(['hash', 'list', 'tensor', 'text']);
    expect(await cli('TYPE', 'tensor')).toBe('AI_TENSOR');
    expect(Number(await cli('MEMORY', 'USAGE', 'tensor'))).toBeGreaterThan(8);
    expect((await cli('AI.TENSORGET', 'tensor', 'VALUES')).split('\n')).toEqual(['1.5', '2']);
    expect(await cli('INFO', 'keyspace')).toContain('db0:keys=4,expires=0');
    expect(await cli('NONSENSE')).toMatch(/^ERR unknown command 'NONSENSE'/);
  });

  test('--scan and --bigkeys', async () => {
    expect((await cli('--scan')).split('\n').sort()).toEqual(['hash', 'list', 'tensor', 'text']);
    expect(await cli('--scan', '--pattern', 't*')).toMatch(/^(tensor\ntext|text\ntensor)$/);
    const sizes = await cli('--bigkeys', '-i', '0');
    expect(sizes).toContain('Sampled 4 keys in the keyspace!');
    expect(sizes).toMatch(/1 lists with 3 items/);
    expect(sizes).toMatch(/1 AI_TENSORs/);
    expect(await cli('--memkeys', '-i', '0')).toContain('Sampled 4 keys in the keyspace!');
  });

  test('over the socket, and commands from standard input', async () => {
    const child = spawn('redis-cli', ['-s', started.socketPath], { stdio: ['pipe', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += String(chunk);
    });
    child.stdin.end('SELECT 0\nSET k v\nGET k\nDEL k\nCLIENT SETNAME me\nCLIENT GETNAME\n');
    await new Promise((resolve) => child.once('close', resolve));
    expect(output.trim().split('\n')).toEqual(['OK', 'OK', 'v', '1', 'OK', 'me']);
  });

  test('--pipe loads lines of text and requests, empty lines between them', async () => {
    const input = Array.from({ length: 2000 }, (_, index) => `SET piped:${index} "value ${index}"\r\n\r\n`).join('');
    const loaded = run('redis-cli', ['-p', String(started.port), '--pipe'], { timeout: 30_000 });
    loaded.child.stdin?.end(`${input}*3\r\n$3\r\nSET\r\n$4\r\nlast\r\n$1\r\nx\r\nNONSENSE\r\n`);
    const { stdout } = await loaded.catch((error: { stdout: string }) => error);
    expect(stdout).toContain('errors: 1, replies: 2002');
    expect(await cli('GET', 'piped:1999')).toBe('value 1999');
    expect(await cli('GET', 'last')).toBe('x');
  });

  test('RESP3, transactions, --latency and a cluster of one', async () => {
    expect(await cli('-3', '--json', 'HGETALL', 'hash')).toBe('{"field":"value"}');
    expect(await cli('-3', 'AI.TENSORGET', 'tensor', 'VALUES')).toBe('1.5\n2');
    expect(await cli('-c', 'SET', 'in', 'a cluster')).toBe('OK');
    expect(await cli('CLUSTER', 'KEYSLOT', '{foo}.bar')).toBe('12182');
    expect(await cli('CLUSTER', 'NODES')).toMatch(
      /^[0-9a-f]{40} 127\.0\.0\.1:\d+@0 myself,master .* connected 0-16383$/,
    );
    const child = spawn('redis-cli', ['-p', String(started.port)], { stdio: ['pipe', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += String(chunk);
    });
    child.stdin.end('MULTI\nSET t 1\nINCR t\nEXEC\n');
    await new Promise((resolve) => child.once('close', resolve));
    expect(output.trim().split('\n')).toEqual(['OK', 'QUEUED', 'QUEUED', 'OK', '2']);
  });

  test('redis-benchmark, lines of text first', async () => {
    const words = ['-p', String(started.port), '-n', '2000', '-q', '-t'];
    const tests = 'ping_inline,ping_mbulk,set,get,incr,lpush,rpush,lpop,rpop,hset,lrange_100,mset';
    const { stdout } = await run('redis-benchmark', [...words, tests], { timeout: 60_000 });
    expect(stdout.match(/requests per second/g)?.length).toBeGreaterThanOrEqual(12);
    expect(stdout).toContain('PING_INLINE');
  });
});

describe('lines of text', () => {
  let started: Started;
  beforeAll(async () => {
    started = await start();
  });
  afterAll(() => started.stop());

  test('a page of the web that posts to the store changes nothing', async () => {
    const body = 'SET from "the web"\r\nQUIT\r\n';
    for (const head of ['POST / HTTP/1.1\r\nHost: localhost\r\n\r\n', 'Host: localhost\r\n', 'GET /x HTTP/1.1\r\n']) {
      const client = await RawClient.connect({ port: started.port });
      await client.write(head + body);
      expect((await client.readToEnd()).toString()).toBe('-ERR Protocol error: HTTP is not spoken here\r\n');
    }
    const client = await RawClient.connect({ port: started.port });
    await client.write('  EXISTS  from\n\r\nPING "a b"\nQUIT\n');
    expect((await client.readToEnd()).toString()).toBe(':0\r\n$3\r\na b\r\n+OK\r\n');
  });
});
