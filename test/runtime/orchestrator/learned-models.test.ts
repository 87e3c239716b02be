import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Client, tensor } from '../../../src/runtime/client/index.js';
import { modelFile, onnxRuntime, type Started, start } from './support/start.js';

interface Answer {
  readonly shape: readonly number[];
  readonly input: readonly number[];
  readonly outputs: readonly (readonly number[])[];
}

/** What the libraries answer themselves: see `models/make_learned.py`. */
const answers = JSON.parse(readFileSync(new URL('models/learned.json', import.meta.url), 'utf8')) as Record<
  'kmeans' | 'random-forest',
  Answer
>;
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

  async function run(name: 'kmeans' | 'random-forest', outputs: readonly string[]): Promise<Answer> {
    const answer = answers[name];
    await client.setModel(name, { backend: 'ONNX', device: 'CPU', blob: modelFile(name) });
    await client.putTensor('in', tensor(Float32Array.from(answer.input), answer.shape));
    await client.runModel(name, ['in'], outputs);
    return answer;
  }

  test('k-means by scikit-learn: labels and distances', async () => {
    const { shape, outputs } = await run('kmeans', ['labels', 'distances']);
    const labels = await client.getTensor('labels', 'INT64');
    expect([...labels.data].map(Number)).toEqual(outputs[0]);
    const distances = await client.getTensor('distances', 'FLOAT');
    expect(distances.shape).toEqual([shape[0], 3]);
    for (const [index, value] of (outputs[1] ?? []).entries()) expect(distances.data[index]).toBeCloseTo(value, 3);
  });

  test('a random forest by scikit-learn', async () => {
    const { shape, outputs } = await run('random-forest', ['values']);
    const values = await client.getTensor('values', 'FLOAT');
    expect(values.shape).toEqual([shape[0], 1]);
    for (const [index, value] of (outputs[0] ?? []).entries()) expect(values.data[index]).toBeCloseTo(value, 5);
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
    for (const [index, value] of answer.output.entries()) expect(digits.data[index]).toBeCloseTo(value, 4);
  });
});
