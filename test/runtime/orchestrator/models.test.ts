import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { onOneServer, plainNumber } from './support/engine.js';
import { modelFile, onnxRuntime, type Started, start } from './support/start.js';

const floats = (...values: number[]) => Buffer.from(Float32Array.from(values).buffer);

describe.skipIf(onnxRuntime === undefined)('ONNX models', () => {
  let started: Started;
  let redis: Redis;
  beforeAll(async () => {
    started = await start({ threadsPerQueue: 2, intraOpThreads: 1 });
  });
  afterAll(() => started.stop());
  beforeEach(async () => {
    redis = new Redis(started.port);
    await redis.flushdb();
  });
  afterEach(() => redis.disconnect());

  const call = (...words: (string | Buffer)[]) => redis.call(words[0] as string, ...words.slice(1));
  const refusal = (...words: (string | Buffer)[]) =>
    call(...words).then(
      (reply) => `no error but ${JSON.stringify(reply)}`,
      (error: Error) => error.message,
    );
  const store = (key: string, file: string, device = 'CPU') =>
    call('AI.MODELSTORE', key, 'ONNX', device, 'BLOB', modelFile(file));
  const execute = (key: string, inputs: string[], outputs: string[], ...more: string[]) => [
    'AI.MODELEXECUTE',
    key,
    'INPUTS',
    String(inputs.length),
    ...inputs,
    'OUTPUTS',
    String(outputs.length),
    ...outputs,
    ...more,
  ];

  test('give the values that the network has', async () => {
    await store('network', 'network');
    await call(
      'AI.TENSORSET',
      'x',
      'FLOAT',
      '1',
      '16',
      'BLOB',
      floats(...Array.from({ length: 16 }, (_, i) => i / 16)),
    );
    expect(await call(...execute('network', ['x'], ['y']))).toBe('OK');
    const values = ((await call('AI.TENSORGET', 'y', 'VALUES')) as string[]).map(Number);
    const expected = [-2.406688, -0.26937, 2.105784, 3.56394, 3.314072, 1.397746, -1.260602, -3.309734];
    for (const [index, value] of expected.entries()) expect(values[index]).toBeCloseTo(value, 4);
  });

  test('bind inputs and outputs by position', async () => {
    await store('m', 'sum-difference');
    await call('AI.TENSORSET', 'b', 'DOUBLE', '2', 'VALUES', '10', '20');
    await call('AI.TENSORSET', 'a', 'DOUBLE', '2', 'VALUES', '1', '2');
    await call(...execute('m', ['b', 'a'], ['first', 'second']));
    expect(await call('AI.TENSORGET', 'first', 'VALUES')).toEqual(['11', '22']);
    expect(await call('AI.TENSORGET', 'second', 'VALUES')).toEqual(['9', '18']);
    await call(...execute('m', ['a', 'a'], ['a', 'a2']));
    expect(await call('AI.TENSORGET', 'a', 'VALUES')).toEqual(['2', '4']);
  });

  test('take and give every element type', async () => {
    const values: Record<string, string[]> = {
      FLOAT: ['1.5', '-2'],
      DOUBLE: ['1e+300', '-2'],
      INT8: ['-128', '127'],
      INT16: ['-32768', '32767'],
      INT32: ['-2147483648', '2147483647'],
      INT64: ['-4503599627370497', '4503599627370497'],
      UINT8: ['0', '255'],
      UINT16: ['0', '65535'],
      BOOL: ['0', '1'],
      STRING: ['ünï', ''],
    };
    await store('m', 'identities');
    for (const [dtype, words] of Object.entries(values)) {
      await call('AI.TENSORSET', `in-${dtype}`, dtype, '2', 'VALUES', ...words);
    }
    const names = Object.keys(values);
    await call(
      ...execute(
        'm',
        names.map((dtype) => `in-${dtype}`),
        names.map((dtype) => `out-${dtype}`),
      ),
    );
    for (const [dtype, words] of Object.entries(values)) {
      const [, type, , shape, , read] = (await call('AI.TENSORGET', `out-${dtype}`, 'META', 'VALUES')) as unknown[];
      expect([type, shape, (read as unknown[]).map((one) => String(plainNumber(one)))]).toEqual([dtype, [2], words]);
    }
  });

  test('skip an output that is no tensor, and refuse one of half precision', async () => {
    await call('AI.TENSORSET', 'x', 'FLOAT', '1', 'VALUES', '3');
    await store('sequence', 'sequence');
    expect(await call(...execute('sequence', ['x'], ['pair', 'negative']))).toBe('OK');
    expect(await redis.exists('pair')).toBe(0);
    expect(await call('AI.TENSORGET', 'negative', 'VALUES')).toEqual(['-3']);
    await store('half', 'half');
    expect(await refusal(...execute('half', ['x'], ['y']))).toBe(
      'ERR output y has the type float16, which no tensor here can hold',
    );
  });

  test('are read back, described, replaced, renamed and deleted', async () => {
    const blob = modelFile('double');
    await call(
      'AI.MODELSTORE',
      'm',
      'ONNX',
      'cpu:3',
      'TAG',
      'v1',
      'BATCHSIZE',
      '8',
      'MINBATCHSIZE',
      '1',
      'BLOB',
      blob.subarray(0, 10),
      blob.subarray(10),
    );
    expect(await redis.callBuffer('AI.MODELGET', 'm', 'BLOB')).toEqual(blob);
    expect(await call('AI.MODELGET', 'm', 'META')).toEqual(
      ['backend', 'ONNX', 'device', 'cpu:3', 'tag', 'v1', 'batchsize', 8, 'minbatchsize', 1].concat([
        'inputs',
        ['x'],
        'outputs',
        ['y'],
        'minbatchtimeout',
        0,
      ] as never),
    );
    expect(await redis.type('m')).toBe('AI__MODEL');
    expect(await refusal('AI.MODELSTORE', 'm', 'ONNX', 'CPU', 'BLOB', 'nonsense')).toContain('protobuf');
    await call('AI.TENSORSET', 'x', 'FLOAT', '1', '2', 'VALUES', '1', '2');
    expect(await call(...execute('m', ['x'], ['y']))).toBe('OK');
    await redis.rename('m', 'n');
    expect(await call(...execute('n', ['x'], ['y']))).toBe('OK');
    expect(await refusal(...execute('m', ['x'], ['y']))).toBe('ERR model key is empty');
    expect(await call('AI.INFO', 'n')).toEqual(
      expect.arrayContaining(['type', 'MODEL', 'samples', 2, 'calls', 2, 'errors', 0]),
    );
    expect(await call('AI.INFO', 'n', 'RESETSTAT')).toBe('OK');
    expect(await call('AI.INFO', 'n')).toEqual(expect.arrayContaining(['calls', 0]));
    expect(await refusal('AI.INFO', 'm')).toBe('ERR cannot find run info for key');
    expect(await call('AI.MODELDEL', 'n')).toBe('OK');
    expect(await refusal('AI.MODELDEL', 'n')).toBe('ERR model key is empty');
  });

  onOneServer(test)('are shared with clients that put a shard prefix before their names', async () => {
    await call('AI.MODELSTORE', '{\0\0}.m', 'ONNX', 'CPU', 'BLOB', modelFile('double'));
    await call('AI.TENSORSET', '{\0\0}.x.TMP', 'FLOAT', '1', '2', 'VALUES', '1', '2');
    await call(...execute('m', ['{\0\0}.x.TMP'], ['y']));
    await call(...execute('{\0\0}.m', ['{\0\0}.x.TMP'], ['{\0\0}.y.TMP']));
    expect(await redis.keys('*')).toEqual(expect.arrayContaining(['m', 'y', '{\0\0}.y.TMP', '{\0\0}.x.TMP']));
    expect(await redis.exists('m', '{\0\0}.m', '{\0\0}.y')).toBe(2);
    expect(await redis.del('{\0\0}.m')).toBe(1);
    expect(await redis.exists('m')).toBe(0);
  });

  test.each<[string, string[], string]>([
    ['words', ['m', 'INPUTS', '1', 'x', 'OUTPUTS', '1'], "ERR wrong number of arguments for 'AI.MODELEXECUTE' command"],
    ['model', ['none', 'INPUTS', '1', 'x', 'OUTPUTS', '1', 'y'], 'ERR model key is empty'],
    [
      'kind',
      ['x', 'INPUTS', '1', 'x', 'OUTPUTS', '1', 'y'],
      'WRONGTYPE Operation against a key holding the wrong kind of value',
    ],
    ['section', ['m', 'INS', '1', 'x', 'OUTPUTS', '1', 'y'], 'ERR INPUTS not specified'],
    ['count', ['m', 'INPUTS', 'one', 'x', 'OUTPUTS', '1', 'y'], 'ERR Invalid argument for input_count'],
    ['zero', ['m', 'INPUTS', '0', 'x', 'OUTPUTS', '1', 'y'], 'ERR Input count must be a positive integer'],
    [
      'arity',
      ['m', 'INPUTS', '2', 'x', 'x', 'OUTPUTS', '1', 'y'],
      'Number of keys given as INPUTS here does not match model definition',
    ],
    [
      'number of inputs',
      ['many', 'INPUTS', '10', 'x', 'x', 'x', 'x', 'x'],
      'ERR number of input keys to AI.MODELEXECUTE command does not match the number of given arguments',
    ],
    [
      'number of outputs',
      ['many', 'INPUTS', '10', ...Array.from({ length: 10 }, () => 'x'), 'OUTPUTS', '10', 'y'],
      'ERR number of output keys to AI.MODELEXECUTE command does not match the number of given arguments',
    ],
    ['output count', ['m', 'INPUTS', '1', 'x', 'OUTPUTS', 'x', 'y'], 'ERR Invalid argument for output_count'],
    ['output zero', ['m', 'INPUTS', '1', 'x', 'OUTPUTS', '0', 'y'], 'ERR Output count must be a positive integer'],
    ['outputs', ['m', 'INPUTS', '1', 'x', 'OUT', '1', 'y'], 'ERR OUTPUTS not specified'],
    [
      'outcount',
      ['m', 'INPUTS', '1', 'x', 'OUTPUTS', '2', 'y', 'z'],
      'Number of keys given as OUTPUTS here does not match model definition',
    ],
    ['timeout', ['m', 'INPUTS', '1', 'x', 'OUTPUTS', '1', 'y', 'TIMEOUT'], 'ERR No value provided for TIMEOUT'],
    ['time', ['m', 'INPUTS', '1', 'x', 'OUTPUTS', '1', 'y', 'TIMEOUT', '0'], 'ERR Invalid value for TIMEOUT'],
    ['tail', ['m', 'INPUTS', '1', 'x', 'OUTPUTS', '1', 'y', 'z'], 'Invalid argument: z'],
    ['input', ['m', 'INPUTS', '1', 'none', 'OUTPUTS', '1', 'y'], 'ERR tensor key is empty or in a different shard'],
    [
      'target',
      ['m', 'INPUTS', '1', 'x', 'OUTPUTS', '1', 'm'],
      'WRONGTYPE Operation against a key holding the wrong kind of value',
    ],
  ])('AI.MODELEXECUTE refuses a wrong %s', async (_name, words, text) => {
    await store('m', 'double');
    if (words[0] === 'many') await store('many', 'identities');
    await call('AI.TENSORSET', 'x', 'FLOAT', '1', '2', 'VALUES', '1', '2');
    expect(await refusal('AI.MODELEXECUTE', ...words)).toBe(text);
  });

  test('ONNX Runtime says what is wrong with inputs, on one line, and it counts as an error', async () => {
    await store('m', 'double');
    await call('AI.TENSORSET', 'wide', 'FLOAT', '1', '3', 'VALUES', '1', '2', '3');
    const text = await refusal(...execute('m', ['wide'], ['y']));
    expect(text).toMatch(
      /Got invalid dimensions for input: x for the following indices {1,2}index: 1 Got: 3 Expected: 2/,
    );
    await call('AI.TENSORSET', 'whole', 'INT32', '1', '2', 'VALUES', '1', '2');
    expect(await refusal(...execute('m', ['whole'], ['y']))).toContain('Unexpected input data type');
    expect(await call('AI.INFO', 'm')).toEqual(expect.arrayContaining(['calls', 2, 'errors', 2]));
  });

  test.each<[string, (string | Buffer)[], string]>([
    ['backend', ['m', 'CAFFE', 'CPU', 'BLOB', 'x'], 'ERR unsupported backend'],
    ['device', ['m', 'ONNX', 'TPU', 'BLOB', 'x'], 'ERR Invalid DEVICE'],
    ['batch', ['m', 'ONNX', 'CPU', 'BATCHSIZE', 'x', 'BLOB', 'x'], 'ERR Invalid argument for BATCHSIZE'],
    ['minimum', ['m', 'ONNX', 'CPU', 'MINBATCHSIZE', '1', 'BLOB', 'x'], 'ERR MINBATCHSIZE specified without BATCHSIZE'],
    [
      'names',
      ['m', 'ONNX', 'CPU', 'INPUTS', '1', 'x', 'BLOB', 'x'],
      'ERR INPUTS argument should not be specified for this backend',
    ],
    ['words', ['m', 'ONNX', 'CPU', 'BLOB'], "ERR wrong number of arguments for 'ai.modelstore' command"],
    [
      'minimum size',
      ['m', 'ONNX', 'CPU', 'BATCHSIZE', '2', 'MINBATCHSIZE', '-1', 'BLOB', 'x'],
      'ERR Invalid argument for MINBATCHSIZE',
    ],
    [
      'minimum time',
      ['m', 'ONNX', 'CPU', 'BATCHSIZE', '2', 'MINBATCHSIZE', '1', 'MINBATCHTIMEOUT', 'x', 'BLOB', 'x'],
      'ERR Invalid argument for MINBATCHTIMEOUT',
    ],
    [
      'time without size',
      ['m', 'ONNX', 'CPU', 'BATCHSIZE', '2', 'MINBATCHTIMEOUT', '1', 'BLOB', 'x'],
      'ERR MINBATCHTIMEOUT specified without MINBATCHSIZE',
    ],
    ['TF outputs', ['m', 'TF', 'CPU', 'INPUTS', '1', 'x', 'BLOB', 'x'], 'ERR OUTPUTS not specified for TF'],
    ['TF input count', ['m', 'TF', 'CPU', 'INPUTS', 'x', 'BLOB', 'x'], 'ERR Invalid argument for input_count'],
    [
      'TF output count',
      ['m', 'TF', 'CPU', 'INPUTS', '1', 'x', 'OUTPUTS', 'y', 'BLOB', 'x'],
      'ERR Invalid argument for output_count',
    ],
    [
      'TF inputs',
      ['m', 'TF', 'CPU', 'INPUTS', '9', 'x', 'BLOB', 'x'],
      'ERR number of model inputs does not match the number of given arguments',
    ],
    [
      'TF output names',
      ['m', 'TF', 'CPU', 'INPUTS', '1', 'x', 'OUTPUTS', '9', 'y', 'BLOB', 'x'],
      'ERR number of model outputs does not match the number of given arguments',
    ],
    ['blob', ['m', 'ONNX', 'CPU', 'TAG', 'x'], 'ERR Insufficient arguments, missing model BLOB'],
    ['end', ['m', 'ONNX', 'CPU', 'TAG', 'x', 'BLOB'], 'ERR Insufficient arguments, missing model BLOB'],
    ['word', ['m', 'ONNX', 'CPU', 'BLUB', 'x'], 'ERR Invalid argument, expected BLOB'],
    ['TF', ['m', 'TF', 'CPU', 'BLOB', 'x'], 'ERR INPUTS not specified for TF'],
    ['GPU', ['m', 'ONNX', 'GPU:0', 'BLOB', modelFile('double')], "ERR GPU requested but ONNX couldn't find CUDA"],
  ])('AI.MODELSTORE refuses a wrong %s', async (_name, words, text) => {
    expect(await refusal('AI.MODELSTORE', ...words)).toBe(text);
    expect(await redis.exists('m')).toBe(0);
  });

  test.each<[string, string]>([
    ['AI.MODELGET', 'none'],
    ['AI.MODELDEL', 'none'],
    ['AI.MODELGET', 'text'],
    ['AI.MODELDEL', 'text'],
  ])('%s of what is no model: %s', async (command, key) => {
    await redis.set('text', 'text');
    expect(await refusal(command, key)).toBe(
      key === 'none' ? 'ERR model key is empty' : 'WRONGTYPE Operation against a key holding the wrong kind of value',
    );
  });

  test('a store that fails leaves the model that is there, and says what ONNX Runtime says', async () => {
    await store('m', 'double');
    await call('AI.TENSORSET', 'x', 'FLOAT', '1', '2', 'VALUES', '1', '2');
    expect(await refusal('AI.MODELSTORE', 'm', 'ONNX', 'CPU', 'BLOB', 'no model')).toMatch(/protobuf/i);
    expect(await refusal('AI.MODELSTORE', 'x', 'ONNX', 'CPU', 'BLOB', modelFile('double'))).toMatch(/^WRONGTYPE /);
    expect(await call(...execute('m', ['x'], ['y']))).toBe('OK');
  });

  test('Torch models are refused with the reason', async () => {
    expect(await refusal('AI.MODELSTORE', 'm', 'TORCH', 'CPU', 'BLOB', 'x')).toMatch(
      /^ERR Could not load backend: TORCH/,
    );
  });

  test('run on tensors that are lent to the thread, also when others read them meanwhile', async () => {
    await store('m', 'double');
    const rows = 1_500_000;
    const data = Float32Array.from({ length: rows * 2 }, (_, index) => index);
    const others = Array.from({ length: 3 }, () => new Redis(started.socketPath));
    await call('AI.TENSORSET', 'x', 'FLOAT', String(rows), '2', 'BLOB', Buffer.from(data.buffer));
    for (let round = 0; round < 4; round += 1) {
      const runs = others.map((other, index) => other.call(...(execute('m', ['x'], [`y${index}`]) as [string])));
      const read = redis.callBuffer('AI.TENSORGET', 'x', 'BLOB');
      expect(await Promise.all(runs)).toEqual(['OK', 'OK', 'OK']);
      expect(Buffer.compare((await read) as Buffer, Buffer.from(data.buffer))).toBe(0);
    }
    const doubled = (await redis.callBuffer('AI.TENSORGET', 'y2', 'BLOB')) as Buffer;
    expect(doubled.readFloatLE(4 * 1_000_001)).toBe(Math.fround(2_000_002));
    expect(await call(...execute('m', ['y0'], ['y0']))).toBe('OK');
    for (const other of others) other.disconnect();
  });
});

onOneServer(test)('without ONNX Runtime storing a model says so', async () => {
  const started = await start({ onnxRuntime: '/nonexistent/onnxruntime-node' });
  const redis = new Redis(started.port);
  await expect(redis.call('AI.MODELSTORE', 'm', 'ONNX', 'CPU', 'BLOB', modelFile('double'))).rejects.toThrow(
    /^ERR Could not load backend: ONNX Runtime: Cannot find module/,
  );
  expect(await redis.ping()).toBe('PONG');
  redis.disconnect();
  await started.stop();
});

onOneServer(test)('an inference thread that cannot be started is reported, again and again', async () => {
  const started = await start({ workerUrl: new URL('file:///nowhere/worker.mjs') });
  const redis = new Redis(started.port);
  for (let attempt = 0; attempt < 2; attempt += 1) {
    await expect(redis.call('AI.MODELSTORE', 'm', 'ONNX', 'CPU', 'BLOB', modelFile('double'))).rejects.toThrow(
      /^ERR the inference thread has failed: Cannot find module/,
    );
  }
  expect(await redis.exists('m')).toBe(0);
  redis.disconnect();
  await started.stop();
});
