import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Client, tensor } from '../../../src/runtime/client/index.js';
import { type Answers, answerOf, askPython, expectClose } from './support/answers.js';
import { smartredisPython } from './support/python.js';
import { modelFile, onnxRuntime, type Started, start } from './support/start.js';

const found = await smartredisPython();
const python = 'python' in found ? found.python : '';
const noPython = 'missing' in found ? ` (skipped: ${found.missing})` : '';
const skipped = onnxRuntime === undefined;

describe.skipIf(skipped)(`models that were trained${skipped ? ' (skipped: no onnxruntime-node)' : ''}`, () => {
  let started: Started;
  let client: Client;
  beforeAll(async () => {
    started = await start();
    client = await Client.connect({ env: { SSDB: started.orchestrator.addresses[0] } });
  });
  afterAll(async () => {
    await client?.close();
    await started?.stop();
  });

  describe.skipIf(noPython !== '')(`by scikit-learn, stored and run by smartredis${noPython}`, () => {
    let answers: Answers;
    beforeAll(async () => {
      answers = await askPython(python, 'smartredis_learned.py', started.orchestrator.addresses[0] ?? '');
    });

    test.each([
      ['kmeans', 'labels', 'int64', [10]],
      ['kmeans', 'transform', 'float32', [10, 2]],
      ['linear', 'values', 'float32', [4, 1]],
      ['forest', 'values', 'float32', [38, 1]],
    ])('%s: %s', async (model, output, dtype, shape) => {
      const { wanted, got } = answerOf(answers, model, output);
      expect(new Set(wanted.values).size).toBeGreaterThan(1);
      expect({ dtype: got.dtype, shape: got.shape }).toEqual({ dtype, shape });
      expectClose(got.values, wanted.values, 4);
    });

    test('the TypeScript client runs the same model', async () => {
      await client.runModel('kmeans', ['kmeans.input0'], ['labels', 'distances']);
      const labels = await client.getTensor('labels', 'INT64');
      expectClose(labels.data, answerOf(answers, 'kmeans', 'labels').wanted.values, 4);
      const distances = await client.getTensor('distances', 'FLOAT');
      expectClose(distances.data, answerOf(answers, 'kmeans', 'transform').wanted.values, 4);
    });
  });

  test('a convolutional network of the size for MNIST by PyTorch', async () => {
    const answer = JSON.parse(readFileSync(new URL('models/cnn.json', import.meta.url), 'utf8')) as {
      readonly shape: readonly number[];
      readonly output: readonly number[];
    };
    await client.setModel('cnn', { backend: 'ONNX', device: 'CPU', blob: modelFile('cnn') });
    const pixels = Float32Array.from({ length: 2 * 28 * 28 }, (_, index) =>
      Math.sin(Math.fround(index * Math.fround(0.05))),
    );
    await client.putTensor('pixels', tensor(pixels, [2, 1, 28, 28]));
    await client.runModel('cnn', 'pixels', 'digits');
    const digits = await client.getTensor('digits', 'FLOAT');
    expect(digits.shape).toEqual(answer.shape);
    expectClose(digits.data, answer.output, 4);
  });
});
