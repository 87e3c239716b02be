import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterEach, describe, expect, test } from 'vitest';
import type { OrchestratorOptions } from '../../../src/runtime/orchestrator/index.js';
import { root } from '../../helpers/simwright.js';
import { makeModels, pythonWith } from './support/frameworks.js';
import { oneOperator } from './support/onnx.js';
import { onnxRuntime, type Started, start } from './support/start.js';

const torch = await pythonWith('TORCH');
const withoutTorch = 'missing' in torch ? torch.missing : '';
const float = 1;
const text = 8;

let started: Started | undefined;
let redis: Redis;
afterEach(async () => {
  redis.disconnect();
  await started?.stop();
  started = undefined;
});

async function storeWith(
  models: Readonly<Record<string, Buffer>>,
  backend = 'ONNX',
  options: Partial<OrchestratorOptions> = {},
) {
  started = await start(options);
  redis = new Redis(started.port);
  for (const [key, model] of Object.entries(models))
    await redis.call('AI.MODELSTORE', key, backend, 'CPU', 'BLOB', model);
  return started.orchestrator;
}

/** Statistics of a model or script as AI.INFO gives them. */
async function countsOf(key: string): Promise<Record<string, unknown>> {
  const info = (await redis.call('AI.INFO', key)) as unknown[];
  const names = Array.from({ length: info.length / 2 }, (_, at) => 2 * at);
  return Object.fromEntries(names.map((at) => [String(info[at]).toLowerCase(), info[at + 1]]));
}

describe.skipIf(onnxRuntime === undefined)('models are warmed up', () => {
  test('on zeros of their own types, and nobody sees a key or a count of it', async () => {
    const orchestrator = await storeWith({
      net: oneOperator('Neg', float, ['batch', 3], true),
      // Their inputs are of no known shape, of texts, and too large.
      any: oneOperator('Neg', float, [], true),
      words: oneOperator('Identity', text, [2], true),
      large: oneOperator('Neg', float, [20_000, 20_000], true),
    });
    const keys = ['net', 'any', 'words', 'large', 'nothing'];
    expect(await orchestrator.warmUp(keys)).toEqual([
      { key: 'net', kind: 'model', outcome: 'ran' },
      { key: 'any', kind: 'model', outcome: 'unknown' },
      { key: 'words', kind: 'model', outcome: 'unknown' },
      { key: 'large', kind: 'model', outcome: 'unknown' },
    ]);
    expect(((await redis.keys('*')) as string[]).sort()).toEqual(['any', 'large', 'net', 'words']);
    expect(orchestrator.stats()).toMatchObject({ inferences: 0, keys: 4 });
    expect(await countsOf('net')).toMatchObject({ duration: 0, samples: 0, calls: 0, errors: 0 });
  });

  test('one that fails is told, and counts no error', async () => {
    // The determinant of a matrix of one row and two columns.
    const orchestrator = await storeWith({ wrong: oneOperator('Det', float, []) });
    expect(await orchestrator.warmUp(['wrong'])).toEqual([
      { key: 'wrong', kind: 'model', outcome: 'failed', why: expect.stringMatching(/Det|square|dimension/i) },
    ]);
    expect((await countsOf('wrong'))['errors']).toBe(0);
  });
});

describe.skipIf(withoutTorch !== '')(`models in workers are warmed up ${withoutTorch}`, () => {
  test('on each worker of their device, where they tell their types', async () => {
    if (!('python' in torch)) return;
    const file = await makeModels(torch.python, 'torch', 'exported');
    const traced = readFileSync(join(root, 'test/model-files/models/traced.pt'));
    const models = { traced, exported: file('net.pt2'), scripted: file('net.pt') };
    const orchestrator = await storeWith(models, 'TORCH', {
      python: torch.python,
      threadsPerQueue: 2,
      intraOpThreads: 1,
    });
    expect(await orchestrator.warmUp(['traced', 'exported', 'scripted'])).toEqual([
      { key: 'traced', kind: 'model', outcome: 'ran' },
      { key: 'exported', kind: 'model', outcome: 'ran' },
      { key: 'scripted', kind: 'model', outcome: 'unknown' },
    ]);
    expect(orchestrator.stats()).toMatchObject({ inferences: 0 });
    expect(await countsOf('exported')).toMatchObject({ calls: 0, duration: 0 });
  });

  test('one worker is started for devices that another stands in for', async () => {
    if (!('python' in torch)) return;
    const preloadBackends = ['GPU:0', 'GPU:1', 'GPU'].map((device) => ({ backend: 'TORCH' as const, device }));
    const orchestrator = await storeWith({}, 'TORCH', {
      python: torch.python,
      mapDevice: { GPU: 'CPU' },
      preloadBackends,
    });
    await expect
      .poll(() => orchestrator.stats().workers)
      .toMatchObject([{ framework: 'TORCH', device: 'CPU', version: expect.any(String) }]);
  });
});
