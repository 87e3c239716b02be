import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isNewEnough } from '../../../src/runtime/engine/find-engine.js';
import { serverConfig } from '../../../src/runtime/engine/server-config.js';
import { waitUntil } from '../support/wait-until.js';
import { builtModule, hasCompiler, servers } from './support/servers.js';

/** Frames that the hostile AI layer sends and the module takes, and requests of hostile clients: `SIMWRIGHT_FUZZ_FRAMES=1000000` is the whole of it, in minutes. */
const frames = Number(process.env['SIMWRIGHT_FUZZ_FRAMES'] ?? 60_000);
const requests = Number(process.env['SIMWRIGHT_FUZZ_REQUESTS'] ?? frames);
const seed = Number(process.env['SIMWRIGHT_FUZZ_SEED'] ?? 1);
/** Frames a second that the slowest machine takes. */
const slowest = 1500;
const toldLines = 120;

/** AddressSanitizer's library, which must be loaded before all others; undefined where the compiler has none. */
const sanitizer = (() => {
  if (!hasCompiler) return undefined;
  const path = execFileSync('cc', ['-print-file-name=libasan.so'], { encoding: 'utf8' }).trim();
  return existsSync(path) ? path : undefined;
})();
// Debian's takes its memory from the C library's functions, and so from AddressSanitizer.
const server = servers.find(({ path }) => path === process.env['SIMWRIGHT_FUZZ_SERVER']) ?? servers.find(isNewEnough);
const lacks = server === undefined ? 'a server' : sanitizer === undefined ? 'a compiler with AddressSanitizer' : '';

describe.skipIf(lacks !== '')(
  `the module under AddressSanitizer${lacks === '' ? '' : ` (skipped: there is no ${lacks})`}`,
  () => {
    let folder: string;
    let child: ChildProcess;
    let ended: string | undefined;
    let redis: Redis;
    const log: string[] = [];
    const gone: string[] = [];

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'simwright-fuzz-'));
      const source = fileURLToPath(new URL('fuzz/hostile.c', import.meta.url));
      execFileSync('cc', ['-std=c11', '-O2', '-Wall', '-Wextra', '-Werror', '-o', join(folder, 'hostile'), source]);
      const flags = [
        '-g',
        '-fsanitize=address,undefined',
        '-fno-sanitize-recover=undefined',
        '-fno-omit-frame-pointer',
      ];
      const config = serverConfig({
        tcp: undefined,
        unix: { kind: 'unix', path: join(folder, 'store.sock'), permissions: 0o700 },
        folder,
        file: 'dump.rdb',
        module: await builtModule(flags),
        workerSocket: join(folder, 'ai.sock'),
        holder: process.pid,
        options: { maxBulkBytes: 64 * 1024 * 1024 },
      });
      child = spawn(server?.path ?? '', ['-'], {
        stdio: ['pipe', 'pipe', 'pipe'],
        env: {
          ...process.env,
          LD_PRELOAD: sanitizer,
          ASAN_OPTIONS: 'detect_leaks=0:abort_on_error=1:malloc_context_size=8',
        },
      });
      for (const stream of [child.stdout, child.stderr]) {
        stream?.setEncoding('utf8').on('data', (text: string) => {
          log.push(...text.split('\n'));
          log.splice(0, log.length - toldLines);
        });
      }
      child.once('close', (code, signal) => {
        ended = signal ?? `exit code ${code}`;
      });
      // Requests that nobody is left to answer end soon.
      child.stdin?.end(config.replace(/^loadmodule.*$/m, '$& worker-wait-ms 500'));
      await waitUntil('the server listens', () => existsSync(join(folder, 'store.sock')) || ended !== undefined);
      redis = new Redis(join(folder, 'store.sock'));
      redis.on('error', () => undefined);
    });
    afterAll(async () => {
      redis.disconnect();
      child.kill('SIGINT');
      await waitUntil('the server has ended', () => ended !== undefined);
      rmSync(folder, { recursive: true });
    });

    const info = async () => {
      const text = await redis.info('everything');
      return (name: string) => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(text)?.[1]);
    };
    /** Starts an attacker; the function that it gives ends it, with the count of what it has sent. */
    const attack = (who: 'clients' | 'worker', socket: string) => {
      const one = spawn(join(folder, 'hostile'), [who, join(folder, socket), String(seed)], {
        stdio: ['pipe', 'pipe', 'inherit'],
      });
      const counted = new Promise<number>((resolve) => {
        let text = '';
        one.stdout.on('data', (chunk) => {
          text += chunk;
        });
        one.once('close', () => {
          gone.push(who);
          resolve(Number(text));
        });
      });
      return () => {
        one.stdin.destroy();
        return counted;
      };
    };

    test(`survives ${frames} frames of a hostile AI layer and ${requests} requests of hostile clients (seed ${seed})`, {
      timeout: 180_000 + (frames / slowest) * 1000,
    }, async () => {
      const ends = [attack('clients', 'store.sock'), attack('worker', 'ai.sock')];
      await waitUntil(
        'all has been sent',
        async () => {
          if (ended !== undefined) return true;
          const field = await info().catch(() => undefined);
          if (field === undefined) return 'the server does not answer';
          // Each frame that the module has taken is an answer, or the end of a connection.
          const taken = field('ai_requests_answered') + field('ai_worker_connections');
          return (
            (taken >= frames && field('total_commands_processed') >= requests) ||
            `${taken} frames, ${field('total_commands_processed')} requests`
          );
        },
        60 + frames / slowest / 3,
      );
      const counts = await Promise.all(ends.map((end) => end()));
      expect(ended === undefined ? 'the server runs' : log.join('\n')).toBe('the server runs');
      for (const count of counts) expect(count).toBeGreaterThan(frames / 4);
      // Nothing of it stays: no request, and no memory.
      await redis.flushall();
      await waitUntil('all requests have ended', async () => {
        const field = await info();
        const left = field('ai_requests_waiting') + field('ai_requests_sent');
        return left <= field('ai_requests_answered') + field('ai_requests_failed') && field('blocked_clients') === 0;
      });
      expect((await info())('used_memory')).toBeLessThan(64 * 1024 * 1024);
      expect(await redis.ping()).toBe('PONG');
    });
  },
);
