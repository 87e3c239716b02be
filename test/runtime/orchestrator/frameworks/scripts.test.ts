import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Client, tensor } from '../../../../src/runtime/client/index.js';
import { type Answers, answerOf, askPython, expectSame } from '../support/answers.js';
import { frameworksPython } from '../support/python.js';
import { onnxRuntime, type Started, start } from '../support/start.js';

const found = await frameworksPython();
const python = 'python' in found ? found.python : '';
const why =
  'missing' in found
    ? ` (skipped: ${found.missing})`
    : onnxRuntime === undefined
      ? ' (skipped: no onnxruntime-node)'
      : '';

/** Outputs by script. */
const scripts: readonly (readonly [name: string, shapes: readonly (readonly number[])[]])[] = [
  ['timestwo', [[4, 5]]],
  ['average', [[1]]],
  ['one_to_one', [[1]]],
  ['two_to_one', [[2]]],
  ['halve_first', [[2, 3]]],
  ['as_picture', [[3, 6, 8]]],
  ['largest', [[20]]],
  ['statistics', [[1], [1], [4, 5]]],
  ['speed', [[6, 7]]],
  ['stacked', [[2, 3, 3]]],
  ['normalise', [[4, 5]]],
  ['probe', [[7]]],
  ['negate-string', [[4, 5]]],
  ['negate-file', [[4, 5]]],
];
const svd = [
  'calc_svd',
  [
    [5, 3, 2],
    [5, 2],
    [5, 2, 2],
  ],
] as const;

describe.skipIf(why !== '')(`scripts of the documentation${why}`, () => {
  describe.each([
    { engine: 'PyTorch', which: 'all', all: [...scripts, svd] },
    { engine: 'ONNX Runtime, without PyTorch', which: 'subset', all: scripts },
  ])('by $engine', ({ engine, which, all }) => {
    let started: Started;
    let folder: string;
    let answers: Answers;
    let refusals: Readonly<Record<string, string>>;
    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'simwright-scripts-'));
      const bare = join(folder, 'bin', 'python');
      if (which === 'subset') execFileSync(python, ['-m', 'venv', '--without-pip', folder]);
      started = await start({ python: which === 'subset' ? bare : python, intraOpThreads: 1 });
      const address = started.orchestrator.addresses[which === 'subset' ? 1 : 0] ?? '';
      const got = await askPython<Answers & { readonly refusals: Readonly<Record<string, string>> }>(
        python,
        'smartredis_scripts.py',
        address,
        [which],
      );
      ({ refusals, ...answers } = got);
    });
    afterAll(async () => {
      await started?.stop();
      rmSync(folder, { recursive: true });
    });

    test.each(all)('%s', (name, shapes) => {
      for (const [index, shape] of shapes.entries()) {
        const answer = answerOf(answers, name, `output${index}`);
        expect(answer.wanted.shape).toEqual(shape);
        expectSame(answer);
      }
      expect(answers[name]?.[`output${shapes.length}`]).toBeUndefined();
    });

    test.each([
      ['wrong kind', /wrong_kind/],
      ['no such function', /slowness/],
      ['too few inputs', /Wrong number of inputs provided to function: speed/],
      ['too many outputs', /Function returned unexpected number of outputs - speed/],
      ['syntax', /\S \S/],
    ])('smartredis is told: %s', (name, text) => {
      expect(refusals[name]).toMatch(text);
      expect(refusals[name]).not.toMatch(/Traceback|No Error Prefix|IO error/);
    });

    test(`the TypeScript client has its script run by ${engine}`, async () => {
      const client = await Client.connect({ env: { SSDB: started.orchestrator.addresses[0] } });
      // Its last line does not end, as in texts that people write into a workflow.
      await client.setScript('ts', 'CPU', 'def f(a, b):\n    return a * b, torch.cat((a, b), 1).sum(1)');
      await client.putTensor('a', tensor(Float32Array.of(1, 2, 3, 4), [2, 2]));
      await client.putTensor('b', tensor(Float32Array.of(10, 20, 30, 40), [2, 2]));
      await client.runScript('ts', 'f', ['a', 'b'], ['product', 'sum']);
      expect(await client.getTensor('product', 'FLOAT')).toEqual(tensor(Float32Array.of(10, 40, 90, 160), [2, 2]));
      expect(await client.getTensor('sum', 'FLOAT')).toEqual(tensor(Float32Array.of(33, 77)));
      expect(await client.aiInfo('ts')).toMatchObject({ type: 'SCRIPT', calls: '1', errors: '0', samples: '-1' });
      await client.close();
    });
  });
});
