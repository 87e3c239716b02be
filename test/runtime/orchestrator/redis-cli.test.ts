import { execFile, spawn, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
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
});
