import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { modelFile, onnxRuntime, type Started, start } from './support/start.js';

let started: Started;
let redis: Redis;
beforeAll(async () => {
  started = await start();
});
beforeEach(async () => {
  redis = new Redis(started.port);
  await redis.flushall();
});
afterEach(() => redis.disconnect());
afterAll(() => started.stop());

type Words = (string | Buffer)[];
const call = (...words: Words) => redis.call(words[0] as string, ...words.slice(1));
const refusal = (...words: Words) =>
  call(...words).then(
    (reply) => `no error but ${JSON.stringify(reply)}`,
    (error: Error) => error.message,
  );

const wrongType = 'WRONGTYPE Operation against a key holding the wrong kind of value';
const source = 'def f(x):\n    return x\n';
const parameters = '(tensors: List[Tensor], keys: List[str], args: List[str])';
const entryPoints = `def f${parameters}:\n    return tensors\n\ndef g${parameters}:\n    return tensors[0]\n`;

describe('scripts', () => {
  test('are stored, described, listed and deleted', async () => {
    expect(await call('AI.SCRIPTSET', 's', 'CPU', 'TAG', 'v1', 'SOURCE', source)).toBe('OK');
    expect(await call('AI.SCRIPTGET', 's', 'SOURCE')).toBe(source);
    expect(await call('AI.SCRIPTGET', 's', 'META')).toEqual(['device', 'CPU', 'tag', 'v1', 'Entry Points', []]);
    expect(await call('AI.SCRIPTSTORE', 's', 'CPU:1', 'ENTRY_POINTS', '2', 'f', 'g', 'SOURCE', entryPoints)).toBe('OK');
    const all = ['device', 'CPU:1', 'tag', '', 'Entry Points', ['f', 'g'], 'source', entryPoints];
    expect(await call('AI.SCRIPTGET', 's')).toEqual(all);
    expect(await call('AI.SCRIPTGET', 's', 'META', 'SOURCE')).toEqual(all);
    expect(await redis.type('s')).toBe('AI_SCRIPT');
    expect(await call('AI._SCRIPTSCAN')).toEqual([['s', '']]);
    expect(await call('AI._MODELSCAN')).toEqual([]);
    expect(await call('AI.INFO', 's')).toEqual(expect.arrayContaining(['type', 'SCRIPT', 'samples', -1]));
    expect(await call('AI.SCRIPTDEL', 's')).toBe('OK');
    expect(await redis.exists('s')).toBe(0);
  });

  test.each<[Words, string]>([
    [['AI.SCRIPTSET', 'k', 'CPU', 'SOURCE'], "ERR wrong number of arguments for 'ai.scriptset' command"],
    [['AI.SCRIPTSET', 'k', 'CPU', 'TAG', 'a', 'SOURCE'], "ERR wrong number of arguments for 'ai.scriptset' command"],
    [['AI.SCRIPTSET', 'k', 'CPU', 'TEXT', 'a'], 'ERR Insufficient arguments, missing script SOURCE'],
    [['AI.SCRIPTSET', 'text', 'CPU', 'SOURCE', 'a'], wrongType],
    [
      ['AI.SCRIPTSTORE', 'k', 'CPU', 'SOURCE', 'a', 'b', 'c', 'd'],
      'ERR Insufficient arguments, missing script entry points',
    ],
    [
      ['AI.SCRIPTSTORE', 'k', 'CPU', 'ENTRY_POINTS', 'x', 'f', 'SOURCE', 'a'],
      'ERR Non numeric entry points number provided to AI.SCRIPTSTORE command',
    ],
    [
      ['AI.SCRIPTSTORE', 'k', 'CPU', 'ENTRY_POINTS', '9', 'f', 'SOURCE', 'a'],
      'ERR Insufficient arguments, missing script entry points',
    ],
    [['AI.SCRIPTGET', 'k'], 'ERR script key is empty'],
    [['AI.SCRIPTGET', 'text'], wrongType],
    [['AI.SCRIPTDEL', 'k'], 'ERR script key is empty'],
    [['AI.SCRIPTRUN', 's'], "ERR wrong number of arguments for 'AI.SCRIPTRUN' command"],
    [['AI.SCRIPTRUN', 'k', 'f'], 'ERR script key is empty'],
    [['AI.SCRIPTRUN', 's', 'f', 'INPUTS', 'k'], 'ERR tensor key is empty or in a different shard'],
    [['AI.SCRIPTRUN', 's', 'f', 'INPUTS', 'text'], wrongType],
    [['AI.SCRIPTRUN', 's', 'INPUTS', 'x'], 'ERR function name not specified'],
    [['AI.SCRIPTRUN', 's', 'f', 'INPUTS', 'INPUTS'], 'ERR Already encountered an INPUTS keyword in SCRIPTRUN'],
    [['AI.SCRIPTRUN', 's', 'f', 'OUTPUTS', 'y', 'INPUTS'], 'ERR Already encountered an INPUTS section in SCRIPTRUN'],
    [
      ['AI.SCRIPTRUN', 's', 'f', 'TIMEOUT', '1', 'TIMEOUT', '1'],
      'ERR Already encountered an TIMEOUT section in SCRIPTRUN',
    ],
    [['AI.SCRIPTRUN', 's', 'f', 'TIMEOUT'], 'ERR No value provided for TIMEOUT'],
    [['AI.SCRIPTRUN', 's', 'f', 'TIMEOUT', '-1'], 'ERR Invalid value for TIMEOUT'],
    [['AI.SCRIPTRUN', 'text', 'f'], wrongType],
    [['AI.SCRIPTSTORE', 'k', 'CPU', 'SOURCE', 'a'], "ERR wrong number of arguments for 'ai.scriptstore' command"],
    [['AI.SCRIPTSTORE', 'text', 'CPU', 'ENTRY_POINTS', '1', 'f', 'SOURCE', 'a'], wrongType],
    [['AI.SCRIPTSET', 'k', 'TPU', 'SOURCE', 'a'], 'ERR Invalid DEVICE'],
    [['AI.SCRIPTDEL', 'text'], wrongType],
    [['AI.SCRIPTEXECUTE', 'k', 'f', 'INPUTS', '0'], 'ERR script key is empty'],
    [['AI.SCRIPTEXECUTE', 's', 'f', 'INPUTS'], 'ERR Invalid arguments provided to AI.SCRIPTEXECUTE'],
    [['AI.SCRIPTEXECUTE', 's', 'f', 'INPUTS', 'x'], 'ERR Invalid argument for inputs count in AI.SCRIPTEXECUTE'],
    [
      ['AI.SCRIPTEXECUTE', 's', 'f', 'KEYS', '1', 'a', 'OUTPUTS', 'x'],
      'ERR Invalid argument for outputs count in AI.SCRIPTEXECUTE',
    ],
    [
      ['AI.SCRIPTEXECUTE', 's', 'f', 'KEYS', '2', 'x'],
      'ERR Number of pre declared KEYS to be used in the command does not match the number of given arguments',
    ],
    [
      ['AI.SCRIPTEXECUTE', 's', 'f', 'KEYS', '1', 'a', 'ARGS', '2', 'x'],
      'ERR number of args to AI.SCRIPTEXECUTE command does not match the number of given arguments',
    ],
    [
      ['AI.SCRIPTEXECUTE', 's', 'f', 'KEYS', '1', 'a', 'OUTPUTS', '2', 'x'],
      'ERR number of outputs to AI.SCRIPTEXECUTE command does not match the number of given arguments',
    ],
    [['AI.SCRIPTEXECUTE', 's', 'f', 'INPUTS', '1', 'k'], 'ERR tensor key is empty or in a different shard'],
    [['AI.INFO', 'k'], 'ERR cannot find run info for key'],
    [['AI.INFO', 'text'], 'ERR cannot find run info for key'],
    [['AI.SCRIPTRUN', 's', 'f', 'OUTPUTS', 'OUTPUTS'], 'ERR Already encountered an OUTPUTS keyword in SCRIPTRUN'],
    [
      ['AI.SCRIPTRUN', 's', 'f', 'OUTPUTS', '$'],
      'ERR Encountered a variable size list of tensors outside of input section',
    ],
    [['AI.SCRIPTRUN', 's', 'f', 'INPUTS', '$', '$'], 'ERR Already encountered a variable size list of tensors'],
    [['AI.SCRIPTRUN', 's', 'f', 'x'], 'ERR Unrecongnized parameter to SCRIPTRUN'],
    [['AI.SCRIPTEXECUTE', 's', 'f'], "ERR wrong number of arguments for 'AI.SCRIPTEXECUTE' command"],
    [
      ['AI.SCRIPTEXECUTE', 's', 'f', 'OUTPUTS', '1', 'y'],
      'ERR KEYS or INPUTS scope must be provided first for AI.SCRIPTEXECUTE command',
    ],
    [
      ['AI.SCRIPTEXECUTE', 's', 'f', 'KEYS', '1', 'a', 'KEYS', '1', 'a'],
      'ERR Already Encountered KEYS scope in AI.SCRIPTEXECUTE command',
    ],
    [['AI.SCRIPTEXECUTE', 's', 'f', 'KEYS'], 'ERR Missing arguments after KEYS keyword'],
    [['AI.SCRIPTEXECUTE', 's', 'f', 'KEYS', '1'], 'ERR Missing arguments after KEYS keyword'],
    [['AI.SCRIPTEXECUTE', 's', 'f', 'KEYS', '-1', 'a'], 'ERR Invalid or negative value found in number of KEYS'],
    [['AI.SCRIPTEXECUTE', 's', 'f', 'KEYS', '0', 'a'], 'ERR Invalid or negative value found in number of KEYS'],
    [
      ['AI.SCRIPTEXECUTE', 's', 'f', 'INPUTS', '2', 'x'],
      'ERR number of inputs to AI.SCRIPTEXECUTE command does not match the number of given arguments',
    ],
    [
      ['AI.SCRIPTEXECUTE', 's', 'f', 'KEYS', '1', 'a', 'ARGS', 'x'],
      'ERR Invalid argument for keys count in AI.SCRIPTEXECUTE',
    ],
    [
      ['AI.SCRIPTEXECUTE', 's', 'f', 'KEYS', '1', 'a', 'TIMEOUT'],
      'ERR No value provided for TIMEOUT in AI.SCRIPTEXECUTE',
    ],
    [['AI.SCRIPTEXECUTE', 's', 'f', 'KEYS', '1', 'a', 'TIMEOUT', '0'], 'ERR Invalid value for TIMEOUT'],
    [
      ['AI.SCRIPTEXECUTE', 's', 'f', 'KEYS', '1', 'a', 'NONSENSE'],
      'ERR Invalid AI.SCRIPTEXECUTE command. Unexpected argument: NONSENSE',
    ],
  ])('%j is refused', async (words, text) => {
    await redis.set('text', 'text');
    await call('AI.SCRIPTSET', 's', 'CPU', 'SOURCE', source);
    expect(await refusal(...words)).toBe(text);
  });
});

const floats = (...values: number[]) => Buffer.from(Float32Array.from(values).buffer);

describe('DAGs', () => {
  test.each<[Words, string]>([
    [['AI.DAGEXECUTE', 'LOAD', '1', 'x'], "ERR missing arguments for 'AI.DAGEXECUTE' command"],
    [['AI.DAGEXECUTE_RO', 'x'], "ERR missing arguments for 'AI.DAGEXECUTE_RO' command"],
    [['AI.DAGRUN', 'x'], "ERR wrong number of arguments for 'AI.DAGRUN' command"],
    [['AI.DAGRUN', 'LOAD', '1', 'x'], 'ERR DAG is empty'],
    [
      ['AI.DAGRUN', '|>', 'AI.TENSORGET', 'x', 'LOAD'].slice(0, 1).concat(['TIMEOUT', '1', 'LOAD']),
      'ERR missing arguments after LOAD keyword in DAG command',
    ],
    [['AI.DAGRUN', 'TIMEOUT', '1', 'PERSIST'], 'ERR missing arguments after PERSIST keyword in DAG command'],
    [
      ['AI.DAGRUN', 'LOAD', '0', '|>', 'AI.TENSORGET', 'x'],
      'ERR invalid or negative value found in number of keys to LOAD',
    ],
    [
      ['AI.DAGRUN', 'PERSIST', 'a', '|>', 'AI.TENSORGET', 'x'],
      'ERR invalid or negative value found in number of keys to PERSIST',
    ],
    [
      ['AI.DAGRUN', 'LOAD', '2', 'x', '|>', 'AI.TENSORGET', 'x'],
      'ERR number of keys to LOAD into DAG does not match the number of given arguments',
    ],
    [
      ['AI.DAGRUN', 'PERSIST', '9', 'x', '|>', 'AI.TENSORGET', 'x'],
      'ERR number of keys to PERSIST after DAG execution does not match the number of given arguments',
    ],
    [['AI.DAGRUN', 'PERSIST', '2', 'y', 'y', '|>', 'AI.TENSORGET', 'x'], 'ERR PERSIST keys must be unique'],
    [
      ['AI.DAGRUN_RO', 'PERSIST', '1', 'y', '|>', 'AI.TENSORGET', 'x'],
      'ERR PERSIST cannot be specified in a read-only DAG',
    ],
    [['AI.DAGEXECUTE', 'LOAD', '1', 'x', 'TIMEOUT', 'x'], 'ERR Invalid value for TIMEOUT'],
    [['AI.DAGEXECUTE', 'LOAD', '1', 'x', 'ROUTING', 'x', 'TIMEOUT'], 'ERR No value provided for TIMEOUT'],
    [
      ['AI.DAGEXECUTE', 'LOAD', '1', 'x', '|>', 'AI.SCRIPTRUN', 's', 'f'],
      'Deprecated AI.SCRIPTRUN cannot be used in AI.DAGEXECUTE command',
    ],
    [
      ['AI.DAGRUN', '|>', 'AI.SCRIPTEXECUTE', 's', 'f'],
      'AI.SCRIPTEXECUTE cannot be used in a deprecated AI.DAGRUN command',
    ],
    [['AI.DAGEXECUTE', 'LOAD', '1', 'x', 'LOAD', '1'], 'ERR Invalid DAG command. Unexpected argument:  LOAD'],
    [['AI.DAGEXECUTE', 'LOAD', '1', 'x', 'a', 'TIMEOUT'], 'ERR Invalid DAG command. Unexpected argument:  a'],
    [['AI.DAGEXECUTE', 'LOAD', '1', 'x', 'PERSIST', '1'], 'ERR missing arguments after PERSIST keyword in DAG command'],
    [['AI.DAGRUN', 'TIMEOUT', '1', 'LOAD', '1'], 'ERR missing arguments after LOAD keyword in DAG command'],
    [['AI.DAGEXECUTE', 'LOAD', '1', 'x', 'TIMEOUT', '9', 'ROUTING'], 'ERR Missing ROUTING value'],
    [
      ['AI.DAGEXECUTE', 'TIMEOUT', '10', '|>', 'AI.TENSORGET', 'x'],
      'ERR AI.DAGEXECUTE and AI.DAGEXECUTE_RO commands must contain at least one out of ROUTING, LOAD, PERSIST keywords',
    ],
    [['AI.DAGRUN', '|>', 'SET', 'a', 'b'], 'Unsupported command within DAG'],
    [
      ['AI.DAGEXECUTE', 'LOAD', '1', 'x', '|>', 'AI.MODELRUN', 'm'],
      'Deprecated AI.MODELRUN cannot be used in AI.DAGEXECUTE command',
    ],
    [['AI.DAGRUN', '|>', 'AI.MODELEXECUTE', 'm'], 'AI.MODELEXECUTE cannot be used in a deprecated AI.DAGRUN command'],
    [
      ['AI.DAGEXECUTE_RO', 'LOAD', '1', 'x', '|>', 'AI.SCRIPTEXECUTE', 's', 'f'],
      'ERR AI.SCRIPTEXECUTE command cannot be specified in a read-only DAG',
    ],
    [
      ['AI.DAGRUN', '|>', 'AI.SCRIPTRUN', 's', 'f', 'INPUTS', 'x', 'OUTPUTS', 'y'],
      'ERR INPUT key cannot be found in DAG',
    ],
    [['AI.DAGRUN', 'PERSIST', '1', 'y', '|>', 'AI.TENSORGET', 'x'], 'ERR INPUT key cannot be found in DAG'],
    [
      ['AI.DAGRUN', 'LOAD', '1', 'x', 'PERSIST', '1', 'y', '|>', 'AI.TENSORGET', 'x'],
      'ERR PERSIST key cannot be found in DAG',
    ],
    [['AI.DAGRUN', '|>', 'AI.MODELRUN', 'm', 'INPUTS', 'x', 'OUTPUTS', 'y'], 'ERR model key is empty'],
    [
      ['AI.DAGRUN', 'LOAD', '1', 'x', '|>', 'AI.TENSORSET', 'a'],
      "wrong number of arguments for 'AI.TENSORSET' command",
    ],
    [
      ['AI.DAGRUN', 'LOAD', '1', 'x', '|>', 'AI.TENSORGET', 'x', 'META', 'BLOB', 'x'],
      "wrong number of arguments for 'AI.TENSORGET' command",
    ],
    [['AI.DAGRUN', 'LOAD', '1', 'x', '|>', 'AI.TENSORGET', 'x', 'NONSENSE'], 'ERR unsupported data format'],
    [['AI.DAGRUN', 'LOAD', '1', 'x', '|>', 'AI.TENSORSET', 'a', 'INT8', '1', 'VALUES', 'x'], 'ERR invalid value'],
    [['AI.DAGRUN', 'LOAD', '1', 'x', '|>'], 'ERR Invalid DAG command. Unexpected argument:  |>'],
    [['AI.DAGRUN', 'LOAD', '1', 'x', '|>', '|>', 'AI.TENSORGET', 'x'], 'Unsupported command within DAG'],
    [
      ['AI.DAGEXECUTE', 'LOAD', '1', 'x', '|>', 'AI.SCRIPTEXECUTE', 's', 'INPUTS', '1', 'x', 'OUTPUTS', '1', 'y'],
      'ERR Invalid AI.SCRIPTEXECUTE command. Unexpected argument: 1',
    ],
    [
      ['AI.DAGEXECUTE', 'LOAD', '1', 'x', '|>', 'AI.SCRIPTEXECUTE', 's'],
      "ERR wrong number of arguments for 'AI.SCRIPTEXECUTE' command",
    ],
    [
      ['AI.DAGRUN', 'LOAD', '1', 'none', '|>', 'AI.TENSORGET', 'none'],
      'ERR tensor key is empty or in a different shard',
    ],
    [
      ['AI.DAGRUN', 'LOAD', '1', 'x', '|>', 'AI.SCRIPTRUN', 's', 'f', 'TIMEOUT', '1', 'INPUTS', 'x', 'OUTPUTS', 'y'],
      'ERR TIMEOUT not allowed within a DAG command',
    ],
  ])('%j is refused', async (words, text) => {
    await call('AI.TENSORSET', 'x', 'FLOAT', '1');
    await call('AI.SCRIPTSET', 's', 'CPU', 'SOURCE', 'def f(x): return x');
    expect(await refusal(...words)).toBe(text);
  });

  test('tensors are loaded, made, read and written back', async () => {
    await call('AI.TENSORSET', 'x', 'INT8', '2', 'VALUES', '1', '2');
    const words = ['LOAD', '1', 'x', 'PERSIST', '2', 'x', 'z', '|>', 'AI.TENSORSET', 'z', 'INT8', '1', 'VALUES', '7'];
    const reply = await call('AI.DAGEXECUTE', ...words, '|>', 'AI.TENSORGET', 'x', 'VALUES');
    expect(reply).toEqual(['OK', [1, 2]]);
    expect(await call('AI.TENSORGET', 'x', 'VALUES')).toEqual([1, 2]);
    expect(await call('AI.TENSORGET', 'z', 'VALUES')).toEqual([7]);
    expect(await redis.dbsize()).toBe(2);
  });

  test.skipIf(onnxRuntime === undefined)('what fails when it runs is an entry; nothing is written then', async () => {
    await call('AI.SCRIPTSET', 's', 'CPU', 'SOURCE', 'def f(x): return x.view(7)');
    const steps = [
      '|>',
      'AI.TENSORSET',
      'a',
      'INT8',
      '1',
      '|>',
      'AI.SCRIPTRUN',
      's',
      'f',
      'INPUTS',
      'a',
      'OUTPUTS',
      'b',
    ];
    const reply = (await call('AI.DAGRUN', 'PERSIST', '1', 'a', ...steps, '|>', 'AI.TENSORGET', 'b')) as unknown[];
    expect(reply.map(String)).toEqual([
      'OK',
      expect.stringContaining("shape '[7]' is invalid for input of size 1"),
      'NA',
    ]);
    expect(await redis.keys('*')).toEqual(['s']);
  });

  test('large strings of a step are checked before anything runs', async () => {
    const bytes = Buffer.alloc(2 * 1024 * 1024, 'x');
    const steps = ['|>', 'AI.TENSORSET', 'y', 'STRING', '1', 'BLOB', bytes] as const;
    const text = 'ERR Number of string elements in data blob does not match tensor length';
    expect(await refusal('AI.DAGRUN', '|>', 'AI.TENSORSET', 'x', 'INT8', '1', ...steps)).toBe(text);
  });

  test.skipIf(onnxRuntime === undefined)('models run on what earlier steps made', async () => {
    await call('AI.MODELSET', 'm', 'ONNX', 'CPU', 'TAG', 't', 'BLOB', modelFile('double'));
    expect(await call('AI._MODELSCAN')).toEqual([['m', 't']]);
    const set = ['|>', 'AI.TENSORSET', 'a', 'FLOAT', '1', '2', 'BLOB', floats(1, 2)];
    const run = (from: string, to: string) => ['|>', 'AI.MODELEXECUTE', 'm', 'INPUTS', '1', from, 'OUTPUTS', '1', to];
    const get = ['|>', 'AI.TENSORGET', 'c', 'VALUES'];
    const chain = [...set, ...run('a', 'b'), ...run('b', 'c'), ...get];
    expect(await call('AI.DAGEXECUTE', 'PERSIST', '1', 'c', 'TIMEOUT', '10000', ...chain)).toEqual([
      'OK',
      'OK',
      'OK',
      ['4', '8'],
    ]);
    expect(await redis.keys('?')).toEqual(expect.arrayContaining(['m', 'c']));
    expect(await redis.dbsize()).toBe(2);
    await call('AI.TENSORSET', 'x', 'FLOAT', '1', '2', 'BLOB', floats(3, 4));
    const old = ['|>', 'AI.MODELRUN', 'm', 'INPUTS', 'x', 'OUTPUTS', 'y', '|>', 'AI.TENSORGET', 'y', 'VALUES'];
    expect(await call('AI.DAGRUN_RO', 'LOAD', '1', 'x', ...old)).toEqual(['OK', ['6', '8']]);
    expect(await redis.exists('y')).toBe(0);
    const long = ['|>', 'AI.TENSORSET', 'a', 'FLOAT', '2', '3', '2'];
    const chainOf = (...first: (string | Buffer)[]) => [
      'ROUTING',
      'a',
      ...first,
      ...run('a', 'b'),
      ...run('b', 'c'),
      ...get,
    ];
    const failing = (await call('AI.DAGEXECUTE', ...chainOf(...long))) as unknown[];
    expect(failing.map(String)).toEqual(['OK', expect.stringContaining('Invalid rank for input'), 'NA', 'NA']);
    const missing = chainOf(...set).map((word) => (word === 'm' ? 'none' : word));
    expect(await refusal('AI.DAGEXECUTE', ...missing)).toBe('ERR model key is empty');
  });
});

describe.skipIf(onnxRuntime === undefined)('the deprecated commands', () => {
  test('store and run models', async () => {
    await call('AI.MODELSET', 'm', 'ONNX', 'CPU', 'INPUTS', 'x', 'OUTPUTS', 'y', 'BLOB', modelFile('double'));
    await call('AI.TENSORSET', 'x', 'FLOAT', '1', '2', 'BLOB', floats(1, 2));
    expect(await call('AI.MODELRUN', 'm', 'TIMEOUT', '10000', 'INPUTS', 'x', 'OUTPUTS', 'y')).toBe('OK');
    expect(await call('AI.TENSORGET', 'y', 'VALUES')).toEqual(['2', '4']);
    expect(await call('AI.INFO', 'm', 'RESETSTAT')).toBe('OK');
    expect(await call('AI.INFO', 'm')).toEqual(expect.arrayContaining(['calls', 0]));
  });

  test.each<[Words, string]>([
    [['AI.MODELSET', 'k', 'ONNX'], "ERR wrong number of arguments for 'ai.modelset' command"],
    [['AI.MODELSET', 'k', 'ONNX', 'CPU'], 'ERR Insufficient arguments, missing model BLOB'],
    [['AI.MODELSET', 'k', 'TF', 'CPU', 'INPUTS', 'x'], 'ERR OUTPUTS not specified'],
    [['AI.MODELSTORE', 'k', 'ONNX', 'CPU:123456', 'BLOB', 'x'], 'ERR Invalid DEVICE'],
    [['AI.MODELSET', 'k', 'BASIC', 'CPU', 'BLOB', 'x'], 'ERR unsupported backend'],
    [['AI.MODELSET', 'k', 'ONNX', 'TAG', 'x', 'BLOB', 'x'], 'ERR Invalid DEVICE'],
    [['AI.MODELSET', 'k', 'ONNX', 'BLOB', 'x'], 'ERR Invalid DEVICE'],
    [
      ['AI.MODELSET', 'k', 'ONNX', 'CPU', 'MINBATCHTIMEOUT', '1', 'BLOB', 'x'],
      'ERR MINBATCHTIMEOUT specified without BATCHSIZE',
    ],
    [['AI.MODELSET', 'k', 'ONNX', 'CPU', 'x'], 'ERR Insufficient arguments, missing model BLOB'],
    [['AI.MODELSET', 'k', 'TF', 'CPU', 'BLOB', 'x'], 'ERR Insufficient arguments, INPUTS and OUTPUTS not specified'],
    [['AI.MODELSET', 'k', 'TF', 'CPU', 'OUTPUTS', 'y', 'BLOB', 'x'], 'ERR INPUTS not specified'],
    [['AI.MODELSET', 'k', 'TF', 'CPU', 'INPUTS', 'x', 'BLOB', 'x'], 'ERR OUTPUTS not specified'],
    [
      ['AI.MODELSET', 'k', 'TFLITE', 'CPU', 'BATCHSIZE', '2', 'BLOB', 'x'],
      'ERR Auto-batching not supported by the TFLITE backend',
    ],
    [['AI.MODELRUN', 'm', 'INPUTS', 'x', 'OUTPUTS'], "ERR wrong number of arguments for 'AI.MODELRUN' command"],
    [['AI.MODELRUN', 'k', 'INPUTS', 'x', 'OUTPUTS', 'y'], 'ERR model key is empty'],
    [
      ['AI.MODELRUN', 'm', 'INPUTS', 'x', 'x', 'OUTPUTS', 'y'],
      'Number of keys given as INPUTS here does not match model definition',
    ],
    [['AI.MODELRUN', 'm', 'TIMEOUT', '0', 'INPUTS', 'x', 'OUTPUTS', 'y'], 'ERR Invalid value for TIMEOUT'],
    [['AI.MODELRUN', 'm', 'x', 'y', 'z', 'a'], 'ERR INPUTS not specified'],
    [['AI.MODELRUN', 'm', 'INPUTS', 'y', 'z', 'a'], 'ERR OUTPUTS not specified'],
  ])('%j is refused', async (words, text) => {
    await call('AI.MODELSET', 'm', 'ONNX', 'CPU', 'BLOB', modelFile('double'));
    expect(await refusal(...words)).toBe(text);
  });
});

describe('AI.CONFIG', () => {
  test.each<[Words, string]>([
    [['AI.CONFIG', 'LOADBACKEND', 'ONNX'], "ERR wrong number of arguments for 'ai.config' command"],
    [['AI.CONFIG', 'LOADBACKEND', 'BASIC', 'x.so'], 'ERR unsupported backend'],
    [['AI.CONFIG', 'LOADBACKEND', 'ONNX', 'x.so'], 'ERR error loading backend'],
    [['AI.CONFIG', 'BACKENDSPATH'], 'ERR BACKENDSPATH: missing path argument'],
    [['AI.CONFIG', 'GET'], "ERR wrong number of arguments for 'ai.config' command"],
  ])('%j is refused', async (words, text) => {
    expect(await refusal(...words)).toBe(text);
  });

  test('keeps a path that it never opens', async () => {
    expect(await call('AI.CONFIG', 'BACKENDSPATH', '/some/where')).toBe('OK');
    expect(await call('AI.CONFIG', 'GET', 'BACKENDSPATH')).toBe('/some/where');
    expect(await call('AI.CONFIG', 'GET', 'NONSENSE')).toBe(null);
  });
});
