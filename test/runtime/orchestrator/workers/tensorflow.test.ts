import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeModels, pythonWith } from '../support/frameworks.js';
import { type Started, start } from '../support/start.js';

const found = await pythonWith('TF');
const missing = 'missing' in found ? found.missing : '';

describe.skipIf(missing !== '')(`TensorFlow models in workers ${missing}`, () => {
  let started: Started;
  let redis: Redis;
  let file: (name: string) => Buffer;
  let names: readonly string[] = [];
  beforeAll(async () => {
    if (!('python' in found)) return;
    file = await makeModels(found.python, 'tf');
    names = file('names.txt').toString().split(' ');
    started = await start({ python: found.python, preloadBackends: ['TF', 'TFLITE'], intraOpThreads: 1 });
    redis = new Redis(started.port);
    await redis.call('AI.TENSORSET', 'x', 'FLOAT', '2', '2', 'VALUES', '1', '2', '3', '4');
    await redis.call('AI.TENSORSET', 'y', 'FLOAT', '2', '2', 'VALUES', '10', '20', '30', '40');
    await redis.call('AI.TENSORSET', 'v', 'FLOAT', '2', 'VALUES', '1', '2');
    await redis.call('AI.TENSORSET', 'i', 'INT32', '2', '2', 'VALUES', '1', '2', '3', '4');
    await redis.call('AI.TENSORSET', 't', 'STRING', '2', 'VALUES', 'ab', 'Cd');
  });
  afterAll(async () => {
    redis?.disconnect();
    await started?.stop();
  });

  const storeTf = (model: Buffer, inputs: readonly string[], outputs: readonly string[]) =>
    redis.call(
      ...(['AI.MODELSTORE', 'm', 'TF', 'CPU', 'INPUTS', String(inputs.length), ...inputs] as const),
      ...['OUTPUTS', String(outputs.length), ...outputs, 'BLOB'],
      model,
    );
  const run = (inputs: readonly string[], outputs: readonly string[]) =>
    redis.call(
      ...(['AI.MODELEXECUTE', 'm', 'INPUTS', String(inputs.length), ...inputs] as const),
      ...['OUTPUTS', String(outputs.length), ...outputs],
    );
  const values = (key: string) => redis.call('AI.TENSORGET', key, 'VALUES');
  const expectResults = async () => {
    expect(await run(['x', 'y'], ['a', 'b'])).toBe('OK');
    expect(await values('a')).toEqual(['12', '24', '36', '48']);
    expect(await values('b')).toEqual(['11', '21', '31', '41']);
  };

  test('frozen graphs take names of nodes, and of tensors', async () => {
    const [x = '', y = '', a = '', b = ''] = names;
    await storeTf(file('net.pb'), [x, y], [a, b]);
    await expectResults();
    const plain = [x, y, a, b].map((name) => name.replace(':0', ''));
    await storeTf(file('net.pb'), plain.slice(0, 2), plain.slice(2));
    await expectResults();
    const meta = (await redis.call('AI.MODELGET', 'm', 'META')) as unknown[];
    expect([meta[11], meta[13]]).toEqual([plain.slice(0, 2), plain.slice(2)]);
    await expect(storeTf(file('net.pb'), ['nothing'], ['Identity'])).rejects.toThrow(
      'the graph has no input nothing; it has x, y',
    );
    await expect(storeTf(file('net.pb'), ['x', 'y'], ['nothing'])).rejects.toThrow('the graph has no output nothing');
  });

  test('a SavedModel as a zip takes the names of its signature', async () => {
    await storeTf(file('net.zip'), ['x', 'y'], ['a', 'b']);
    await expectResults();
    await expect(storeTf(file('net.zip'), ['x', 'z'], ['a', 'b'])).rejects.toThrow(
      'the graph has no input z; it has x, y',
    );
  });

  test.each([
    ['escapes.zip', 'has a path out of its folder: ../../outside'],
    ['absolute.zip', 'has a path out of its folder: /tmp/outside'],
    ['bomb.zip', 'unpacks to more than'],
    ['reads.pb', 'has an operation ReadFile (y)'],
  ])('%s is refused', async (name, text) => {
    await expect(storeTf(file(name), ['x'], ['y'])).rejects.toThrow(text);
  });

  test('a SavedModel that writes a file when it is loaded is refused before', async () => {
    await expect(storeTf(file('writes.zip'), ['x'], ['y'])).rejects.toThrow('has an operation WriteFile');
    expect(() => file('written')).toThrow('ENOENT');
  });

  test.each([
    ['net.pb', 300, 'the model is no graph of TensorFlow'],
    ['net.zip', 2000, "the SavedModel's archive is cut short or damaged"],
  ])('%s that is cut short is refused', async (name, bytes, text) => {
    await expect(storeTf(file(name).subarray(0, bytes), ['x'], ['y'])).rejects.toThrow(text);
  });

  test.each(['half', 'bfloat16', 'complex'])('outputs of the type %s are refused', async (type) => {
    await storeTf(file(`${type}.pb`), ['x'], ['y']);
    await expect(run(['v'], ['a'])).rejects.toThrow(
      /^output y has the type \w+, which no tensor of the store can hold/,
    );
  });

  test('a checkpoint keeps the names that a model was stored with', async () => {
    const options = { python: (found as { python: string }).python, intraOpThreads: 1 };
    const checkpointFile = join(mkdtempSync(join(tmpdir(), 'simwright-tf-')), 'saved');
    const first = await start({ ...options, checkpointFile });
    const one = new Redis(first.port);
    await one.call(
      ...(['AI.MODELSTORE', 'm', 'TF', 'CPU', 'INPUTS', '2', 'y', 'x', 'OUTPUTS', '1', 'Identity', 'BLOB'] as const),
      file('net.pb'),
    );
    await one.call('SAVE');
    one.disconnect();
    await first.stop();
    const second = await start({ ...options, checkpointFile });
    const two = new Redis(second.port);
    const meta = (await two.call('AI.MODELGET', 'm', 'META')) as unknown[];
    expect([meta[11], meta[13]]).toEqual([['y', 'x'], ['Identity']]);
    two.disconnect();
    await second.stop();
  });

  test('texts go in and out', async () => {
    await storeTf(file('upper.pb'), ['x'], ['y']);
    await run(['t'], ['u']);
    expect(await values('u')).toEqual(['AB', 'CD']);
  });

  test('inputs of another type or shape are refused', async () => {
    await storeTf(file('net.pb'), ['x', 'y'], ['Identity', 'Identity_1']);
    await expect(run(['i', 'y'], ['a', 'b'])).rejects.toThrow('input x is of type INT32, and the model wants float32');
    await expect(run(['v', 'y'], ['a', 'b'])).rejects.toThrow(/shape/);
  });

  test('TensorFlow Lite', async () => {
    const storeLite = (model: Buffer) => redis.call('AI.MODELSTORE', 'm', 'TFLITE', 'CPU', 'BLOB', model);
    await storeLite(file('net.tflite'));
    await redis.call('AI.TENSORSET', 'small', 'FLOAT', '1', '2', 'VALUES', '1', '2');
    // The file has its own order of inputs and outputs.
    const meta = (await redis.call('AI.MODELGET', 'm', 'META')) as unknown[];
    const inputs = (meta[11] as string[]).map((name) => (name.includes('x') ? 'x' : 'y'));
    await run(['small', 'small'], ['c', 'd']);
    await run(inputs, ['a', 'b']);
    const both = [await values('a'), await values('b')].map(String).sort();
    expect(both).toEqual(['11,21,31,41', '12,24,36,48']);
    await expect(run(['i', 'y'], ['a', 'b'])).rejects.toThrow('is of type INT32, and the model wants float32');
    await expect(run(['v', 'y'], ['a', 'b'])).rejects.toThrow(
      'the inputs have the shapes [2], [2, 2], and the model wants [?, 2], [?, 2]',
    );
    await redis.call('AI.TENSORSET', 'w', 'FLOAT', '3', '2', 'VALUES', '1', '2', '3', '4', '5', '6');
    await expect(run(['w', 'y'], ['a', 'b'])).rejects.toThrow('the model does not take inputs of the shapes');
    await run(inputs, ['a', 'b']);
    await expect(storeLite(file('net.tflite').subarray(0, 700))).rejects.toThrow();
    await expect(storeLite(Buffer.from('nothing'))).rejects.toThrow('no flatbuffer of TensorFlow Lite');
  });
});
