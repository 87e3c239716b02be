import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Client } from '../../../../src/runtime/client/index.js';
import { type Answers, answerOf, askPython, expectClose, expectSame } from '../support/answers.js';
import { frameworksPython } from '../support/python.js';
import { type Started, start } from '../support/start.js';

const found = await frameworksPython();
const python = 'python' in found ? found.python : '';
const why = 'missing' in found ? ` (skipped: ${found.missing})` : '';

describe.skipIf(why !== '')(`models of PyTorch${why}`, () => {
  let started: Started;
  let folder: string;
  let answers: Answers;
  let refusals: Readonly<Record<string, string>>;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'simwright-torch-'));
    started = await start({ python, preloadBackends: ['TORCH'], intraOpThreads: 1 });
    const all = await askPython<Answers & { readonly refusals: Readonly<Record<string, string>> }>(
      python,
      'smartredis_torch.py',
      started.orchestrator.addresses[0] ?? '',
      [folder],
    );
    ({ refusals, ...answers } = all);
  });
  afterAll(async () => {
    await started?.stop();
    rmSync(folder, { recursive: true });
  });

  test.each([
    ['cnn', 'digits', 'float32', [20, 10]],
    ['cnn-batched', 'digits', 'float32', [20, 10]],
    ['cnn-exported', 'digits', 'float32', [20, 10]],
    ['cnn-file', 'digits', 'float32', [20, 10]],
    ['convolution', 'y', 'float32', [1, 1, 1, 1]],
    ['pair', 'sum', 'int32', [2, 3]],
    ['pair', 'difference', 'int32', [2, 3]],
    ['pair-exported', 'sum', 'int32', [2, 3]],
    ['pair-exported', 'difference', 'int32', [2, 3]],
    ['parts', 'first', 'float32', [4]],
    ['parts', 'rest', 'float32', [4, 2]],
    ['parts', 'sum', 'float32', [3]],
    ['widen-float32', 'y', 'float64', [6]],
    ['widen-int8', 'y', 'float64', [6]],
    ['widen-int16', 'y', 'float64', [6]],
    ['widen-int64', 'y', 'float64', [6]],
    ['widen-uint8', 'y', 'float64', [6]],
  ])('%s answers %s as PyTorch itself, by smartredis over TCP', (name, output, dtype, shape) => {
    const answer = answerOf(answers, name, output);
    expect(answer.wanted).toMatchObject({ dtype, shape });
    expectSame(answer);
  });

  test.each(['cnn', 'cnn-exported'])('%s, by the TypeScript client over a Unix socket', async (name) => {
    const client = await Client.connect({ env: { SSDB: started.orchestrator.addresses[1] } });
    const blob = readFileSync(join(folder, name));
    await client.setModel('typescript', { backend: 'TORCH', device: 'CPU', blob });
    await client.runModel('typescript', `${name}.input0`, 'typescript.digits');
    const digits = await client.getTensor('typescript.digits', 'FLOAT');
    const { wanted } = answerOf(answers, name, 'digits');
    expect(digits.shape).toEqual(wanted.shape);
    expectClose(digits.data, wanted.values, 4);
    expect((await client.getModel('typescript')).equals(blob)).toBe(true);
    const info = await client.aiInfo('typescript');
    expect(info).toMatchObject({
      type: 'MODEL',
      backend: 'TORCH',
      device: 'CPU',
      calls: '1',
      errors: '0',
      samples: '20',
    });
    await client.deleteModel('typescript');
    await client.close();
  });

  test.each([
    ['pickled', /torch\.(export|jit)/],
    ['truncated', /cut short or damaged/],
    ['uint16', /UINT16/i],
    ['shape', /command: Expected 4-dimensional input/],
    ['inputs', /does not match model definition/],
  ])('smartredis is told: %s', (name, text) => {
    expect(refusals[name]).toMatch(text);
    expect(refusals[name]).not.toMatch(/Traceback|No Error Prefix|IO error/);
  });

  test('a pipeline stays in the store, over a Unix socket', async () => {
    const address = started.orchestrator.addresses[1] ?? '';
    const pipeline = await askPython(python, 'smartredis_pipeline.py', address);
    for (const output of ['best', 'rate']) {
      const answer = answerOf(pipeline, 'pipeline', output);
      expect(answer.wanted.shape).toEqual([20]);
      expectSame(answer);
    }
  });
});
