import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { isNewEnough } from '../../src/runtime/engine/find-engine.js';
import { meanwhile, simwright, startSimwright } from '../helpers/simwright.js';
import { Workspace } from '../helpers/workspace.js';
import { lackOfStore, orSkipped } from '../runtime/engine/support/lacks.js';
import { builtModule, servers } from '../runtime/engine/support/servers.js';

const server = servers.find(isNewEnough);
const lacks = lackOfStore({ 'a server': server });
const model = readFileSync(new URL('../runtime/orchestrator/models/double.onnx', import.meta.url));

describe.skipIf(lacks !== '')(orSkipped('simwright orchestrator --engine', lacks), () => {
  const home = mkdtempSync(join(tmpdir(), 'simwright-home-'));
  let workspace: Workspace;
  let place: { readonly cwd: string; readonly env: Record<string, string> };
  beforeAll(async () => {
    mkdirSync(join(home, 'engine'));
    copyFileSync(await builtModule(), join(home, 'engine/simwright.so'));
  });
  afterAll(() => rmSync(home, { recursive: true }));
  beforeEach(() => {
    workspace = new Workspace();
    place = { cwd: workspace.cwd, env: { SIMWRIGHT_HOME: home, SIMWRIGHT_ENGINE_SERVER: server?.path ?? '' } };
  });

  interface Ready {
    readonly addresses: readonly string[];
    readonly devices: readonly string[];
    readonly engine: string;
    readonly server: { readonly path: string; readonly version: string };
  }

  async function start(...words: readonly string[]) {
    const running = startSimwright(place, 'orchestrator', ...words, '--json', '--log-level', 'warn');
    let stdout = '';
    running.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    await meanwhile(running, 'the store is ready', () => stdout.includes('\n'));
    const ready = JSON.parse(stdout) as Ready;
    const socket = ready.addresses[0]?.replace('unix://', '') ?? '';
    const [host = '', port = ''] = socket.split(':');
    const redis = socket.startsWith('/') ? new Redis(socket) : new Redis(Number(port), host);
    redis.on('error', () => undefined);
    return { running, ready, redis };
  }

  /** Processes of its server, by its version of the command line. */
  const pidsOf = async (redis: Redis) => Number(/process_id:(\d+)/.exec(await redis.info('server'))?.[1]);
  const isThere = (pid: number) => existsSync(`/proc/${pid}/exe`);

  test('redis: runs models, saves at Ctrl-C, brings that back, and leaves no process', async () => {
    const words = ['--engine', 'redis', '--port', '0', '--checkpoint', '1000', 'store.rdb'];
    const first = await start(...words);
    expect(first.ready).toMatchObject({ engine: 'redis', server: { path: server?.path, version: server?.version } });
    expect(first.ready.devices).toContain('CPU');
    await first.redis.call('AI.MODELSTORE', 'double', 'ONNX', 'CPU', 'BLOB', model);
    await first.redis.call('AI.TENSORSET', 'x', 'FLOAT', '1', '2', 'VALUES', '1', '2');
    expect(await first.redis.call('AI.MODELEXECUTE', 'double', 'INPUTS', '1', 'x', 'OUTPUTS', '1', 'y')).toBe('OK');
    const pid = await pidsOf(first.redis);
    first.redis.disconnect();
    first.running.kill('SIGINT');
    expect(await first.running).toMatchObject({ exitCode: 0, stderr: '' });
    expect(isThere(pid)).toBe(false);
    const again = await start(...words);
    expect(await again.redis.call('AI.TENSORGET', 'y', 'VALUES')).toEqual(['2', '4']);
    expect(await again.redis.call('AI.MODELEXECUTE', 'double', 'INPUTS', '1', 'y', 'OUTPUTS', '1', 'z')).toBe('OK');
    const other = await pidsOf(again.redis);
    again.redis.disconnect();
    again.running.kill('SIGKILL');
    await again.running.catch(() => undefined);
    await expect.poll(() => isThere(other), { timeout: 20_000 }).toBe(false);
  });

  test('data: on a Unix socket, refuses models, and says so when its server dies', async () => {
    const { running, ready, redis } = await start('--engine', 'data', '--socket', workspace.path('s.sock'));
    expect(ready).toMatchObject({ addresses: [`unix://${workspace.path('s.sock')}`], engine: 'data', devices: [] });
    await expect(redis.call('AI.MODELSTORE', 'm', 'ONNX', 'CPU', 'BLOB', model)).rejects.toThrow(
      'this store runs no models and scripts',
    );
    process.kill(await pidsOf(redis), 'SIGKILL');
    redis.disconnect();
    const { exitCode, stderr } = await running;
    expect(exitCode).toBe(1);
    expect(stderr).toContain('"code":"RUN1005"');
    expect(stderr).toContain('the store has died: the server died (SIGKILL)');
  });

  test('does not read, or save over, a file that is there by chance', async () => {
    writeFileSync(workspace.path('dump.rdb'), 'of somebody else');
    const end = await simwright(place, 'orchestrator', '--engine', 'redis', '--port', '0');
    expect(end).toMatchObject({ exitCode: 2, stdout: '' });
    expect(end.stderr).toContain('dump.rdb is there, and the server would bring back what is in it');
    expect(readFileSync(workspace.path('dump.rdb'), 'utf8')).toBe('of somebody else');
  });

  test('says what is missing (RUN1040)', async () => {
    const env = { PATH: process.env['PATH'] ?? '', HOME: '/nowhere', XDG_DATA_HOME: '', SIMWRIGHT_HOME: '/nowhere' };
    const end = await simwright({ cwd: workspace.cwd, env }, 'orchestrator', '--engine', 'data', '--port', '0');
    expect(end).toMatchObject({ exitCode: 1, stdout: '' });
    expect(end.stderr).toContain('error[RUN1040]: the module simwright.so is in none of these folders:');
    const rai = await simwright(place, 'orchestrator', '--engine', 'redisai', '--redisai', '/nowhere/redisai.so');
    expect(rai).toMatchObject({ exitCode: 1, stdout: '' });
    expect(rai.stderr).toContain('error[RUN1040]: RedisAI is not there: there is no /nowhere/redisai.so');
  });
});
