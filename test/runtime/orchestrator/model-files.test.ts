import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { Redis } from 'ioredis';
import { afterEach, describe, expect, test } from 'vitest';
import { onnxFacts } from '../../../src/runtime/orchestrator/inference/onnx/facts.js';
import { oneOperator, withExternalData } from './support/onnx.js';
import { modelFile, onnxRuntime, type Started, start } from './support/start.js';

const refusal = 'Initializer tensors with external data is not allowed.';
const secret = 'a secret';
let started: Started | undefined;
let redis: Redis | undefined;
const here = process.cwd();
afterEach(async () => {
  redis?.disconnect();
  await started?.stop();
});

/** The message with a tag written longer than it need be, as protobuf reads it all the same. */
function withLongTag(model: Buffer, tag: number): Buffer {
  const at = model.indexOf(tag);
  return Buffer.concat([
    model.subarray(0, at),
    Buffer.from([tag | 0x80, 0x80, 0x80, 0x80, 0x10]),
    model.subarray(at + 1),
  ]);
}

describe.skipIf(onnxRuntime === undefined)('a model that keeps its data in a file', () => {
  test.each(['initializer', 'constant', 'function'] as const)('as an %s is refused', async (how) => {
    const folder = mkdtempSync(join(here, '.external-'));
    const file = join(basename(folder), 'secret');
    writeFileSync(join(dirname(folder), file), secret);
    try {
      started = await start();
      redis = new Redis(started.port);
      const model = withExternalData(file, secret.length, how);
      for (const bytes of [model, withLongTag(model, 7 * 8 + 2)]) {
        await expect(redis.call('AI.MODELSTORE', 'm', 'ONNX', 'CPU', 'BLOB', bytes)).rejects.toThrow(
          /external data is not allowed|protobuf parsing failed/,
        );
      }
      await expect(redis.call('AI.MODELSTORE', 'm', 'ONNX', 'CPU', 'BLOB', model)).rejects.toThrow(refusal);
      expect(await redis.exists('m')).toBe(0);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('could be read by ONNX Runtime alone', async () => {
    // Else the tests above would say nothing.
    const folder = mkdtempSync(join(here, '.external-'));
    const file = join(basename(folder), 'secret');
    writeFileSync(join(dirname(folder), file), secret);
    try {
      const { InferenceSession, Tensor } = await import('onnxruntime-node');
      const session = await InferenceSession.create(
        new Uint8Array(withExternalData(file, secret.length, 'initializer')),
      );
      const x = new Tensor('int8', new Int8Array(secret.length), [secret.length]);
      const { y } = await session.run({ x });
      expect(Buffer.from(y?.data as Int8Array).toString()).toBe(secret);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('what is known of a model before it is loaded', () => {
  test.each([
    ['slow', { isUnbounded: true, dependsOnValues: true }],
    ['double', { isUnbounded: false, dependsOnValues: false }],
    ['network', { isUnbounded: false, dependsOnValues: false }],
    ['cnn', { isUnbounded: false, dependsOnValues: false }],
  ])('of %s', async (name, facts) => {
    expect(await onnxFacts(modelFile(name))).toEqual(facts);
  });

  test('of one whose output is as large as a value says', async () => {
    expect(await onnxFacts(oneOperator('ConstantOfShape', 1, ['n']))).toEqual({
      isUnbounded: false,
      dependsOnValues: true,
    });
  });

  test('of bytes that are no model', async () => {
    await expect(onnxFacts(Buffer.from('no model at all'))).rejects.toThrow('protobuf parsing failed');
  });
});
