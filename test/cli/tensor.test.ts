import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { npyHeader } from '../../src/runtime/npy/npy.js';
import { meanwhile, simwright, startSimwright } from '../helpers/simwright.js';
import { Workspace } from '../helpers/workspace.js';

async function startStore(workspace: Workspace, ...words: readonly string[]) {
  const running = startSimwright(workspace, 'orchestrator', '--port', '0', '--json', ...words);
  let stdout = '';
  running.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  await meanwhile(running, 'the store is ready', () => stdout.includes('\n'));
  return { running, address: (JSON.parse(stdout) as { addresses: string[] }).addresses[0] ?? '' };
}

function redisOf(address: string): Redis {
  const redis = new Redis(Number(address.split(':')[1]), { retryStrategy: () => null });
  redis.on('error', () => undefined);
  return redis;
}

describe('simwright tensor', () => {
  let workspace: Workspace;
  let store: Awaited<ReturnType<typeof startStore>>;
  beforeEach(async () => {
    workspace = new Workspace();
    store = await startStore(workspace);
  });
  afterEach(async () => {
    store.running.kill('SIGTERM');
    await store.running;
  });
  const run = (...words: string[]) =>
    simwright({ cwd: workspace.cwd, env: { SSDB: store.address } }, 'tensor', ...words);

  test('puts, lists, prints, writes and deletes', async () => {
    const data = Buffer.from(Float32Array.from([1, 2.5, -3, 4, 5, 6]).buffer);
    const npy = Buffer.concat([npyHeader('FLOAT', [2, 3]), data]);
    writeFileSync(workspace.path('in.npy'), npy);
    expect(await run('put', 'me.t', 'in.npy')).toEqual({ stdout: '', stderr: '', exitCode: 0 });
    await redisOf(store.address).set('text', 'no tensor');
    expect((await run('ls')).stdout).toMatch(/^KEY {3}TYPE {3}SHAPE {3}BYTES\nme\.t {2}FLOAT {2}\[2, 3\] {5}24\n$/);
    const json = JSON.parse((await run('ls', 'me.*', '--json')).stdout);
    expect(json).toEqual({ ok: true, tensors: [{ key: 'me.t', dtype: 'FLOAT', shape: [2, 3], bytes: 24 }] });
    const values = JSON.parse((await run('get', 'me.t', '--json')).stdout);
    expect(values).toEqual({ ok: true, key: 'me.t', dtype: 'FLOAT', shape: [2, 3], values: [1, 2.5, -3, 4, 5, 6] });
    const put = JSON.parse((await run('put', 'other', 'in.npy', '--json')).stdout);
    expect(put).toEqual({ ok: true, key: 'other', dtype: 'FLOAT', shape: [2, 3] });
    expect(JSON.parse((await run('rm', 'other', '--json')).stdout)).toEqual({ ok: true, removed: ['other'] });
    expect((await run('ls', 'you.*')).stdout).toBe('no tensors\n');
    expect((await run('get', 'me.t')).stdout).toBe('FLOAT [2, 3]\n1 2.5 -3\n4 5 6\n');
    expect(await run('get', 'me.t', '--npy', 'out.npy')).toEqual({ stdout: '', stderr: '', exitCode: 0 });
    expect(readFileSync(workspace.path('out.npy'))).toEqual(npy);
    expect((await run('rm', 'me.t')).exitCode).toBe(0);
    expect((await run('ls')).stdout).toBe('no tensors\n');
  });

  test('says what is wrong', async () => {
    writeFileSync(workspace.path('bad.npy'), 'something else entirely');
    await redisOf(store.address).set('text', 'no tensor');
    const errorOf = async (...words: string[]) => {
      const { stderr, exitCode } = await run(...words);
      expect(exitCode).toBe(1);
      return stderr.replace('\n\n1 error\n', '\n');
    };
    expect(await errorOf('get', 'none')).toBe('error[TNSR1001]: ERR tensor key is empty or in a different shard\n');
    expect(await errorOf('rm', 'none')).toBe("error[TNSR1001]: there is no tensor 'none'\n");
    expect(await errorOf('rm', 'text')).toBe("error[TNSR1001]: 'text' is no tensor but a string\n");
    expect(await errorOf('put', 'k', 'bad.npy')).toBe(
      'error[TNSR1002]: bad.npy cannot be stored: it is no .npy file\n',
    );
    const wrong = await run('get', 'none', '--json');
    expect(wrong).toMatchObject({ exitCode: 1, stderr: '' });
    expect(JSON.parse(wrong.stdout)).toMatchObject({ ok: false, problems: [{ code: 'TNSR1001' }] });
    expect(await errorOf('put', 'k', 'none.npy')).toContain('ENOENT');
    expect(await errorOf('ls', '--address', '127.0.0.1:1')).toContain('cannot connect to the store at 127.0.0.1:1');
    const { stderr } = await simwright({ cwd: workspace.cwd, env: { SSDB: '' } }, 'tensor', 'ls');
    expect(stderr).toContain('error[TNSR1001]: which store? no compiled folder is here');
  });
});

describe('simwright orchestrator', () => {
  test('keeps what it holds from one start to the next, and ends by SHUTDOWN', async () => {
    const workspace = new Workspace();
    const words = ['--checkpoint', '1000', 'store.checkpoint', '--max-memory', '64M', '--eviction', 'allkeys-lru'];
    const first = await startStore(workspace, ...words);
    const redis = redisOf(first.address);
    await redis.set('k', 'v');
    expect(await redis.config('GET', 'maxmemory-policy')).toEqual(['maxmemory-policy', 'allkeys-lru']);
    await redis.call('SHUTDOWN').catch(() => undefined);
    expect(await first.running).toMatchObject({ exitCode: 0, stderr: '' });
    expect(existsSync(workspace.path('store.checkpoint'))).toBe(true);
    const second = await startStore(workspace, ...words);
    const again = redisOf(second.address);
    expect(await again.get('k')).toBe('v');
    await again.set('k', 'w');
    again.disconnect();
    second.running.kill('SIGTERM');
    expect(await second.running).toMatchObject({ exitCode: 0, stderr: '' });
    expect(readFileSync(workspace.path('store.checkpoint')).includes('w')).toBe(true);
    writeFileSync(workspace.path('store.checkpoint'), 'something else entirely');
    const third = await simwright(workspace, 'orchestrator', '--port', '0', ...words);
    expect(third.exitCode).toBe(1);
    expect(third.stderr).toContain('is damaged: it is no checkpoint of a store');
  });

  test('logs each command at the level debug', async () => {
    const { running, address } = await startStore(new Workspace(), '--log-level', 'debug');
    const redis = redisOf(address);
    await redis.set('k', 'v');
    redis.disconnect();
    running.kill('SIGTERM');
    const { stderr } = await running;
    const lines = stderr
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { level: string; message: string });
    expect(lines.some(({ level, message }) => level === 'debug' && message.endsWith('"set" "k" "v"'))).toBe(true);
  });

  test('--checkpoint needs seconds and a file', async () => {
    const { exitCode, stderr } = await simwright(new Workspace(), 'orchestrator', '--port', '0', '--checkpoint', '10');
    expect(exitCode).toBe(2);
    expect(stderr).toContain('--checkpoint 10 does not say how often to save and where');
  });
});
