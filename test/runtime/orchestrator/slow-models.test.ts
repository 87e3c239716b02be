import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { modelFile, onnxRuntime, type Started, start } from './support/start.js';

/** Rounds that keep one core busy for well over 300 ms. */
const rounds = 4000;

describe.skipIf(onnxRuntime === undefined)('a model that takes long', () => {
  let started: Started;
  let runner: Redis;
  let other: Redis;
  beforeAll(async () => {
    started = await start({ intraOpThreads: 1 });
    runner = new Redis(started.port);
    other = new Redis(started.socketPath);
    await runner.call('AI.MODELSTORE', 'slow', 'ONNX', 'CPU', 'BLOB', modelFile('slow'));
    await runner.call('AI.TENSORSET', 'x', 'FLOAT', '256', '256');
    await runner.call('AI.TENSORSET', 'rounds', 'INT64', '1', 'VALUES', String(rounds));
  });
  afterAll(async () => {
    runner.disconnect();
    other.disconnect();
    await started.stop();
  });

  const run = (client: Redis, output: string, ...more: string[]) =>
    client.call('AI.MODELEXECUTE', 'slow', 'INPUTS', '2', 'rounds', 'x', 'OUTPUTS', '1', output, ...more);

  test('leaves other clients served, and its own waiting in order', async () => {
    const events: string[] = [];
    const slow = run(runner, 'y').then(() => events.push('ran'));
    const behind = runner.ping().then(() => events.push('ping of the same connection'));
    for (let count = 1; count <= 20; count += 1) {
      await other.ping();
      await other.call('AI.TENSORGET', 'x', 'BLOB');
      events.push('served');
    }
    await Promise.all([slow, behind]);
    expect(events).toEqual([...Array.from({ length: 20 }, () => 'served'), 'ran', 'ping of the same connection']);
    const [info] = [(await runner.call('AI.INFO', 'slow')) as unknown[]];
    expect(info?.[info.indexOf('duration') + 1]).toBeGreaterThan(300_000);
    expect(await other.exists('y')).toBe(1);
  });

  test('makes a request with a short TIMEOUT fail that waits behind it', async () => {
    const slow = run(runner, 'y1');
    await expect(run(other, 'y2', 'TIMEOUT', '1')).rejects.toThrow('TIMEDOUT the request waited longer');
    expect(await slow).toBe('OK');
    expect(await other.exists('y1', 'y2')).toBe(1);
  });

  test('is finished when its client has gone or its model has been deleted', async () => {
    const leaving = new Redis(started.port);
    leaving.on('error', () => undefined);
    await leaving.call('AI.MODELSTORE', 'deleted', 'ONNX', 'CPU', 'BLOB', modelFile('slow'));
    const abandoned = run(leaving, 'y3').catch(() => 'gone');
    const deleted = runner.call('AI.MODELEXECUTE', 'deleted', 'INPUTS', '2', 'rounds', 'x', 'OUTPUTS', '1', 'y4');
    expect(await other.call('AI.MODELDEL', 'deleted')).toBe('OK');
    leaving.disconnect();
    expect(await deleted).toBe('OK');
    expect(await abandoned).toBe('gone');
    expect(await other.exists('y3', 'y4')).toBe(2);
  });

  test('is waited for when the store closes', async () => {
    const closing = await start({ intraOpThreads: 1 });
    const client = new Redis(closing.port);
    await client.call('AI.MODELSTORE', 'slow', 'ONNX', 'CPU', 'BLOB', modelFile('slow'));
    await client.call('AI.TENSORSET', 'x', 'FLOAT', '256', '256');
    await client.call('AI.TENSORSET', 'rounds', 'INT64', '1', 'VALUES', '1000');
    const slow = run(client, 'y');
    await new Promise((resolve) => client.stream.write('', resolve));
    const seen = new Redis(closing.socketPath);
    while (!/total_commands_processed:([5-9]|\d{2})/.test(await seen.info('stats'))) await seen.ping();
    seen.disconnect();
    const stopped = closing.stop();
    expect(await slow).toBe('OK');
    client.disconnect();
    await stopped;
  });
});
