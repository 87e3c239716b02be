import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { describe, expect, test } from 'vitest';
import { type CommandPlace, meanwhile, simwright, startSimwright } from '../helpers/simwright.js';
import { Workspace } from '../helpers/workspace.js';
import { encode, RawClient } from '../runtime/orchestrator/support/raw-client.js';
import { onnxRuntime } from '../runtime/orchestrator/support/start.js';

/** An address of this machine beyond loopback. */
const own = Object.values(networkInterfaces())
  .flatMap((infos) => infos ?? [])
  .find((info) => info.family === 'IPv4' && !info.internal)?.address;

/** Starts a store by hand; `ready` is its first line. */
async function start(workspace: CommandPlace, ...words: readonly string[]) {
  const running = startSimwright(workspace, 'orchestrator', ...words);
  let stdout = '';
  running.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  await meanwhile(running, 'the store is ready', () => stdout.includes('\n'));
  return { running, ready: stdout.trimEnd() };
}

/** CPU time that a process has taken, in hundredths of a second. */
function ticksOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ') ?? [];
  return Number(fields[11]) + Number(fields[12]);
}

const readyLine =
  /^ready: SSDB=([\d.]+):(\d+) SR_DB_TYPE=Standalone devices=\S+ simwright=\d+\.\d+\.\d+ onnxruntime=\S+$/;

function redisAt(ready: string): Redis {
  const [host = '', port = ''] = (/SSDB=(\S+)/.exec(ready)?.[1] ?? '').split(':');
  const redis = new Redis(Number(port), host, { retryStrategy: () => null });
  redis.on('error', () => undefined);
  return redis;
}

const model = readFileSync(new URL('../runtime/orchestrator/models/double.onnx', import.meta.url));

describe('simwright orchestrator', () => {
  test('SAVE without --checkpoint writes in the working directory, and what is there is not read by itself', async () => {
    const workspace = new Workspace();
    const file = workspace.path('dump.simwright');
    const first = await start(workspace, '--port', '0');
    const redis = redisAt(first.ready);
    await redis.set('key', 'value');
    expect(await redis.config('GET', 'dbfilename')).toEqual(['dbfilename', 'dump.simwright']);
    expect(await redis.config('GET', 'dir')).toEqual(['dir', workspace.cwd]);
    expect(await redis.bgsave()).toBe('Background saving started');
    await expect.poll(() => existsSync(file)).toBe(true);
    expect(await redis.save()).toBe('OK');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    redis.disconnect();
    first.running.kill('SIGTERM');
    await first.running;
    const plain = await start(workspace, '--port', '0');
    const other = redisAt(plain.ready);
    expect(await other.dbsize()).toBe(0);
    await other.call('SHUTDOWN').catch(() => undefined);
    await plain.running;
    const again = await start(workspace, '--port', '0', '--checkpoint', '1000', 'dump.simwright');
    const last = redisAt(again.ready);
    expect(await last.get('key')).toBe('value');
    last.disconnect();
    again.running.kill('SIGTERM');
    await again.running;
  });

  test.each(['SIGTERM', 'SIGINT'] as const)(
    'answers a Redis client on a free port, and ends with 0 on %s',
    async (signal) => {
      const { running, ready } = await start(new Workspace(), '--port', '0');
      const [, host = '', port = ''] = readyLine.exec(ready) ?? [];
      expect(host).toBe('127.0.0.1');
      const redis = new Redis(Number(port), host);
      expect(await redis.ping()).toBe('PONG');
      expect(ready).toContain(`simwright=${/simwright_version:(\S+)/.exec(await redis.info('server'))?.[1]} `);
      redis.disconnect();
      running.kill(signal);
      expect(await running).toMatchObject({ exitCode: 0, stdout: `${ready}\n`, stderr: '' });
    },
  );

  test.skipIf(onnxRuntime === undefined)('keeps ONNX Runtime from reporting to its makers', async () => {
    const workspace = new Workspace();
    // In continuous integration it is silent by itself.
    const env = { HOME: workspace.cwd, XDG_CACHE_HOME: '', CI: '', GITHUB_ACTIONS: '' };
    const { running, ready } = await start({ cwd: workspace.cwd, env }, '--port', '0');
    const redis = redisAt(ready);
    await redis.call('AI.MODELSTORE', 'double', 'ONNX', 'CPU', 'BLOB', model);
    redis.disconnect();
    running.kill('SIGTERM');
    expect(await running).toMatchObject({ exitCode: 0 });
    // It would have written an identifier and a queue there before it answered.
    expect(existsSync(workspace.path('.cache'))).toBe(false);
  });

  test.each([[], ['--busy-poll', '5000']])('sleeps when nobody asks (%j)', async (...flags: string[]) => {
    const { running, ready } = await start(new Workspace(), '--port', '0', ...flags);
    const redis = redisAt(ready);
    for (let ping = 0; ping < 200; ping++) await redis.ping();
    // What a start leaves to be done is done.
    await setTimeout(500);
    const before = ticksOf(running.pid ?? 0);
    await setTimeout(1000);
    // Of 100 a second: somebody who waits awake takes all of them.
    expect(ticksOf(running.pid ?? 0) - before).toBeLessThan(20);
    redis.disconnect();
    running.kill('SIGTERM');
    await running;
  });

  test.skipIf(onnxRuntime === undefined)('answers what has been asked before it ends', async () => {
    const { running, ready } = await start(new Workspace(), '--port', '0', '--intra-op-threads', '1');
    const redis = redisAt(ready);
    const slow = readFileSync(new URL('../runtime/orchestrator/models/slow.onnx', import.meta.url));
    await redis.call('AI.MODELSTORE', 'slow', 'ONNX', 'CPU', 'BLOB', slow);
    await redis.call('AI.TENSORSET', 'x', 'FLOAT', '256', '256');
    // Keeps a core busy for about 100 ms.
    await redis.call('AI.TENSORSET', 'rounds', 'INT64', '1', 'VALUES', '1000');
    const large = Buffer.alloc(48 * 1024 * 1024, 3);
    await redis.call('AI.TENSORSET', 'large', 'UINT8', String(large.length), 'BLOB', large);
    const run = redis.call('AI.MODELEXECUTE', 'slow', 'INPUTS', '2', 'rounds', 'x', 'OUTPUTS', '1', 'y');
    const [host = '', port = ''] = (/SSDB=(\S+)/.exec(ready)?.[1] ?? '').split(':');
    const reader = await RawClient.connect({ host, port: Number(port) });
    await reader.write(encode('AI.TENSORGET', 'large', 'BLOB'));
    const head = `$${large.length}\r\n`;
    expect(String(await reader.read(head.length))).toBe(head);
    running.kill('SIGTERM');
    expect(await run).toBe('OK');
    expect((await reader.readToEnd()).equals(Buffer.concat([large, Buffer.from('\r\n')]))).toBe(true);
    expect(await running).toMatchObject({ exitCode: 0, stderr: '' });
  });

  test.skipIf(onnxRuntime === undefined)('runs models on the devices that it is told to', async () => {
    const words = ['--port', '0', '--devices', 'CPU', '--map-device', 'GPU:0=CPU'];
    const { running, ready } = await start(new Workspace(), ...words);
    expect(ready).toContain(' devices=CPU,GPU:0=CPU ');
    const redis = redisAt(ready);
    const store = (device: string) => redis.call('AI.MODELSTORE', 'm', 'ONNX', device, 'BLOB', model);
    await redis.call('AI.TENSORSET', 'x', 'FLOAT', '1', '2', 'VALUES', '1', '2');
    for (const device of ['GPU', 'GPU:0', 'CPU', 'CPU:3']) {
      expect(await store(device)).toBe('OK');
      expect(await redis.call('AI.MODELEXECUTE', 'm', 'INPUTS', '1', 'x', 'OUTPUTS', '1', 'y')).toBe('OK');
    }
    await expect(store('GPU:1')).rejects.toThrow(
      'ERR Invalid DEVICE: this orchestrator runs models on CPU, not on GPU:1',
    );
    redis.disconnect();
    running.kill('SIGTERM');
    expect(await running).toMatchObject({
      exitCode: 0,
      stderr: expect.stringMatching(
        /^warn: error for process \d+ at AI\.MODELSTORE "m": ERR Invalid DEVICE: [^\n]*GPU:1\n$/,
      ),
    });
  });

  test.skipIf(onnxRuntime === undefined)(
    'a model for a GPU, where there is none, is refused with the reason',
    async () => {
      const { running, ready } = await start(new Workspace(), '--port', '0');
      const redis = redisAt(ready);
      await expect(redis.call('AI.MODELSTORE', 'm', 'ONNX', 'GPU', 'BLOB', model)).rejects.toThrow(
        "ERR GPU requested but ONNX couldn't find CUDA",
      );
      redis.disconnect();
      running.kill('SIGTERM');
      expect((await running).exitCode).toBe(0);
    },
  );

  test('says every so often what it holds and does', async () => {
    const { running, ready } = await start(new Workspace(), '--port', '0', '--report', '1', '--json');
    const { addresses } = JSON.parse(ready) as { addresses: string[] };
    let stderr = '';
    running.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    const redis = redisAt(`SSDB=${addresses[0]}`);
    await redis.set('k', 'v');
    const reports = () =>
      stderr.split('\n').flatMap((line) => {
        if (line === '') return [];
        return line.endsWith('}') ? [JSON.parse(line) as { message: string; load: Record<string, number> }] : [];
      });
    await meanwhile(running, 'the load is told', () => reports().some(({ load }) => load['keys'] === 1));
    const [report] = reports().filter(({ load }) => load['keys'] === 1);
    expect(report).toMatchObject({ level: 'info', load: { keys: 1, clients: 1, inferencesPerSecond: 0 } });
    expect(report?.message).toMatch(
      /^load: 0\.0 MiB in 1 keys, [\d.]+ MiB resident, 1 clients, [\d.]+ requests\/s, 0 inf/,
    );
    redis.disconnect();
    running.kill('SIGTERM');
    expect((await running).exitCode).toBe(0);
  });

  test.skipIf(own === undefined)('serves peers whose addresses are in a folder', async () => {
    const workspace = new Workspace();
    mkdirSync(workspace.path('allowed'));
    const words = ['--port', '0', '--host', own ?? '', '--allow-folder', 'allowed', '--json', '--log-level', 'warn'];
    const { running, ready } = await start(workspace, ...words);
    const port = Number((JSON.parse(ready) as { addresses: string[] }).addresses[0]?.split(':').at(-1));
    const ask = async () => {
      const client = await RawClient.connect({ host: own ?? '', port });
      await client.write(Buffer.concat([encode('PING'), encode('QUIT')]));
      return String(await client.readToEnd());
    };
    const refused = `${own} is not on this orchestrator's list of addresses`;
    expect(await ask()).toBe(`-DENIED ${refused}\r\n`);
    writeFileSync(workspace.path('allowed', own ?? ''), '');
    expect(await ask()).toBe('+PONG\r\n+OK\r\n');
    running.kill('SIGTERM');
    const { exitCode, stderr } = await running;
    expect(exitCode).toBe(0);
    expect(JSON.parse(stderr)).toEqual({
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      level: 'warn',
      message: `refused a connection from ${own}: ${refused}`,
    });
  });

  test('on a Unix socket of its user alone, which is gone at the end', async () => {
    const workspace = new Workspace();
    const socket = workspace.path('store.sock');
    const { running, ready } = await start(workspace, '--socket', socket);
    expect(ready).toContain(`ready: SSDB=unix://${socket} SR_DB_TYPE=Standalone devices=`);
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
      devices: onnxRuntime === undefined ? [] : expect.arrayContaining(['CPU']),
      mapDevice: {},
      version: expect.any(String),
      onnxRuntime: onnxRuntime === undefined ? null : expect.stringMatching(/^\d+\.\d+\.\d+/),
      engine: 'embedded',
      server: null,
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

  test('--json: what goes wrong is a document, too', async () => {
    const end = await simwright(new Workspace(), 'orchestrator', '--port', '0', '--devices', 'TPU', '--json');
    expect(end).toMatchObject({ exitCode: 2, stdout: '' });
    expect(JSON.parse(end.stderr)).toMatchObject({ level: 'error', code: 'CLI1001', message: "'TPU' is no device" });
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
    [['--report', '0'], 'a whole number from 1 to 86400 is needed'],
    [['--devices', 'TPU'], "'TPU' is no device"],
    [['--devices', 'GPU:77'], 'no model can run on GPU:77 here'],
    [['--map-device', 'GPU:0'], '--map-device GPU:0 does not name two devices'],
    [['--map-device', 'GPU:0=TPU'], 'the device map GPU:0=TPU names no devices'],
    [['--python', '/no/python3'], '--python /no/python3: there is no such program'],
    [['--preload-backends', 'TORCH,KERAS'], '--preload-backends KERAS: there is no such backend'],
    [['extra'], 'too many arguments'],
    [['--engine', 'keydb'], "argument 'keydb' is invalid. Allowed choices are embedded, redis, data, redisai"],
    [['--engine', 'data', '--busy-poll', '0'], "--busy-poll has no effect on a store of the engine 'data'"],
    [['--engine', 'data', '--python', 'python3'], "--python has no effect on a store of the engine 'data'"],
    [
      ['--engine', 'data', '--intra-op-threads', '1'],
      "--intra-op-threads has no effect on a store of the engine 'data'",
    ],
    [['--redisai', '/x/redisai.so'], "--redisai has no effect on a store of the engine 'embedded'"],
  ])('wrong use: %s', async (words, message) => {
    const end = await simwright(new Workspace(), 'orchestrator', ...words);
    expect(end).toMatchObject({ exitCode: 2, stdout: '' });
    expect(end.stderr).toContain(message);
  });
});
