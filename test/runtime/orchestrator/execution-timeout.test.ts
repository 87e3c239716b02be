import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { afterEach, describe, expect, test } from 'vitest';
import { waitUntil } from '../support/wait-until.js';
import { field, repeatedSquares } from './support/onnx.js';
import { modelFile, onnxRuntime, type Started, start } from './support/start.js';

const mib = 1024 * 1024;
const endless = String(10n ** 15n);
const stopped = 'ERR Exiting due to terminate flag being set to true: the model ';

let started: Started | undefined;
const clients: Redis[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) client.disconnect();
  await started?.stop();
  started = undefined;
});

async function open(options: Parameters<typeof start>[0]): Promise<Redis> {
  started = await start({ intraOpThreads: 1, ...options });
  return another();
}

function another(port = started?.port ?? 0): Redis {
  const client = new Redis(port, { retryStrategy: () => null });
  client.on('error', () => undefined);
  clients.push(client);
  return client;
}

async function setUp(client: Redis): Promise<void> {
  await client.call('AI.MODELSTORE', 'slow', 'ONNX', 'CPU', 'BLOB', modelFile('slow'));
  await client.call('AI.MODELSTORE', 'double', 'ONNX', 'CPU', 'BLOB', modelFile('double'));
  await client.call('AI.TENSORSET', 'field', 'FLOAT', '256', '256');
  await client.call('AI.TENSORSET', 'x', 'FLOAT', '1', '2');
  await client.call('AI.TENSORSET', 'endless', 'INT64', '1', 'VALUES', endless);
  await client.call('AI.TENSORSET', 'few', 'INT64', '1', 'VALUES', '3');
}

const slow = (client: Redis, rounds: string) =>
  client.call('AI.MODELEXECUTE', 'slow', 'INPUTS', '2', rounds, 'field', 'OUTPUTS', '1', 'out');
const double = (client: Redis) => client.call('AI.MODELEXECUTE', 'double', 'INPUTS', '1', 'x', 'OUTPUTS', '1', 'y');

/** Processes that run models apart, of those that `parent` has started. */
function isolatedProcesses(parent = process.pid): number[] {
  return readdirSync('/proc').flatMap((name) => {
    try {
      const status = readFileSync(`/proc/${name}/status`, 'latin1');
      const words = readFileSync(`/proc/${name}/cmdline`, 'latin1');
      const isOurs = status.includes(`\nPPid:\t${parent}\n`) && words.includes('\0isolated-inference\0');
      return isOurs && !status.includes('\nState:\tZ') ? [Number(name)] : [];
    } catch {
      return [];
    }
  });
}

describe.skipIf(onnxRuntime === undefined)('a model that never ends', () => {
  test('is stopped, with others answered meanwhile, and may be run again', async () => {
    const client = await open({ executionTimeoutSeconds: 2 });
    await setUp(client);
    const [running] = isolatedProcesses();
    expect(running).toBeDefined();
    const outcome = slow(client, 'endless').then(String, (error: Error) => error.message);
    const other = another();
    let answered = 0;
    let ended = false;
    void outcome.then(() => {
      ended = true;
    });
    for (; !ended; answered += 1) await double(other);
    expect(answered).toBeGreaterThan(5);
    expect(await outcome).toBe(`${stopped}ran longer than the execution time-out of 2000 ms`);
    await waitUntil('the process has gone', () => !isolatedProcesses().includes(running as number));
    expect(await slow(client, 'few')).toBe('OK');
    const info = (await client.call('AI.INFO', 'slow')) as unknown[];
    expect([info[info.indexOf('calls') + 1], info[info.indexOf('errors') + 1]]).toEqual([2, 1]);
    expect(await client.info('modules')).toContain('ai_model_execution_timeout:2000\r\n');
  }, 360_000);

  test('ends soon after it was deleted, and not when it is replaced', async () => {
    const client = await open({});
    await setUp(client);
    const outcome = slow(client, 'endless').then(String, (error: Error) => error.message);
    const other = another();
    expect(await other.call('AI.MODELDEL', 'slow')).toBe('OK');
    expect(await outcome).toBe(`${stopped}was deleted while it ran`);
    await expect(slow(other, 'few')).rejects.toThrow('ERR model key is empty');
    await setUp(other);
    expect(await slow(other, 'few')).toBe('OK');
  }, 360_000);

  test('is gone for everybody once it is deleted, and its memory once its run has been stopped', async () => {
    const client = await open({ maxMemoryBytes: 128 * mib });
    await setUp(client);
    const other = another();
    const before = started?.orchestrator.stats().usedBytes ?? 0;
    const model = Buffer.concat([modelFile('slow'), field(6, Buffer.alloc(20 * mib, 'x'))]);
    await client.call('AI.MODELSTORE', 'large', 'ONNX', 'CPU', 'BLOB', model);
    await other.ping();
    const { requests = 0 } = started?.orchestrator.stats() ?? {};
    const run = ['AI.MODELEXECUTE', 'large', 'INPUTS', '2', 'endless', 'field', 'OUTPUTS', '1', 'out'] as const;
    let ended = false;
    const outcome = client
      .call(...run)
      .then(String, (error: Error) => error.message)
      .finally(() => {
        ended = true;
      });
    await waitUntil('it runs', () => (started?.orchestrator.stats().requests ?? 0) > requests);
    const since = performance.now();
    expect(await other.call('AI.MODELDEL', 'large')).toBe('OK');
    expect(started?.orchestrator.stats().usedBytes).toBe(before);
    expect(await other.exists('large')).toBe(0);
    expect(String(await other.call('AI._MODELSCAN'))).not.toContain('large');
    await expect(other.call('AI.MODELGET', 'large', 'META')).rejects.toThrow('ERR model key is empty');
    await expect(other.call('AI.MODELDEL', 'large')).rejects.toThrow('ERR model key is empty');
    await expect(another().call(...run)).rejects.toThrow('ERR model key is empty');
    // The run has the model's bytes and a session of them still.
    const rest = Buffer.alloc(100 * mib);
    await expect(other.set('rest', rest)).rejects.toThrow('OOM');
    expect(ended).toBe(false);
    expect(await outcome).toBe(`${stopped}was deleted while it ran`);
    expect(performance.now() - since).toBeLessThan(20_000);
    expect(await other.exists('out')).toBe(0);
    await waitUntil('there is room', () =>
      other.set('rest', rest).then(
        () => true,
        () => false,
      ),
    );
  }, 360_000);

  test('keeps the store at most 10 s from ending at SIGTERM, saved and without processes left', async () => {
    const main = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url));
    const store = spawn(process.execPath, [main, 'orchestrator', '--port', '0'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = new Promise<number | string | null>((resolve) => {
      store.on('exit', (code, signal) => resolve(signal ?? code));
    });
    const port = await new Promise<number>((resolve) => {
      store.stdout.on('data', (line) => resolve(Number(/SSDB=[\d.]+:(\d+)/.exec(String(line))?.[1])));
    });
    const client = another(port);
    await setUp(client);
    slow(client, 'endless').catch(() => undefined);
    await waitUntil('it runs', async () => /ECHO/.test(String(await another(port).call('ECHO', 'ECHO'))));
    const isolated = isolatedProcesses(store.pid);
    expect(isolated.length).toBe(1);
    const since = performance.now();
    store.kill('SIGTERM');
    expect(await ended).toBe(0);
    expect(performance.now() - since).toBeLessThan(10_000);
    await waitUntil('nothing is left', () => !readdirSync('/proc').includes(String(isolated[0])));
  }, 360_000);

  test('does not outlive a store that is killed', async () => {
    const main = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url));
    const store = spawn(process.execPath, [main, 'orchestrator', '--port', '0'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const port = await new Promise<number>((resolve) => {
      store.stdout.on('data', (line) => resolve(Number(/SSDB=[\d.]+:(\d+)/.exec(String(line))?.[1])));
    });
    const client = another(port);
    await setUp(client);
    const outcome = slow(client, 'endless').catch(() => 'gone');
    await another(port).ping();
    const isolated = isolatedProcesses(store.pid);
    store.kill('SIGKILL');
    expect(await outcome).toBe('gone');
    await waitUntil('nothing is left', () => !readdirSync('/proc').includes(String(isolated[0])));
  }, 360_000);
});

describe.skipIf(onnxRuntime === undefined)('a model without a loop that takes too long', () => {
  test('keeps the store at most 10 s from ending at SIGTERM: it saves, and kills itself', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'simwright-stuck-'));
    const file = join(folder, 'saved');
    const main = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url));
    const words = ['--port', '0', '--intra-op-threads', '1', '--checkpoint', '300', file];
    const store = spawn(process.execPath, [main, 'orchestrator', ...words], { stdio: ['ignore', 'pipe', 'pipe'] });
    let told = '';
    store.stderr.on('data', (line) => {
      told += String(line);
    });
    const ended = new Promise<unknown>((resolve) => store.on('close', (code, signal) => resolve(signal ?? code)));
    const port = await new Promise<number>((resolve) => {
      store.stdout.on('data', (line) => resolve(Number(/SSDB=[\d.]+:(\d+)/.exec(String(line))?.[1])));
    });
    const client = another(port);
    await client.call('AI.MODELSTORE', 'squares', 'ONNX', 'CPU', 'BLOB', repeatedSquares(1000));
    await client.call('AI.TENSORSET', 'm', 'FLOAT', '2000', '2000');
    const other = another(port);
    await other.set('late', 'saved all the same');
    let own = 0;
    const commands = async () => Number(/total_commands_processed:(\d+)/.exec(await other.info('stats'))?.[1]) - own++;
    const before = await commands();
    client.call('AI.MODELEXECUTE', 'squares', 'INPUTS', '1', 'm', 'OUTPUTS', '1', 'n').catch(() => undefined);
    await waitUntil('it runs', async () => (await commands()) > before);
    const since = performance.now();
    store.kill('SIGTERM');
    expect(await ended).toBe('SIGKILL');
    expect(performance.now() - since).toBeLessThan(10_000);
    expect(told).toContain('a model still runs, which only the end of this process stops: it is killed');
    expect(readFileSync(file, 'latin1')).toContain('saved all the same');
    rmSync(folder, { recursive: true });
  }, 360_000);

  test('fails, another thread takes the place of its own, and its inputs stay', async () => {
    const client = await open({ executionTimeoutSeconds: 1 });
    await setUp(client);
    await client.call('AI.MODELSTORE', 'squares', 'ONNX', 'CPU', 'BLOB', repeatedSquares(160));
    await client.call('AI.TENSORSET', 'm', 'FLOAT', '1100', '1100');
    const squares = () => client.call('AI.MODELEXECUTE', 'squares', 'INPUTS', '1', 'm', 'OUTPUTS', '1', 'n');
    await expect(squares()).rejects.toThrow(`${stopped}ran longer than the execution time-out of 1000 ms`);
    expect(await double(client)).toBe('OK');
    expect(((await client.callBuffer('AI.TENSORGET', 'm', 'BLOB')) as Buffer).length).toBe(4 * 1100 ** 2);
    // From now on it has a process, which can be stopped.
    await expect(squares()).rejects.toThrow(stopped);
    await waitUntil('its process has gone', () => isolatedProcesses().length <= 1);
  }, 360_000);
});

test.skipIf(onnxRuntime === undefined)('the TIMEOUT of a DAG holds while a step waits for a batch', async () => {
  const client = await open({});
  const batch = ['BATCHSIZE', '4', 'MINBATCHSIZE', '2'];
  await client.call('AI.MODELSTORE', 'double', 'ONNX', 'CPU', ...batch, 'BLOB', modelFile('double'));
  await client.call('AI.TENSORSET', 'x', 'FLOAT', '1', '2');
  const head = ['LOAD', '1', 'x', 'TIMEOUT', '300', '|>'];
  const since = performance.now();
  expect(
    await client.call('AI.DAGEXECUTE', ...head, 'AI.MODELEXECUTE', 'double', 'INPUTS', '1', 'x', 'OUTPUTS', '1', 'y'),
  ).toBe('TIMEDOUT');
  expect(await client.call('AI.DAGRUN', ...head, 'AI.MODELRUN', 'double', 'INPUTS', 'x', 'OUTPUTS', 'y')).toBe(
    'TIMEDOUT',
  );
  expect(performance.now() - since).toBeGreaterThan(500);
});
