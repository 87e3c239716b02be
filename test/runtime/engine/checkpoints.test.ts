import { randomBytes } from 'node:crypto';
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isNewEnough, type ServerProgram } from '../../../src/runtime/engine/find-engine.js';
import { startOrchestrator } from '../../../src/runtime/orchestrator/index.js';
import { mayMount, Tmpfs } from '../support/tmpfs.js';
import { waitUntil } from '../support/wait-until.js';
import { hasCompiler, servers, startOnServer } from './support/servers.js';

const here = servers.filter(isNewEnough);
const [server] = here;
const lacks = server === undefined ? 'a server' : hasCompiler ? '' : 'a C compiler';
const oldest = here.find(({ kind, version }) => kind === 'redis' && version.startsWith('7.'));
const newest = here.find(({ kind, version }) => kind === 'valkey' && Number(version.split('.')[0]) >= 9);
const lacksTwo =
  oldest === undefined
    ? ' (skipped: there is no Redis 7)'
    : newest === undefined
      ? ' (skipped: there is no Valkey 9)'
      : '';

/** Keys of a save that takes so many milliseconds. */
const [keysOfSlowSave, slowSaveMs] = [20, 4000];

/** True if a process has not ended. */
function runs(pid: number): boolean {
  try {
    return !/^State:\s*Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

describe.skipIf(lacks !== '')(
  `checkpoints of a server${lacks === '' ? '' : ` (skipped: there is no ${lacks})`}`,
  () => {
    let folder: string;
    let file: string;
    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), 'simwright-checkpoints-'));
      file = join(folder, 'checkpoint');
    });
    afterAll(() => rmSync(folder, { recursive: true }));

    const open = (program: ServerProgram | undefined = server, more = {}) =>
      startOnServer(program as ServerProgram, { checkpointFile: file, ...more }, false);

    /** Leaves a checkpoint with the tensor `x`. */
    async function save(program: ServerProgram | undefined): Promise<Buffer> {
      rmSync(file, { force: true });
      const started = await open(program);
      const redis = new Redis(started.socketPath);
      await redis.call('AI.TENSORSET', 'x', 'INT16', '2', 'VALUES', '1', '2');
      redis.disconnect();
      await started.store.close(true);
      await started.stop();
      return readFileSync(file);
    }

    /** Reason for which a server does not take the file, which stays as it is. */
    async function refused(bytes: Buffer, program: ServerProgram | undefined = server): Promise<string> {
      writeFileSync(file, bytes);
      const error = await open(program).then(
        (started) => started.stop(),
        (problem: Error & { hint?: string; code?: string }) => problem,
      );
      expect(readFileSync(file).equals(bytes)).toBe(true);
      expect(readdirSync(folder)).toEqual(['checkpoint']);
      expect(error).toMatchObject({
        code: 'RUN1004',
        hint: expect.stringMatching(/^nothing was loaded, and the file/),
      });
      return String(error?.message).replace(file, 'FILE');
    }

    test.skipIf(lacksTwo !== '')(`of a newer server are not for an older one${lacksTwo}`, async () => {
      const bytes = await save(newest);
      expect(await refused(bytes, oldest)).toBe(
        `the checkpoint FILE cannot be brought back: Valkey ${newest?.version} wrote it, in a format that Redis ${oldest?.version} does not read`,
      );
      // The other way round it is read.
      await save(oldest);
      const started = await open(newest);
      const redis = new Redis(started.socketPath);
      expect(await redis.call('AI.TENSORGET', 'x', 'VALUES')).toEqual([1, 2]);
      redis.disconnect();
      await started.stop();
    });

    test.each([
      [1, 'another version of the module'],
      [-1, 'RedisAI'],
    ])('with values of another version of the module are named (%i)', async (step, writer) => {
      const bytes = await save(server);
      // The number of the type, of which the last ten bits are the version, as the server writes it.
      let places = 0;
      for (let at = 0; at + 9 < bytes.length; at += 1) {
        if (bytes[at] !== 0x81 || (bytes.readUInt16BE(at + 7) & 0x3ff) !== 900) continue;
        bytes.writeUInt16BE(bytes.readUInt16BE(at + 7) + step, at + 7);
        places += 1;
      }
      expect(places).toBe(1);
      // Zero is no checksum.
      bytes.fill(0, bytes.length - 8);
      expect(await refused(bytes)).toBe(
        `the checkpoint FILE cannot be brought back: a value of the type AI_TENSOR was written by ${writer}, in encoding ${900 + step} instead of 900`,
      );
    });

    test.each(here)('that are damaged are refused by $kind $version', async (program) => {
      const bytes = await save(program);
      expect(await refused(bytes.subarray(0, bytes.length - 16), program)).toMatch(
        /^the checkpoint FILE cannot be brought back: it is damaged \(.+\)$/,
      );
      const changed = Buffer.from(bytes);
      changed[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
      expect(await refused(changed, program)).toMatch(/: it is damaged \(.*(CRC|checksum).*\)$/i);
      expect(await refused(Buffer.from('a text'), program)).toMatch(/: it is no file of Redis or Valkey$/);
    });

    test('of an embedded store are named', async () => {
      const place = join(folder, 'embedded');
      const store = await startOrchestrator({
        listen: [{ kind: 'tcp', host: '127.0.0.1', port: 0 }],
        checkpointFile: place,
      });
      await store.close(true);
      const bytes = readFileSync(place);
      rmSync(place);
      expect(await refused(bytes)).toMatch(/: an embedded store wrote it$/);
    });

    test.each(here)(
      'that $kind $version was writing when it was killed do not take the place of later ones',
      async (program) => {
        await save(program);
        const started = await open(program);
        const redis = new Redis(started.socketPath);
        redis.on('error', () => undefined);
        const written = () => readdirSync(folder).filter((name) => name.startsWith('temp-'));
        // A key takes as long as much of it would.
        for (let key = 0; key < keysOfSlowSave; key += 1) await redis.set(`key${key}`, '1');
        await redis.config('SET', 'rdb-key-save-delay', String((slowSaveMs * 1000) / keysOfSlowSave));
        const before = readFileSync(file);
        await redis.bgsave();
        await waitUntil('it is being written', () => written().length > 0);
        const [, writer = ''] = /^temp-(\d+)/.exec(written()[0] ?? '') ?? [];
        expect(existsSync(`/proc/${writer}`)).toBe(true);
        process.kill(started.store.pids.server ?? 0, 'SIGKILL');
        await waitUntil('who writes it has ended', () => !runs(Number(writer)));
        expect(readFileSync(file).equals(before)).toBe(true);
        redis.disconnect();
        await started.stop();
        for (const name of written()) rmSync(join(folder, name));
      },
    );

    test('are recorded again after a client has saved', async () => {
      rmSync(file, { force: true });
      const written: number[] = [];
      const checkpointRecord = {
        read: () => [],
        write: ([one]: readonly { readonly crc: number }[]) => written.push(one?.crc ?? 0),
      };
      const started = await open(server, { checkpointSeconds: 0.1, checkpointRecord });
      const redis = new Redis(started.socketPath);
      await redis.set('a', '1');
      await waitUntil('it is saved', () => written.length > 0);
      const before = written.at(-1);
      await redis.set('b', '1');
      // The server may be busy with a checkpoint of its own.
      await waitUntil('a client has saved', () =>
        redis.save().then(
          () => true,
          (error: Error) => error.message,
        ),
      );
      await waitUntil(
        'the file of then is recorded',
        () => written.at(-1) === readFileSync(file).readUInt32LE(readFileSync(file).length - 4),
      );
      expect(written.at(-1)).not.toBe(before);
      redis.disconnect();
      await started.stop();
    });

    test.skipIf(!mayMount).each(here)('on a full disk: $kind $version goes on with the old one', async (program) => {
      const disk = new Tmpfs('1m');
      try {
        const place = join(disk.folder, 'checkpoint');
        const started = await open(program, { checkpointFile: place, checkpointSeconds: 0.2 });
        const redis = new Redis(started.socketPath);
        await redis.call('AI.TENSORSET', 'x', 'INT16', '2', 'VALUES', '1', '2');
        await waitUntil('it is saved', () => readdirSync(disk.folder).includes('checkpoint'));
        await waitUntil('nothing is under way', () =>
          readdirSync(disk.folder).every((name) => !name.startsWith('temp')),
        );
        const old = readFileSync(place);
        const large = randomBytes(2_000_000);
        await redis.call('AI.TENSORSET', 'large', 'UINT8', String(large.length), 'BLOB', large);
        const line = () => started.log.find((one) => one.startsWith('error '));
        await waitUntil('the failure is told', () => line() !== undefined);
        expect(line()).toMatch(/^error the checkpoint \S+ could not be written: .*No space left on device/);
        expect(readFileSync(place).equals(old)).toBe(true);
        expect(await redis.call('AI.TENSORGET', 'x', 'VALUES')).toEqual([1, 2]);
        expect(await redis.call('AI.TENSORSET', 'y', 'FLOAT', '1')).toBe('OK');
        await expect(started.store.close(true)).rejects.toMatchObject({
          code: 'OUT1002',
          message: expect.stringMatching(/could not be written: .*No space left on device/),
        });
        expect(readdirSync(disk.folder)).toEqual(['checkpoint']);
        redis.disconnect();
        await started.stop().catch(() => undefined);
        copyFileSync(place, file);
        const again = await open(program);
        const reader = new Redis(again.socketPath);
        expect(await reader.call('AI.TENSORGET', 'x', 'VALUES')).toEqual([1, 2]);
        expect(await reader.exists('large')).toBe(0);
        reader.disconnect();
        await again.stop();
      } finally {
        disk.remove();
      }
    });
  },
);
