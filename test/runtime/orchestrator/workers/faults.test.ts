import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { makeModels, pythonWith, soon } from '../support/frameworks.js';
import { type Started, start } from '../support/start.js';

const found = await pythonWith('TORCH');
const missing = 'missing' in found ? found.missing : '';
const python = 'python' in found ? found.python : '';

const stores: Started[] = [];
const clients: Redis[] = [];
afterEach(async () => {
  vi.unstubAllEnvs();
  for (const client of clients.splice(0)) client.disconnect();
  for (const store of stores.splice(0)) await store.stop();
});

async function open(options: Parameters<typeof start>[0]): Promise<Redis> {
  const store = await start({ intraOpThreads: 1, ...options });
  stores.push(store);
  return connect(store.port);
}

function connect(port: number): Redis {
  const client = new Redis(port, { retryStrategy: () => null });
  client.on('error', () => undefined);
  clients.push(client);
  return client;
}

/** Puts a package `torch` of its own before the real one. Returns a function that counts its imports. */
function fakeTorch(version: string, source: string): () => number {
  const folder = mkdtempSync(join(tmpdir(), 'simwright-fake-'));
  mkdirSync(join(folder, 'torch'));
  const imports = join(folder, 'imports');
  writeFileSync(imports, '');
  writeFileSync(join(folder, 'torch/__init__.py'), `open('${imports}', 'a').write('.')\n${source}`);
  const facts = join(folder, `torch-${version}.dist-info`);
  mkdirSync(facts);
  writeFileSync(join(facts, 'METADATA'), `Metadata-Version: 2.1\nName: torch\nVersion: ${version}\n`);
  vi.stubEnv('PYTHONPATH', folder);
  return () => readFileSync(imports).length;
}

const store = (redis: Redis, model: Buffer | string = 'x', key = 'm') =>
  redis.call('AI.MODELSTORE', key, 'TORCH', 'CPU', 'BLOB', model);

describe('a Python for workers', () => {
  test('that is not there is named, by whatever it was asked for', async () => {
    const text = (name: string) =>
      `ERR Could not load backend: workers need Python ≥ 3.8, and there is no program ${name}`;
    await expect(store(await open({ python: '/nowhere/python3' }))).rejects.toThrow(text('/nowhere/python3'));
    vi.stubEnv('SIMWRIGHT_PYTHON', 'no-such-python');
    await expect(store(await open({}))).rejects.toThrow(text('no-such-python'));
    await expect(open({ preloadBackends: ['TORCH'] })).rejects.toThrow('there is no program no-such-python');
  });

  test('that is no Python is refused with its last word', async () => {
    const path = join(mkdtempSync(join(tmpdir(), 'simwright-fake-')), 'python3');
    writeFileSync(path, '#!/bin/sh\necho this is something else >&2\nexit 3\n', { mode: 0o755 });
    await expect(store(await open({ python: path }))).rejects.toThrow(`${path} failed: this is something else`);
  });

  test('that lacks the framework is told what it lacks', async () => {
    const path = join(mkdtempSync(join(tmpdir(), 'simwright-fake-')), 'python3');
    const probe = {
      python: path,
      version: '3.9.1',
      numpy: null,
      frameworks: { TORCH: null, TF: null, TFLITE: null, ONNX: null },
    };
    writeFileSync(path, `#!/bin/sh\necho '${JSON.stringify(probe)}'\n`, { mode: 0o755 });
    await expect(store(await open({ python: path }))).rejects.toThrow(
      `ERR Could not load backend: TORCH needs torch ≥ 1.11 in ${path}, which has none: load its module, or name another Python`,
    );
  });
});

describe.skipIf(missing !== '')(`a framework ${missing}`, () => {
  test.each([
    ['is too old', '1.5.0', '', `TORCH needs torch ≥ 1.11; ${python} has 1.5.0`],
    [
      'misses a library',
      '2.0.0',
      "raise ImportError('libcudart.so.12: cannot open shared object file')",
      'libcudart.so.12',
    ],
    ['ends the process', '2.0.0', 'raise SystemExit(3)', `could not be imported in ${python}: SystemExit: 3`],
    [
      'aborts',
      '2.0.0',
      'import os, sys\nprint("no such chip", file=sys.stderr)\nos.abort()',
      /killed by SIGABRT.*no such chip/,
    ],
  ])('that %s is refused, again and again, after one try', async (_what, version, source, text) => {
    const imports = fakeTorch(version, source);
    const redis = await open({ python });
    for (let time = 0; time < 3; time += 1) await expect(store(redis)).rejects.toThrow(text);
    // A client of SmartRedis asks up to a hundred times.
    expect(imports()).toBe(source === '' ? 0 : 1);
    expect(await redis.info('ai_workers')).toContain('ai_workers:0\r\n');
    await expect(open({ python, preloadBackends: ['TORCH'] })).rejects.toThrow(text);
  });

  test('serves two stores of one environment, each with a process of its own', async () => {
    const file = await makeModels(python, 'torch');
    const [one, two] = [await open({ python }), await open({ python })];
    const use = async (redis: Redis, value: string) => {
      await store(redis, file('sum.pt'));
      await redis.call('AI.TENSORSET', 'x', 'FLOAT', '1', '1', 'VALUES', value);
      await redis.call('AI.MODELRUN', 'm', 'INPUTS', 'x', 'OUTPUTS', 'y');
      const [result] = (await redis.call('AI.TENSORGET', 'y', 'VALUES')) as string[];
      return [result, /pid=(\d+)/.exec(await redis.info('ai_workers'))?.[1]];
    };
    const [[a, pid = ''], [b, other]] = await Promise.all([use(one, '3'), use(two, '5')]);
    expect([a, b]).toEqual(['1.5', '2.5']);
    expect(pid).not.toBe(other);
    await stores.shift()?.stop();
    expect(readdirSync('/proc')).not.toContain(pid);
    expect((await use(two, '7'))[0]).toBe('3.5');
  });

  test('ends in the middle of a run when its store is killed', async () => {
    const file = await makeModels(python, 'torch');
    const main = fileURLToPath(new URL('../../../../dist/cli/main.js', import.meta.url));
    const process_ = spawn(process.execPath, [main, 'orchestrator', '--port', '0', '--python', python], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const port = await new Promise<number>((resolve) => {
      process_.stdout.on('data', (line) => resolve(Number(/SSDB=[\d.]+:(\d+)/.exec(String(line))?.[1])));
    });
    const redis = connect(port);
    await store(redis, file('slow.pt'));
    await redis.call('AI.TENSORSET', 'x', 'FLOAT', '1', 'VALUES', '600');
    const pid = /pid=(\d+)/.exec(await redis.info('ai_workers'))?.[1] ?? '';
    const ticks = () => Number(readFileSync(`/proc/${pid}/stat`, 'latin1').split(' ')[13]);
    const before = ticks();
    const outcome = redis.call('AI.MODELRUN', 'm', 'INPUTS', 'x', 'OUTPUTS', 'y').catch(() => 'gone');
    expect(await soon(() => ticks() > before + 10)).toBe(true);
    process_.kill('SIGKILL');
    expect(await outcome).toBe('gone');
    expect(await soon(() => !readdirSync('/proc').includes(pid))).toBe(true);
  });
});
