import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { describe, expect, test } from 'vitest';
import { oneOperator } from './support/onnx.js';
import { onnxRuntime, start } from './support/start.js';

/** `SIMWRIGHT_STRESS_SECONDS=600` for a long run; `SIMWRIGHT_STRESS_SEED` repeats what the clients do, not when. */
const seconds = Number(process.env['SIMWRIGHT_STRESS_SECONDS'] ?? 4);
const seed = Number(process.env['SIMWRIGHT_STRESS_SEED'] ?? Math.floor(Math.random() * 1e6));
const processes = Number(process.env['SIMWRIGHT_STRESS_PROCESSES'] ?? 3);
const mib = 1024 * 1024;
const client = fileURLToPath(new URL('./support/stress-client.ts', import.meta.url));
const run = promisify(execFile);

describe.skipIf(onnxRuntime === undefined)('several processes at once', () => {
  test.each([
    ['without a limit', 0, 'noeviction'],
    ['while keys are evicted', 160 * mib, 'allkeys-lru'],
    ['while writes are refused', 96 * mib, 'noeviction'],
  ] as const)(
    'neither damage what others store nor wait for ever %s',
    async (_name, maxMemoryBytes, evictionPolicy) => {
      const folder = mkdtempSync(join(tmpdir(), 'simwright-stress-'));
      const bugs: string[] = [];
      const started = await start({
        maxMemoryBytes,
        evictionPolicy,
        checkpointFile: join(folder, 'checkpoint'),
        threadsPerQueue: 2,
        intraOpThreads: 1,
        log: (level, message) => level === 'error' && bugs.push(message),
      });
      const redis = new Redis(started.port);
      const store = (key: string, ...options: string[]) =>
        redis.call('AI.MODELSTORE', key, 'ONNX', ...options, 'BLOB', oneOperator('Identity', 2, ['n'], true));
      try {
        await store('model0', 'CPU');
        await store('model1', 'CPU');
        await store('model2', 'CPU', 'BATCHSIZE', '4000');
        await store('model3', 'CPU:1');
        const done = Array.from({ length: processes }, async (_each, index) => {
          const words = [started.port, seed + index, seconds * 1000, 64 * mib].map(String);
          const { stdout } = await run(process.execPath, ['--import', 'tsx', client, ...words], {
            env: { ...process.env, MAY_EVICT: maxMemoryBytes === 0 ? '' : '1' },
            timeout: seconds * 1000 + 45_000,
          });
          return JSON.parse(stdout) as Record<string, number | string>;
        });
        const outcomes = await Promise.all(done);
        const errors = outcomes.flatMap(({ error }) => error ?? []);
        expect(errors, `SIMWRIGHT_STRESS_SEED=${seed} ${JSON.stringify(outcomes)}`).toEqual([]);
        for (const { checked } of outcomes) expect(checked).toBeGreaterThan(0);
        expect(bugs).toEqual([]);
        // Nothing is left behind: no connection, no run, no memory set aside.
        while (!/connected_clients:1\r/.test(await redis.info('clients'))) await redis.ping();
        await redis.flushall();
        expect(started.orchestrator.stats()).toMatchObject({ keys: 0, usedBytes: 0, clients: 1 });
        if (maxMemoryBytes > 0) {
          const most = Buffer.alloc(maxMemoryBytes - mib, 1);
          expect(await redis.call('AI.TENSORSET', 't', 'INT8', String(most.length), 'BLOB', most)).toBe('OK');
        }
      } finally {
        redis.disconnect();
        await started.stop();
        rmSync(folder, { recursive: true });
      }
    },
    seconds * 1000 + 100_000,
  );
});
