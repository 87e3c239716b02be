import fc from 'fast-check';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { slotOf } from '../../../src/runtime/slots.js';
import { embeddedTest, onOneServer, plainNumber } from './support/engine.js';
import { encode, RawClient } from './support/raw-client.js';
import { onnxRuntime, type Started, start } from './support/start.js';

let started: Started;
beforeAll(async () => {
  started = await start();
});
afterAll(() => started.stop());

const floats = (...values: number[]) => Buffer.from(Float32Array.from(values).buffer);
const wrongType = 'WRONGTYPE Operation against a key holding the wrong kind of value';

describe.each(['TCP', 'Unix socket'])('through ioredis over %s', (transport) => {
  let redis: Redis;
  beforeEach(async () => {
    redis = transport === 'TCP' ? new Redis(started.port) : new Redis(started.socketPath);
    await redis.flushdb();
  });
  afterEach(() => redis.disconnect());

  const call = (...words: (string | Buffer)[]) => redis.call(words[0] as string, ...words.slice(1));
  const refusal = (...words: (string | Buffer)[]) =>
    call(...words).then(
      (reply) => `no error but ${JSON.stringify(reply)}`,
      (error: Error) => error.message,
    );

  test('tensors as blobs and as values', async () => {
    expect(await call('AI.TENSORSET', 't', 'FLOAT', '2', '1', 'BLOB', floats(0.1, -2))).toBe('OK');
    const value = [String(Math.fround(0.1)), '-2'];
    expect(await call('AI.TENSORGET', 't', 'META', 'VALUES')).toEqual([
      'dtype',
      'FLOAT',
      'shape',
      [2, 1],
      'values',
      value,
    ]);
    expect(await call('ai.tensorget', 't', 'values')).toEqual(value);
    expect(await call('AI.TENSORGET', 't', 'META')).toEqual(['dtype', 'FLOAT', 'shape', [2, 1]]);
    expect(await redis.callBuffer('AI.TENSORGET', 't', 'BLOB')).toEqual(floats(0.1, -2));
    const whole = ['dtype', 'FLOAT', 'shape', [2, 1], 'blob', floats(0.1, -2)].map((part) =>
      typeof part === 'string' ? Buffer.from(part) : part,
    );
    expect(await redis.callBuffer('AI.TENSORGET', 't')).toEqual(whole);
    expect(await redis.callBuffer('AI.TENSORGET', 't', 'BLOB', 'META')).toEqual(whole);
  });

  test.each([
    ['DOUBLE', ['1.5', '-1e300', 'inf'], ['1.5', '-1e+300', 'inf']],
    ['INT8', ['-128', '127', '0'], [-128, 127, 0]],
    ['INT16', ['-32768', '32767', '1'], [-32768, 32767, 1]],
    ['INT32', ['-2147483648', '2147483647', '1'], [-2147483648, 2147483647, 1]],
    ['UINT8', ['0', '255', '1'], [0, 255, 1]],
    ['UINT16', ['0', '65535', '1'], [0, 65535, 1]],
    ['BOOL', ['0', '1', '1'], [0, 1, 1]],
    ['STRING', ['a', '', 'ü'], ['a', '', 'ü']],
  ])('values of %s', async (dtype, given, read) => {
    expect(await call('AI.TENSORSET', 't', dtype, '3', 'VALUES', ...given)).toBe('OK');
    expect(((await call('AI.TENSORGET', 't', 'VALUES')) as unknown[]).map(plainNumber)).toEqual(read);
  });

  test('tensors without data are zeros, scalars have no shape', async () => {
    await call('AI.TENSORSET', 'z', 'INT64', '2', '2');
    expect(await call('AI.TENSORGET', 'z', 'VALUES')).toEqual([0, 0, 0, 0]);
    await call('AI.TENSORSET', 's', 'DOUBLE', 'VALUES', '3');
    expect(await call('AI.TENSORGET', 's')).toEqual(['dtype', 'DOUBLE', 'shape', [], 'blob', expect.any(String)]);
  });

  test.each<[string, (string | Buffer)[], string]>([
    ['words', ['k', 'FLOAT'], "ERR wrong number of arguments for 'ai.tensorset' command"],
    ['type', ['k', 'UINT32', '1', 'BLOB', 'abcd'], 'ERR invalid data type'],
    ['shape', ['k', 'FLOAT', '-1', 'BLOB', 'abcd'], 'ERR invalid or negative value found in tensor shape'],
    ['zero', ['k', 'FLOAT', '0', 'BLOB', ''], 'ERR invalid or negative value found in tensor shape'],
    ['word', ['k', 'FLOAT', '1', 'BLUB', 'abcd'], 'ERR invalid or negative value found in tensor shape'],
    ['size', ['k', 'FLOAT', '2', 'BLOB', 'abcd'], 'ERR data length does not match tensor shape and type'],
    ['huge', ['k', 'FLOAT', '4294967296', '4294967296'], 'ERR invalid or negative value found in tensor shape'],
    ['bool', ['k', 'BOOL', '2', 'BLOB', Buffer.from([1, 2])], 'ERR BOOL tensor elements must be 0 or 1'],
    ['count', ['k', 'INT8', '2', 'VALUES', '1'], "ERR wrong number of values was given in 'AI.TENSORSET' command"],
    ['value', ['k', 'INT8', '1', 'VALUES', '128'], 'ERR invalid value'],
    ['number', ['k', 'FLOAT', '1', 'VALUES', 'x'], 'ERR invalid value'],
    ['null', ['k', 'STRING', '1', 'VALUES', 'a\0b'], 'ERR C-string value contains null character'],
    [
      'strings',
      ['k', 'STRING', '2', 'BLOB', 'a\0'],
      'ERR Number of string elements in data blob does not match tensor length',
    ],
    [
      'blobs',
      ['k', 'FLOAT', '1', 'BLOB'],
      "ERR a single binary string should come after the BLOB argument in 'AI.TENSORSET' command",
    ],
  ])('AI.TENSORSET refuses a wrong %s', async (_name, words, text) => {
    expect(await refusal('AI.TENSORSET', ...words)).toBe(text);
    expect(await redis.exists('k')).toBe(0);
  });

  test('AI.TENSORGET refuses', async () => {
    await call('AI.TENSORSET', 't', 'FLOAT', '1');
    await redis.set('s', 'text');
    expect(await refusal('AI.TENSORGET', 'missing')).toBe('ERR tensor key is empty or in a different shard');
    expect(await refusal('AI.TENSORGET', 's')).toBe(wrongType);
    expect(await refusal('AI.TENSORGET', 't', 'SHAPE')).toBe('ERR unsupported data format');
    expect(await refusal('AI.TENSORGET', 't', 'BLOB', 'VALUES')).toBe('ERR both BLOB and VALUES specified');
    expect(await refusal('AI.TENSORSET', 's', 'FLOAT', '1')).toBe(wrongType);
    expect(await refusal('GET', 't')).toBe(wrongType);
    expect(await refusal('HGETALL', 't')).toBe(wrongType);
  });

  test('keys hold any bytes', async () => {
    const key = Buffer.from([0x7b, 0, 255, 0x7d, 46, 13, 10]);
    await call('AI.TENSORSET', key, 'FLOAT', '1');
    expect(await redis.exists(key)).toBe(1);
    expect(await redis.keysBuffer('*')).toEqual([key]);
    await redis.rename(key, 'plain');
    expect(await redis.type('plain')).toBe('AI_TENSOR');
    expect(await redis.del(key, 'plain', 'plain')).toBe(1);
  });

  test('data sets and lists, as SmartRedis sends them, in one pipeline', async () => {
    const field = Buffer.from('0403000000000000000400000000000000', 'hex');
    const replies = await redis
      .pipeline()
      .del('{d}.meta')
      .hmset('{d}.meta', 'counts', field, '.tensor_names', 'x')
      .call('AI.TENSORSET', '{d}.x', 'INT8', '1', 'BLOB', '\u0007')
      .hset('{d}.meta', '.COMPLETE', '1')
      .exec();
    expect(replies?.map(([error, reply]) => error ?? reply)).toEqual([0, 'OK', 'OK', 1]);
    expect(await redis.hexists('{d}.meta', '.COMPLETE')).toBe(1);
    expect((await redis.hgetallBuffer('{d}.meta'))['counts']).toEqual(field);
    expect(await redis.rpush('l', '{d}', '{e}')).toBe(2);
    expect(await redis.lrange('l', 0, -1)).toEqual(['{d}', '{e}']);
    expect(await redis.llen('l')).toBe(2);
  });

  embeddedTest('what clients open with', async () => {
    expect(await refusal('HELLO', '4')).toBe('NOPROTO unsupported protocol version');
    expect(await call('HELLO', '2')).toEqual(expect.arrayContaining(['proto', 2]));
    expect(await call('CLIENT', 'SETNAME', 'me')).toBe('OK');
    expect(await call('CLIENT', 'GETNAME')).toBe('me');
    expect(await call('CLIENT', 'SETINFO', 'LIB-NAME', 'x')).toBe('OK');
    expect(await call('CLIENT', 'ID')).toEqual(expect.any(Number));
    expect(await call('COMMAND', 'COUNT')).toBe(((await call('COMMAND')) as unknown[]).length);
    expect(await redis.info('clients')).toContain('connected_clients:');
    expect(await redis.info('everything')).toMatch(/used_memory:\d+\r\n.*total_commands_processed:\d+\r\n/s);
  });

  embeddedTest('what RedisAI says of itself', async () => {
    const text = await redis.info('modules');
    expect(text.match(/^# .*/gm)).toEqual([
      '# Modules',
      '# ai_versions',
      '# ai_git',
      '# ai_load_time_configs',
      '# ai_backends_info',
      '# ai_workers',
      '# ai_cpu',
      '# ai_simwright',
    ]);
    expect(text).toMatch(/ai_RedisAI_version:1\.2\.7\r\n/);
    expect(text).toMatch(/ai_threads_per_queue:1\r\nai_inter_op_parallelism:0\r\nai_intra_op_parallelism:0\r\n/);
    if (onnxRuntime !== undefined) expect(text).toMatch(/ai_onnxruntime_version:\d+\.\d+\.\d+/);
    expect(await redis.info('everything')).toContain(text.slice(0, 60));
  });

  test.each(['constructor', '__proto__', 'toString', 'hasOwnProperty'])('no setting is called %s', async (name) => {
    expect(await refusal('CONFIG', 'SET', name, '1')).toMatch(/^ERR Unknown option/);
    expect(await redis.config('GET', name)).toEqual([]);
    expect(await refusal('CONFIG', 'SET', 'maxmemory', `1${name}`)).toMatch(/argument must be a memory value/);
    expect(await redis.info(name)).toBe('');
  });

  test('a string tensor whose values bring their own end', async () => {
    await call('AI.TENSORSET', 't', 'STRING', '3', 'VALUES', 'a\0', 'b', '');
    expect(await call('AI.TENSORGET', 't', 'BLOB')).toBe('a\0b\0\0');
    expect(await refusal('AI.TENSORSET', 't', 'STRING', '1', 'VALUES', 'a\0\0')).toMatch(/contains null character/);
  });

  onOneServer(test)('a cluster of one', async () => {
    const slots = (await call('CLUSTER', 'SLOTS')) as [number, number, [string, number, string]][];
    expect(slots.map(([first, last]) => [first, last])).toEqual([[0, 16383]]);
    if (transport === 'TCP') expect(slots[0]?.[2].slice(0, 2)).toEqual(['127.0.0.1', started.port]);
    expect(await call('CLUSTER', 'INFO')).toContain('cluster_state:ok\r\n');
    const id = String(await call('CLUSTER', 'MYID'));
    expect(id).toMatch(/^[0-9a-f]{40}$/);
    expect(await call('CLUSTER', 'NODES')).toMatch(
      new RegExp(`^${id} 127\\.0\\.0\\.1:${started.port}@0 myself,master - 0 0 1 connected 0-16383\n$`),
    );
    expect(await call('CLUSTER', 'SHARDS')).toEqual([
      ['slots', [0, 16383], 'nodes', [expect.arrayContaining(['id', id, 'port', started.port, 'ip', '127.0.0.1'])]],
    ]);
    for (const key of ['', 'key', '{tag}x', '{}x', 'a}b{c}', '{\0\0}.m']) {
      expect(await call('CLUSTER', 'KEYSLOT', key)).toBe(slotOf(Buffer.from(key)));
    }
    expect(await call('MSET', '{tag}x', '1', 'other', '2')).toBe('OK');
    expect(await call('CLUSTER', 'COUNTKEYSINSLOT', String(slotOf(Buffer.from('{tag}'))))).toBe(1);
    expect(await refusal('CLUSTER', 'COUNTKEYSINSLOT', '16384')).toBe('ERR Invalid slot');
    expect(await refusal('CLUSTER', 'KEYSLOT')).toMatch(
      /^ERR wrong number of arguments for 'cluster\|keyslot' command$/,
    );
    expect(await refusal('CLUSTER', 'FORGET', id)).toBe("ERR unknown subcommand 'FORGET'. Try CLUSTER HELP.");
  });

  test('AI.CONFIG', async () => {
    expect(await call('AI.CONFIG', 'GET', 'MODEL_CHUNK_SIZE')).toBe(535822336);
    expect(await call('AI.CONFIG', 'MODEL_CHUNK_SIZE', '1000')).toBe('OK');
    expect(await call('AI.CONFIG', 'GET', 'MODEL_CHUNK_SIZE')).toBe(1000);
    expect(await refusal('AI.CONFIG', 'MODEL_CHUNK_SIZE', '0')).toBe('ERR MODEL_CHUNK_SIZE: invalid chunk size');
    expect(await refusal('AI.CONFIG', 'MODEL_CHUNK_SIZE')).toBe('ERR MODEL_CHUNK_SIZE: missing chunk size');
    expect(await call('AI.CONFIG', 'SET', 'MODEL_CHUNK_SIZE', '535822336')).toBe('OK');
    expect(await refusal('AI.CONFIG', 'NONSENSE')).toBe('ERR unsupported subcommand');
  });

  test('SCAN visits every key once', async () => {
    const pipeline = redis.pipeline();
    for (let index = 0; index < 57; index += 1) pipeline.set(`key${index}`, index);
    await pipeline.exec();
    await call('AI.TENSORSET', 'tensor', 'FLOAT', '1');
    const found: string[] = [];
    let cursor = '0';
    do {
      const [next, keys] = await redis.scan(cursor, 'COUNT', 10);
      found.push(...keys);
      cursor = next;
      await redis.del('key3');
    } while (cursor !== '0');
    expect(new Set(found).size).toBe(found.length);
    expect(found).toEqual(expect.arrayContaining(['key0', 'key56', 'tensor']));
    const [, tensors] = await redis.scan(0, 'COUNT', 100, 'TYPE', 'ai_tensor');
    expect(tensors).toEqual(['tensor']);
  });
});

describe('as raw bytes', () => {
  const request = Buffer.concat([
    encode('AI.TENSORSET', '{\0\xff}.k', 'FLOAT', '2', 'BLOB', floats(1, 2)),
    encode('AI.TENSORGET', '{\0\xff}.k', 'META', 'BLOB'),
    encode('HSET', 'h', 'f', 'v'),
    encode('DEL', '{\0\xff}.k', 'h'),
    encode('NONSENSE', 'a'),
  ]);
  const reply = Buffer.concat([
    Buffer.from('+OK\r\n*6\r\n$5\r\ndtype\r\n$5\r\nFLOAT\r\n$5\r\nshape\r\n*1\r\n:2\r\n$4\r\nblob\r\n$8\r\n'),
    floats(1, 2),
    Buffer.from("\r\n:1\r\n:2\r\n-ERR unknown command 'NONSENSE', with args beginning with: 'a' \r\n"),
  ]);

  test('cut in two at every byte', async () => {
    const client = await RawClient.connect({ path: started.socketPath });
    for (let cut = 1; cut < request.length; cut += 1) {
      await client.write(request.subarray(0, cut));
      await client.write(request.subarray(cut));
      expect(await client.read(reply.length)).toEqual(reply);
    }
    client.destroy();
  });

  test('byte by byte', async () => {
    const client = await RawClient.connect({ port: started.port });
    for (const byte of request) await client.write(Buffer.from([byte]));
    expect(await client.read(reply.length)).toEqual(reply);
    client.destroy();
  });

  test('a breach is answered after what came before it, and ends the connection', async () => {
    const client = await RawClient.connect({ port: started.port });
    await client.write(Buffer.concat([encode('PING'), Buffer.from('GET "key\r\n')]));
    expect((await client.readToEnd()).toString()).toBe(
      '+PONG\r\n-ERR Protocol error: unbalanced quotes in request\r\n',
    );
  });

  test('a client that vanishes in the middle of a request does no harm', async () => {
    const client = await RawClient.connect({ port: started.port });
    await client.write('*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1000000\r\nabc');
    client.destroy();
    const other = await RawClient.connect({ port: started.port });
    await other.write(encode('EXISTS', 'k'));
    expect((await other.read(4)).toString()).toBe(':0\r\n');
    other.destroy();
  });

  test('QUIT is answered and ends the connection; what comes after it is not run', async () => {
    const client = await RawClient.connect({ port: started.port });
    await client.write(Buffer.concat([encode('QUIT'), encode('SET', 'after', 'quit')]));
    expect((await client.readToEnd()).toString()).toBe('+OK\r\n');
    const other = await RawClient.connect({ port: started.port });
    await other.write(encode('EXISTS', 'after'));
    expect((await other.read(4)).toString()).toBe(':0\r\n');
    other.destroy();
  });

  test('mutated requests neither crash nor hang the store', async () => {
    const seeds = [
      request,
      encode('AI.MODELEXECUTE', 'm', 'INPUTS', '1', 'x', 'OUTPUTS', '1', 'y', 'TIMEOUT', '10'),
      encode('AI.MODELSTORE', 'm', 'ONNX', 'CPU', 'TAG', 't', 'BATCHSIZE', '2', 'BLOB', 'xx'),
      encode('AI.TENSORSET', 'v', 'STRING', '2', 'VALUES', 'a', 'b'),
      encode('SCAN', '0', 'MATCH', '[a-', 'COUNT', '5'),
      encode('LRANGE', 'l', '-9', '9'),
    ];
    const byte = fc.record({ at: fc.nat(400), value: fc.nat(255), kind: fc.constantFrom('set', 'insert', 'drop') });
    await fc.assert(
      fc.asyncProperty(
        fc.nat(seeds.length - 1),
        fc.array(byte, { minLength: 1, maxLength: 6 }),
        async (seed, edits) => {
          const bytes = [...(seeds[seed] as Buffer)];
          for (const { at, value, kind } of edits) {
            if (kind === 'set') bytes[at % bytes.length] = value;
            else bytes.splice(at % bytes.length, kind === 'drop' ? 1 : 0, ...(kind === 'insert' ? [value] : []));
          }
          const client = await RawClient.connect({ path: started.socketPath });
          await client.write(Buffer.from(bytes));
          const other = await RawClient.connect({ path: started.socketPath });
          await other.write(encode('PING'));
          expect((await other.read(7)).toString()).toBe('+PONG\r\n');
          client.destroy();
          other.destroy();
        },
      ),
      { numRuns: 1500 },
    );
  }, 180_000);
});
