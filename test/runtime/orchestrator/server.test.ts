import { chmodSync, existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WorkflowError } from '../../../src/diagnostics/index.js';
import { type OrchestratorOptions, startOrchestrator } from '../../../src/runtime/orchestrator/index.js';
import { encode, RawClient } from './support/raw-client.js';
import { start } from './support/start.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'simwright-listen-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function refusal(...listen: OrchestratorOptions['listen']): Promise<WorkflowError> {
  const outcome = await startOrchestrator({ listen }).catch((error: unknown) => error);
  if (!(outcome instanceof WorkflowError)) throw new Error(`not refused: ${String(outcome)}`);
  expect(outcome.hint).toBeTruthy();
  return outcome;
}

describe('listening', () => {
  test('a taken port', async () => {
    const started = await start();
    const error = await refusal({ kind: 'tcp', host: '127.0.0.1', port: started.port });
    expect([error.code, error.message]).toEqual(['RUN1003', `127.0.0.1:${started.port} is taken by another process`]);
    await started.stop();
  });

  test('an address of another host', async () => {
    expect((await refusal({ kind: 'tcp', host: '192.0.2.1', port: 0 })).code).toBe('RUN1004');
  });

  test('a socket path of 108 bytes; one of 107 works', async () => {
    const long = join(folder, 'x'.repeat(107 - Buffer.byteLength(folder) - 1));
    expect(Buffer.byteLength(long)).toBe(107);
    const error = await refusal({ kind: 'unix', path: `${long}x`, permissions: 0o700 });
    expect(error.code).toBe('STORE1002');
    expect(error.message).toContain('108 bytes');
    const orchestrator = await startOrchestrator({ listen: [{ kind: 'unix', path: long, permissions: 0o700 }] });
    expect(orchestrator.addresses).toEqual([`unix://${long}`]);
    await orchestrator.close();
  });

  test('a folder that is not there, and nothing is left of the places before it', async () => {
    const first = join(folder, 'first.sock');
    const error = await refusal(
      { kind: 'unix', path: first, permissions: 0o700 },
      { kind: 'unix', path: join(folder, 'none', 's.sock'), permissions: 0o700 },
    );
    expect(error.code).toBe('OUT1002');
    expect(existsSync(first)).toBe(false);
  });

  test('a path where a file or another store is', async () => {
    const path = join(folder, 'file');
    writeFileSync(path, 'text');
    expect((await refusal({ kind: 'unix', path, permissions: 0o700 })).message).toContain('is no socket');
    const started = await start();
    const error = await refusal({ kind: 'unix', path: started.socketPath, permissions: 0o700 });
    expect([error.code, error.message]).toEqual(['RUN1003', `another process listens on ${started.socketPath}`]);
    await started.stop();
  });

  test.each([0o700, 0o600, 0o770, 0o777])('a socket of mode %o, gone after close', async (permissions) => {
    const path = join(folder, `mode-${permissions}.sock`);
    const before = process.umask();
    const orchestrator = await startOrchestrator({ listen: [{ kind: 'unix', path, permissions }] });
    expect(statSync(path).mode & 0o777).toBe(permissions);
    expect(process.umask()).toBe(before);
    await orchestrator.close();
    expect(existsSync(path)).toBe(false);
  });

  test('a socket left over by a killed store is replaced', async () => {
    const path = join(folder, 'stale.sock');
    const { spawnSync } = await import('node:child_process');
    spawnSync(process.execPath, [
      '-e',
      `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`,
    ]);
    expect(existsSync(path)).toBe(true);
    const orchestrator = await startOrchestrator({ listen: [{ kind: 'unix', path, permissions: 0o700 }] });
    await orchestrator.close();
    chmodSync(folder, 0o700);
  });

  test('a free port is free of others', async () => {
    const started = await start();
    const taken = createServer();
    await expect(
      new Promise((_resolve, reject) => taken.once('error', reject).listen(started.port, '127.0.0.1')),
    ).rejects.toThrow('EADDRINUSE');
    await started.stop();
  });
});

describe('limits', () => {
  test('clients', async () => {
    const started = await start({ maxClients: 1 });
    const first = await RawClient.connect({ path: started.socketPath });
    await first.write(encode('PING'));
    expect((await first.read(7)).toString()).toBe('+PONG\r\n');
    const second = await RawClient.connect({ path: started.socketPath });
    expect((await second.readToEnd()).toString()).toBe('-ERR max number of clients reached\r\n');
    first.destroy();
    await started.stop();
  });

  test('memory: writes are refused, reads and deletions are not', async () => {
    const started = await start({ maxMemoryBytes: 100_000 });
    const redis = new Redis(started.port);
    await redis.call('AI.TENSORSET', 't', 'UINT8', '60000', 'BLOB', Buffer.alloc(60_000));
    const oom = "OOM command not allowed when used memory > 'maxmemory'.";
    await expect(redis.call('AI.TENSORSET', 'u', 'UINT8', '60000', 'BLOB', Buffer.alloc(60_000))).rejects.toThrow(oom);
    expect(((await redis.callBuffer('AI.TENSORGET', 't', 'BLOB')) as Buffer).length).toBe(60_000);
    await redis.del('t');
    expect(await redis.call('AI.TENSORSET', 'u', 'UINT8', '60000', 'BLOB', Buffer.alloc(60_000))).toBe('OK');
    redis.disconnect();
    await started.stop();
  });

  test('bulks', async () => {
    const started = await start({ maxBulkBytes: 1000 });
    const client = await RawClient.connect({ port: started.port });
    await client.write('*2\r\n$3\r\nGET\r\n$1001\r\n');
    expect((await client.readToEnd()).toString()).toBe('-ERR Protocol error: invalid bulk length\r\n');
    await started.stop();
  });

  test('memory in use goes back to nothing', async () => {
    const started = await start();
    const redis = new Redis(started.port);
    await redis.call('AI.TENSORSET', 't', 'FLOAT', '1000');
    await redis.call('AI.TENSORSET', 't', 'FLOAT', '10');
    await redis.hset('h', { a: 1, b: 2 });
    await redis.hset('h', { a: 'longer', c: 3 });
    await redis.rpush('l', 'x', 'y');
    await redis.set('s', 'text');
    await redis.rename('s', 'l');
    expect(started.orchestrator.stats()).toMatchObject({ keys: 3, clients: 1, inferences: 0 });
    expect(started.orchestrator.stats().usedBytes).toBeGreaterThan(40);
    await redis.del('t', 'h', 'l');
    expect(started.orchestrator.stats()).toMatchObject({ keys: 0, usedBytes: 0 });
    redis.disconnect();
    await started.stop();
  });

  test('a client that does not read is not read from, and gets everything once it does', async () => {
    const started = await start();
    const client = await RawClient.connect({ path: started.socketPath });
    const bytes = Buffer.alloc(8 * 1024 * 1024, 1);
    await client.write(encode('AI.TENSORSET', 't', 'UINT8', String(bytes.length), 'BLOB', bytes));
    expect((await client.read(5)).toString()).toBe('+OK\r\n');
    const gets = 8;
    await client.write(Buffer.concat(Array.from({ length: gets }, () => encode('AI.TENSORGET', 't', 'BLOB'))));
    const reply = `$${bytes.length}\r\n`.length + bytes.length + 2;
    expect((await client.read(reply * gets)).length).toBe(reply * gets);
    client.destroy();
    await started.stop();
  });
});
