import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Client } from '../../../../src/runtime/client/index.js';
import { type Answers, answerOf, askPython, expectClose, expectSame } from '../support/answers.js';
import { frameworksPython } from '../support/python.js';
import { type Started, start } from '../support/start.js';

interface More {
  readonly refusals: Readonly<Record<string, string>>;
  readonly names: { readonly fcn: readonly [inputs: string[], outputs: string[]] };
}

const found = await frameworksPython();
const python = 'python' in found ? found.python : '';
const why = 'missing' in found ? ` (skipped: ${found.missing})` : '';

describe.skipIf(why !== '')(`models of TensorFlow and TensorFlow Lite${why}`, () => {
  let started: Started;
  let folder: string;
  let answers: Answers;
  let more: More;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'simwright-tensorflow-'));
    started = await start({ python, preloadBackends: ['TF', 'TFLITE'], intraOpThreads: 1, interOpThreads: 1 });
    const address = started.orchestrator.addresses[1] ?? '';
    const all = await askPython<Answers & More>(python, 'smartredis_tensorflow.py', address, [folder]);
    const { refusals, names, ...rest } = all;
    more = { refusals, names };
    answers = rest;
  });
  afterAll(async () => {
    await started?.stop();
    rmSync(folder, { recursive: true });
  });

  test.each([
    ['fcn', 'digits', 'float32', [20, 10]],
    ['fcn-file', 'digits', 'float32', [1, 10]],
    ['of-two', 'sum', 'float32', [4, 28]],
    ['of-two', 'product', 'float32', [4, 28]],
    ['of-two', 'largest', 'int64', [4]],
    ['fcn-saved', 'digits', 'float32', [20, 10]],
    ['fcn-lite', 'digits', 'float32', [1, 10]],
    ['fcn-lite-rows', 'digits', 'float32', [20, 10]],
  ])('%s answers %s as TensorFlow itself, by smartredis over a Unix socket', (name, output, dtype, shape) => {
    const answer = answerOf(answers, name, output);
    expect(answer.wanted).toMatchObject({ dtype, shape });
    expectSame(answer);
  });

  test.each(['TF', 'TFLITE'] as const)('%s, by the TypeScript client over TCP', async (backend) => {
    const client = await Client.connect({ env: { SSDB: started.orchestrator.addresses[0] } });
    const [inputs, outputs] = backend === 'TF' ? more.names.fcn : [undefined, undefined];
    const name = backend === 'TF' ? 'fcn' : 'fcn-lite';
    const blob = readFileSync(join(folder, name));
    await client.setModel('typescript', {
      backend,
      device: 'CPU',
      blob,
      ...(inputs && outputs && { inputs, outputs }),
    });
    await client.runModel('typescript', `${name}.input0`, 'typescript.digits');
    const digits = await client.getTensor('typescript.digits', 'FLOAT');
    const { wanted } = answerOf(answers, name, 'digits');
    expect(digits.shape).toEqual(wanted.shape);
    expectClose(digits.data, wanted.values, 4);
    expect(await client.aiInfo('typescript')).toMatchObject({ type: 'MODEL', backend, calls: '1', errors: '0' });
    await client.deleteModel('typescript');
    await client.close();
  });

  test.each([
    ['unknown node', /the graph has no input nobody; it has x/],
    ['truncated graph', /no graph of TensorFlow/],
    ['truncated archive', /cut short or damaged/],
    ['truncated flat buffer', /Flatbuffer/],
    ['shape', /Cannot feed value of shape \(28, 28\)/],
    ['lite shape', /the inputs have the shapes \[28, 28\], and the model wants \[\?, 28, 28\]/],
  ])('smartredis is told: %s', (name, text) => {
    expect(more.refusals[name]).toMatch(text);
    expect(more.refusals[name]).not.toMatch(/Traceback|No Error Prefix|IO error/);
  });
});
