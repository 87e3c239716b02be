import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { waitUntil } from '../support/wait-until.js';
import { modelFile, onnxRuntime, type Started, start } from './support/start.js';

let folder: string;
let file: string;
let started: Started | undefined;
const connections: Redis[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'simwright-checkpoint-'));
  file = join(folder, 'store.checkpoint');
});
afterEach(async () => {
  for (const redis of connections.splice(0)) redis.disconnect();
  await started?.stop();
  started = undefined;
  rmSync(folder, { recursive: true, force: true });
});

async function open(options: Parameters<typeof start>[0] = {}): Promise<Redis> {
  for (const redis of connections.splice(0)) redis.disconnect();
  await started?.stop();
  started = undefined;
  started = await start({ checkpointFile: file, ...options });
  const redis = new Redis(started.port);
  connections.push(redis);
  return redis;
}

const binary = Buffer.from([0, 13, 10, 255]);

const script = 'def f(tensors: List[Tensor], keys: List[str], args: List[str]):\n    return tensors[0] + 1\n';

async function fill(redis: Redis): Promise<void> {
  await redis.call('AI.TENSORSET', 'large', 'UINT8', 3_000_000, 'BLOB', Buffer.alloc(3_000_000, 7));
  await redis.call('AI.TENSORSET', binary, 'STRING', 2, 'VALUES', 'a', '');
  await redis.call('AI.TENSORSET', 'scalar', 'DOUBLE', 'VALUES', '1.5');
  await redis.set('string', binary);
  await redis.set('expires', 'v', 'EX', 1000);
  await redis.hset('hash', { field: binary, empty: '' });
  await redis.rpush('list', 'a', '', 'c');
  await redis.call('AI.SCRIPTSTORE', 'script', 'CPU', 'TAG', 't', 'ENTRY_POINTS', 1, 'f', 'SOURCE', script);
  if (onnxRuntime !== undefined) {
    const options = ['TAG', 'v1', 'BATCHSIZE', '4', 'MINBATCHSIZE', '1'];
    await redis.call('AI.MODELSTORE', 'model', 'ONNX', 'CPU', ...options, 'BLOB', modelFile('double'));
  }
}

async function check(redis: Redis): Promise<void> {
  const large = (await redis.callBuffer('AI.TENSORGET', 'large', 'BLOB')) as Buffer;
  expect(large.equals(Buffer.alloc(3_000_000, 7))).toBe(true);
  expect(await redis.call('AI.TENSORGET', binary, 'META', 'VALUES')).toEqual([
    'dtype',
    'STRING',
    'shape',
    [2],
    'values',
    ['a', ''],
  ]);
  expect(await redis.call('AI.TENSORGET', 'scalar', 'VALUES')).toEqual(['1.5']);
  expect(await redis.getBuffer('string')).toEqual(binary);
  expect(await redis.ttl('string')).toBe(-1);
  expect(await redis.ttl('expires')).toBeGreaterThan(900);
  expect((await redis.hgetallBuffer('hash'))['field']).toEqual(binary);
  expect(await redis.hget('hash', 'empty')).toBe('');
  expect(await redis.lrange('list', 0, -1)).toEqual(['a', '', 'c']);
  expect(await redis.call('AI.SCRIPTGET', 'script')).toEqual([
    'device',
    'CPU',
    'tag',
    't',
    'Entry Points',
    ['f'],
    'source',
    script,
  ]);
  if (onnxRuntime === undefined) return;
  await redis.call('AI.SCRIPTEXECUTE', 'script', 'f', 'INPUTS', 1, 'scalar', 'OUTPUTS', 1, 'more');
  expect(await redis.call('AI.TENSORGET', 'more', 'VALUES')).toEqual(['2.5']);
  await redis.del('more');
  expect(await redis.callBuffer('AI.MODELGET', 'model', 'BLOB')).toEqual(modelFile('double'));
  expect(await redis.call('AI.MODELGET', 'model', 'META')).toEqual(expect.arrayContaining(['v1', 4, 1]));
  const input = Buffer.from(Float32Array.from([1, 2]).buffer);
  await redis.call('AI.TENSORSET', 'x', 'FLOAT', 1, 2, 'BLOB', input);
  await redis.call('AI.MODELEXECUTE', 'model', 'INPUTS', 1, 'x', 'OUTPUTS', 1, 'y');
  expect(await redis.call('AI.TENSORGET', 'y', 'VALUES')).toEqual(['2', '4']);
}

test('SAVE writes everything, and a start reads it back', async () => {
  const redis = await open();
  await fill(redis);
  const before = Number(await redis.lastsave());
  expect(await redis.save()).toBe('OK');
  expect(Number(await redis.lastsave())).toBeGreaterThanOrEqual(before);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readdirSync(folder).sort()).toEqual(['store.checkpoint', 'store.checkpoint.owner']);
  await check(await open());
});

test('BGSAVE answers at once; INFO tells when it is done', async () => {
  const redis = await open();
  await fill(redis);
  expect(await redis.bgsave()).toBe('Background saving started');
  await waitUntil('saved', async () => (await redis.info('persistence')).includes('rdb_bgsave_in_progress:0'));
  expect(await redis.info('persistence')).toContain('rdb_last_bgsave_status:ok');
  await check(await open());
});

test('what changes every so often is saved, and the rest when the store is closed', async () => {
  const redis = await open({ checkpointSeconds: 0.05 });
  await redis.set('k', 'one');
  await waitUntil('a file', () => existsSync(file));
  const first = await open({ checkpointSeconds: 1000 });
  expect(await first.get('k')).toBe('one');
  await first.set('k', 'two');
  expect(await (await open()).get('k')).toBe('two');
});

test('a checkpoint is of one moment, whatever is written meanwhile', async () => {
  const redis = await open();
  for (let index = 0; index < 40; index += 1) {
    await redis.call('AI.TENSORSET', `t${index}`, 'UINT8', 2_000_000, 'BLOB', Buffer.alloc(2_000_000, 1));
  }
  await redis.hset('h', { a: 'old' });
  await redis.rpush('l', 'old');
  await redis.set('gone', 'old', 'EX', 1000);
  await redis.set('moved', 'old');
  const other = redis.duplicate();
  connections.push(other);
  await other.ping();
  const saving = other.save();
  await waitUntil('saving', async () => (await redis.info('persistence')).includes('rdb_bgsave_in_progress:1'));
  for (let index = 39; index >= 0; index -= 2) {
    await redis.call('AI.TENSORSET', `t${index}`, 'UINT8', 2_000_000, 'BLOB', Buffer.alloc(2_000_000, 2));
  }
  await redis
    .pipeline()
    .hset('h', { a: 'new', b: 'new' })
    .rpush('l', 'new')
    .del('gone')
    .set('gone', 'new')
    .rename('moved', 'elsewhere')
    .set('added', 'new')
    .exec();
  expect(await redis.info('persistence')).toContain('rdb_bgsave_in_progress:1');
  await saving;
  const again = await open();
  for (let index = 0; index < 40; index += 1) {
    const bytes = (await again.callBuffer('AI.TENSORGET', `t${index}`, 'BLOB')) as Buffer;
    expect(bytes.every((byte) => byte === 1)).toBe(true);
  }
  expect(await again.hgetall('h')).toEqual({ a: 'old' });
  expect(await again.lrange('l', 0, -1)).toEqual(['old']);
  expect([await again.get('gone'), await again.get('moved')]).toEqual(['old', 'old']);
  expect(await again.ttl('gone')).toBeGreaterThan(900);
  expect(await again.exists('added', 'elsewhere')).toBe(0);
});

test('without a file there is nothing to save to', async () => {
  started = await start();
  const redis = new Redis(started.port);
  connections.push(redis);
  const text = 'ERR there is no file to save to: this orchestrator was started without one';
  await expect(redis.save()).rejects.toThrow(text);
  await expect(redis.bgsave()).rejects.toThrow(text);
});

test('a checkpoint that cannot be written is an error, and the one before it stays', async () => {
  const redis = await open();
  await redis.set('k', 'one');
  await redis.save();
  const before = readFileSync(file);
  // A folder in the place of the file.
  renameSync(file, `${file}.before`);
  mkdirSync(join(file, 'inner'), { recursive: true });
  await redis.set('k', 'two');
  await expect(redis.save()).rejects.toThrow('ERR the checkpoint failed: EISDIR');
  expect(await redis.info('persistence')).toContain('rdb_last_bgsave_status:err');
  rmSync(file, { recursive: true });
  renameSync(`${file}.before`, file);
  expect(readFileSync(file)).toEqual(before);
  expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
});

describe('a file among strangers', () => {
  test('is written under a name that nobody can foresee, and never through what is there', async () => {
    const redis = await open();
    await redis.call('AI.TENSORSET', 't', 'UINT8', 300_000_000);
    const saving = redis.save();
    const names = () => readdirSync(folder).filter((name) => name.endsWith('.tmp'));
    await waitUntil('it is being written', () => names().length > 0);
    const [name = ''] = names();
    expect(name).toMatch(/^store\.checkpoint\.[0-9a-f]{24}\.tmp$/);
    expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600);
    await saving;
    const { createFile } = await import('../../../src/runtime/orchestrator/checkpoint/files.js');
    writeFileSync(join(folder, 'victim'), 'untouched');
    symlinkSync(join(folder, 'victim'), join(folder, 'trap'));
    await expect(createFile(join(folder, 'trap'))).rejects.toThrow('EEXIST');
    expect(readFileSync(join(folder, 'victim'), 'utf8')).toBe('untouched');
  });

  test.each([
    ['a FIFO', () => spawnSync('mkfifo', [file]), 'it is no regular file'],
    ['a folder', () => mkdirSync(file), 'it is no regular file'],
    ['a device', () => symlinkSync('/dev/zero', file), 'it is a symbolic link'],
  ])('that is %s is refused', async (_what, make, why) => {
    make();
    await expect(open()).rejects.toThrow(`the checkpoint ${file} cannot be read: ${why}`);
    // The lock has been given back.
    rmSync(file, { recursive: true });
    expect(await (await open()).ping()).toBe('PONG');
  });

  test.skipIf(process.getuid?.() !== 0)('that another user has put into /tmp is refused (needs root)', async () => {
    await (await open()).save();
    await started?.stop();
    started = undefined;
    chmodSync(folder, 0o1777);
    chownSync(file, 65_534, 65_534);
    // For root everybody else is a stranger, too.
    await expect(open()).rejects.toThrow('it belongs to user 65534, in a folder where anybody may write');
    chmodSync(folder, 0o700);
    expect(await (await open()).ping()).toBe('PONG');
  });

  test('belongs to one store: the second refuses to start', async () => {
    const redis = await open();
    await redis.set('k', 'v');
    await expect(start({ checkpointFile: file })).rejects.toThrow(
      `the checkpoint ${file} belongs to another store that runs: process ${process.pid}`,
    );
    await redis.save();
    expect(await redis.get('k')).toBe('v');
  });

  test('is taken over from a store that was killed, also on another host', async () => {
    const left = {
      token: 'x',
      host: hostname(),
      pid: 999_999_999,
      start: '1',
      space: readlinkSync('/proc/self/ns/pid'),
    };
    writeFileSync(`${file}.owner`, JSON.stringify(left));
    writeFileSync(`${file}.${'0'.repeat(24)}.tmp`, 'half a checkpoint');
    expect(await (await open()).save()).toBe('OK');
    expect(existsSync(`${file}.${'0'.repeat(24)}.tmp`)).toBe(false);
    await started?.stop();
    writeFileSync(`${file}.owner`, JSON.stringify({ ...left, host: 'elsewhere' }));
    expect(await (await open()).save()).toBe('OK');
    // Whoever has lost it writes nothing more.
    writeFileSync(`${file}.owner`, JSON.stringify({ ...left, host: 'elsewhere' }));
    await expect(connections[0]?.save()).rejects.toThrow('another store has taken the file over');
    rmSync(`${file}.owner`);
  }, 360_000);
});

describe('a damaged file is refused whole', () => {
  async function saved(): Promise<Buffer> {
    const redis = await open();
    await redis.set('a', 'x'.repeat(300));
    await redis.call('AI.TENSORSET', 't', 'UINT8', 100, 'BLOB', Buffer.alloc(100, 1));
    await redis.rpush('l', 'a', 'b');
    await redis.hset('h', { a: 'b' });
    await redis.save();
    redis.disconnect();
    await started?.stop();
    started = undefined;
    return readFileSync(file);
  }

  test('cut anywhere, or with any byte changed', async () => {
    const whole = await saved();
    const { readCheckpoint } = await import('../../../src/runtime/orchestrator/checkpoint/read-checkpoint.js');
    expect((await readCheckpoint(file))?.map(({ key }) => key)).toEqual(['a', 't', 'l', 'h']);
    for (let at = 0; at < whole.length; at += 1) {
      writeFileSync(file, whole.subarray(0, at));
      await expect(readCheckpoint(file)).rejects.toThrow(`the checkpoint ${file} `);
      const changed = Buffer.from(whole);
      changed[at] = (changed[at] ?? 0) ^ 0x55;
      writeFileSync(file, changed);
      await expect(readCheckpoint(file)).rejects.toThrow(`the checkpoint ${file} `);
    }
    writeFileSync(file, Buffer.concat([whole, Buffer.from('x')]));
    await expect(readCheckpoint(file)).rejects.toThrow('is damaged');
  });

  test('and the store does not start', async () => {
    const whole = await saved();
    writeFileSync(file, whole.subarray(0, -1));
    await expect(open()).rejects.toThrow(`the checkpoint ${file} is damaged: it is cut short or was changed`);
    writeFileSync(file, 'something else entirely');
    await expect(open()).rejects.toThrow('it is no checkpoint of a store');
  });

  test.skipIf(onnxRuntime === undefined)('a model that cannot be loaded is named', async () => {
    const redis = await open();
    await redis.call('AI.MODELSTORE', 'model', 'ONNX', 'CPU', 'BLOB', modelFile('double'));
    await redis.save();
    redis.disconnect();
    await started?.stop();
    started = undefined;
    await expect(open({ onnxRuntime: '/nowhere' })).rejects.toThrow("the model 'model' of the checkpoint");
  });
});

test('killed at any moment, at most what came after the last checkpoint is lost', async () => {
  const children: ChildProcess[] = [];
  const script = `
    import { startOrchestrator } from ${JSON.stringify(new URL('../../../src/runtime/orchestrator/index.ts', import.meta.url).href)};
    const listen = [{ kind: 'tcp', host: '127.0.0.1', port: 0 }];
    const onnxRuntime = ${JSON.stringify(onnxRuntime)};
    const store = await startOrchestrator({ listen, onnxRuntime, checkpointFile: ${JSON.stringify(file)} });
    console.log(store.addresses[0]);
  `;
  const launch = async (): Promise<{ child: ChildProcess; redis: Redis }> => {
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(child);
    const address = await new Promise<string>((resolve, reject) => {
      child.stdout?.once('data', (line) => resolve(String(line).trim()));
      child.once('exit', (code) => reject(new Error(`the store ended with ${code}`)));
    });
    const redis = new Redis(Number(address.split(':')[1]), { retryStrategy: () => null });
    redis.on('error', () => undefined);
    connections.push(redis);
    return { child, redis };
  };
  let generation = 0;
  try {
    for (const delayMs of [0, 5, 20, 60]) {
      const { child, redis } = await launch();
      if (generation > 0) {
        const found = [await redis.get('first'), await redis.get('last')].map(Number);
        // Both of the checkpoint that was done, or both of the one that was under way.
        expect(found[0]).toBe(found[1]);
        if (onnxRuntime !== undefined) {
          expect(await redis.call('AI.MODELGET', 'model', 'META')).toEqual(
            expect.arrayContaining(['tag', `${found[0]}`]),
          );
        }
        expect([generation, generation + 1]).toContain(found[0]);
        generation = found[0] ?? 0;
      }
      const write = async (to: number): Promise<void> => {
        await redis.set('first', to);
        for (let index = 0; index < 20; index += 1) {
          await redis.call('AI.TENSORSET', `t${index}`, 'UINT8', 1_000_000, 'BLOB', Buffer.alloc(1_000_000, to));
        }
        if (onnxRuntime !== undefined) {
          await redis.call('AI.MODELSTORE', 'model', 'ONNX', 'CPU', 'TAG', to, 'BLOB', modelFile('double'));
        }
        await redis.set('last', to);
      };
      generation += 1;
      await write(generation);
      await redis.save();
      await write(generation + 1);
      redis.save().catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await gone;
    }
  } finally {
    for (const child of children) child.kill('SIGKILL');
  }
});
