import { existsSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { Redis } from 'ioredis';
import { describe, expect, test } from 'vitest';
import { meanwhile, simwright, startSimwright } from '../helpers/simwright.js';
import { Workspace } from '../helpers/workspace.js';

/** Starts a store by hand; `ready` is its first line. */
async function start(workspace: Workspace, ...words: readonly string[]) {
  const running = startSimwright(workspace, 'orchestrator', ...words);
  let stdout = '';
  running.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  await meanwhile(running, 'the store is ready', () => stdout.includes('\n'));
  return { running, ready: stdout.trimEnd() };
}

describe('simwright orchestrator', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)(
    'answers a Redis client on a free port, and ends with 0 on %s',
    async (signal) => {
      const { running, ready } = await start(new Workspace(), '--port', '0');
      const [, host = '', port = ''] = /^ready: SSDB=([\d.]+):(\d+) SR_DB_TYPE=Standalone$/.exec(ready) ?? [];
      expect(host).toBe('127.0.0.1');
      const redis = new Redis(Number(port), host);
      expect(await redis.ping()).toBe('PONG');
      redis.disconnect();
      running.kill(signal);
      expect(await running).toMatchObject({ exitCode: 0, stdout: `${ready}\n`, stderr: '' });
    },
  );

  test('ends with 0 while a model runs', async () => {
    const { running, ready } = await start(new Workspace(), '--port', '0', '--intra-op-threads', '1');
    const [host = '', port = ''] = (/SSDB=(\S+)/.exec(ready)?.[1] ?? '').split(':');
    const redis = new Redis(Number(port), host);
    redis.on('error', () => undefined);
    const slow = readFileSync(new URL('../runtime/orchestrator/models/slow.onnx', import.meta.url));
    await redis.call('AI.MODELSTORE', 'slow', 'ONNX', 'CPU', 'BLOB', slow);
    await redis.call('AI.TENSORSET', 'x', 'FLOAT', '256', '256');
    // Keeps a core busy for well over 300 ms.
    await redis.call('AI.TENSORSET', 'rounds', 'INT64', '1', 'VALUES', '4000');
    const run = redis.call('AI.MODELEXECUTE', 'slow', 'INPUTS', '2', 'rounds', 'x', 'OUTPUTS', '1', 'y');
    const other = new Redis(Number(port), host);
    other.on('error', () => undefined);
    expect(await other.ping()).toBe('PONG');
    running.kill('SIGTERM');
    const end = await running;
    redis.disconnect();
    other.disconnect();
    expect(end).toMatchObject({ exitCode: 0, stderr: '' });
    await run.catch(() => undefined);
  });

  test('on a Unix socket of its user alone, which is gone at the end', async () => {
    const workspace = new Workspace();
    const socket = workspace.path('store.sock');
    const { running, ready } = await start(workspace, '--socket', socket);
    expect(ready).toBe(`ready: SSDB=unix://${socket} SR_DB_TYPE=Standalone`);
    expect(statSync(socket).mode & 0o777).toBe(0o700);
    const redis = new Redis(socket);
    expect(await redis.ping()).toBe('PONG');
    redis.disconnect();
    running.kill('SIGTERM');
    expect((await running).exitCode).toBe(0);
    expect(existsSync(socket)).toBe(false);
  });

  test('--json: the line that says it is ready is a document', async () => {
    const { running, ready } = await start(new Workspace(), '--port', '0', '--json');
    expect(JSON.parse(ready)).toEqual({
      ready: true,
      addresses: [expect.stringMatching(/^127\.0\.0\.1:\d+$/)],
      version: expect.any(String),
      pid: running.pid,
    });
    running.kill('SIGTERM');
    expect((await running).exitCode).toBe(0);
  });

  test('a port that is taken', async () => {
    const taker = createServer();
    await new Promise<void>((resolve) => taker.listen(0, '127.0.0.1', resolve));
    const address = taker.address();
    const port = typeof address === 'object' ? String(address?.port) : '';
    const end = await simwright(new Workspace(), 'orchestrator', '--port', port);
    taker.close();
    expect(end).toMatchObject({ exitCode: 1, stdout: '' });
    expect(end.stderr).toContain(`error[RUN1003]: `);
    expect(end.stderr).toContain(`127.0.0.1:${port}`);
  });

  test('a socket path that is too long', async () => {
    const path = `/tmp/${'s'.repeat(103)}`;
    const end = await simwright(new Workspace(), 'orchestrator', '--socket', path);
    expect(end).toMatchObject({ exitCode: 1, stdout: '' });
    expect(end.stderr).toContain('error[STORE1002]: ');
    expect(end.stderr).toContain('108');
    expect(existsSync(path)).toBe(false);
    // Cut off by the system, it would be this one.
    expect(existsSync(path.slice(0, 107))).toBe(false);
  });

  test.each([
    [['--port', '65536'], 'a whole number from 0 to 65535 is needed'],
    [['--port', 'x'], 'a whole number from 0 to 65535 is needed'],
    [['--permissions', '999'], 'three octal digits are needed'],
    [['--max-memory', '16'], 'a number and its unit are needed'],
    [['--threads-per-queue', '0'], 'a whole number from 1 to 1024 is needed'],
    [['extra'], 'too many arguments'],
  ])('wrong use: %s', async (words, message) => {
    const end = await simwright(new Workspace(), 'orchestrator', ...words);
    expect(end).toMatchObject({ exitCode: 2, stdout: '' });
    expect(end.stderr).toContain(message);
  });
});
