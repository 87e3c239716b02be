import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { SiteInput } from '../../src/ir/index.js';
import { oneOperator } from '../runtime/orchestrator/support/onnx.js';
import { root } from './support/compile-fixture.js';
import { compileIn, type Files, problemsIn, shown, source, workspace } from './support/workspace.js';

const model = (file: string): Buffer => readFileSync(join(root, 'test/model-files/models', file));

/** A workflow with one model: its application's command, its file and its options. */
function workflow(file: string, options: string, application = "command('true')"): Files {
  const chain = `.orchestrator()\n  .model('m', ${application})\n    .addMlModel('net', mlFile('${file}'), { ${options} })`;
  return { 'workflow.ts': source(chain), ...(/\.onnx$/.test(file) ? {} : { [file]: model(file) }) };
}

async function warned(files: Files, site: SiteInput | string = 'slurm'): Promise<string[]> {
  const folder = workspace(files);
  const { warnings } = await compileIn(folder, site);
  return shown(
    warnings.filter(({ code }) => code.startsWith('ML')),
    folder,
  );
}

const head = "workflow.ts:5:6 .addMlModel('net'): ";

describe('what is refused', () => {
  test('a backend that is not the file’s', async () => {
    expect(await problemsIn(workflow('frozen.pb', "backend: 'TORCH'"))).toEqual([
      `ML1006 ${head}frozen.pb is a TensorFlow graph, and its backend says TORCH | write backend: 'TF', or name another file`,
    ]);
    expect(await problemsIn(workflow('exported.pt2', "backend: 'ONNX'"))).toEqual([
      `ML1006 ${head}exported.pt2 is an exported program of PyTorch, and its backend says ONNX | write backend: 'TORCH', or name another file`,
    ]);
  });

  test('names that the graph does not have', async () => {
    expect(await problemsIn(workflow('frozen.pb', "backend: 'TF', inputs: ['x'], outputs: ['Identiti']"))).toEqual([
      `ML1007 ${head}frozen.pb has no 'Identiti' (outputs) in its graph | did you mean 'Identity'? its placeholders are: x; its last nodes are: Identity, Identity_1`,
    ]);
  });

  test('a pickled module', async () => {
    expect(await problemsIn(workflow('module.pt', "backend: 'TORCH'"))).toEqual([
      `ML1008 ${head}module.pt is a pickled module (torch.save), which no store reads: a pickle can run any code | export it: torch.jit.trace(model, inputs).save('net.pt'), or torch.export.save(torch.export.export(model, inputs), 'net.pt2')`,
    ]);
  });

  test.each([
    ['traced.pt', "backend: 'TORCH'"],
    ['exported.pt2', "backend: 'TORCH'"],
    ['frozen.pb', "backend: 'TF', inputs: ['x'], outputs: ['Identity']"],
    ['saved.zip', "backend: 'TF', inputs: ['x'], outputs: ['y']"],
    ['net.tflite', "backend: 'TFLITE'"],
  ])('a %s that is cut short', async (file, options) => {
    const files = { ...workflow(file, options), [file]: model(file).subarray(0, 700) };
    expect(await problemsIn(files)).toEqual([
      expect.stringMatching(/^ML1001 .*'net'\): \S+ is no \w+ model: it ends too early: the file is cut short/),
    ]);
    expect(await problemsIn({ ...files, [file]: '' })).toEqual([
      expect.stringMatching(/^ML1001 .* is no \w+ model: it is empty \| export the model again$/),
    ]);
  });

  test('batches of TensorFlow Lite', async () => {
    expect(await problemsIn(workflow('net.tflite', "backend: 'TFLITE', batchSize: 4"))).toContain(
      `ML1011 ${head}TFLITE models cannot run in batches | leave out batchSize, minBatchSize and minBatchTimeout`,
    );
  });
});

describe('what is warned of', () => {
  test('values that are no tensors, and types that no tensor has', async () => {
    expect(await warned(workflow('exported-half.pt2', "backend: 'TORCH'"))).toContain(
      `ML1005 ${head}its input 'x' is of type float16, which no client can send | export the model with a Cast, such as to float, at this place`,
    );
    const hint = 'export the model with a forward that takes and returns tensors alone';
    expect(await warned(workflow('scripted-mapping.pt', "backend: 'TORCH'"))).toEqual([
      `ML1005 ${head}its input 'xs' is no tensor (List[Tensor]), which no client can send | ${hint}`,
      `ML1005 ${head}its input 'times' is no tensor (int), which no client can send | ${hint}`,
      `ML1005 ${head}its output 1 is no tensor (Dict[str, Tensor]), which no client can read | ${hint}`,
    ]);
  });

  test('UINT16 for PyTorch', async () => {
    expect(await warned(workflow('exported-uint16.pt2', "backend: 'TORCH'"))).toEqual([
      `ML1005 ${head}its input 'x' is of type UINT16, which stores do not hand to PyTorch | export the model with int32 at this place`,
    ]);
  });

  test('batches for which the model has no room', async () => {
    const fixed = (options: string, size: number) =>
      warned({
        ...workflow('net.onnx', `backend: 'ONNX'${options}`),
        'net.onnx': oneOperator('Neg', 1, [size, 2], true),
      });
    const hint = 'leave out batchSize, or export the model with a first dimension that may vary (dynamic axes)';
    expect(await fixed(', batchSize: 8', 1)).toEqual([
      `ML1011 ${head}its input 'x' has 1 sample, no more and no less, so no batch of 8 can run | ${hint}`,
    ]);
    expect(await fixed(', batchSize: 8', 8)).toEqual([]);
    expect(await fixed('', 1)).toEqual([]);
    expect(await warned(workflow('exported-both.pt2', "backend: 'TORCH', batchSize: 4"))).toEqual([
      `ML1011 ${head}its input 'x' has 2 samples, no more and no less, so no batch of 4 can run | ${hint}`,
    ]);
    expect(await warned(workflow('exported.pt2', "backend: 'TORCH', batchSize: 4"))).toEqual([]);
  });
});

describe('batches that may never fill', () => {
  const options = (least: number, timeout = ', minBatchTimeout: 5') =>
    `backend: 'TORCH', batchSize: 64, minBatchSize: ${least}${timeout}`;
  const tooMany = (least: number, which: string, ranks: string, lower: number) =>
    `ML1010 ${head}minBatchSize is ${least}, and ${which} is seen by at most ${ranks} at once, each with one request at a time | lower minBatchSize to ${lower} or less, unless each request has several samples, which all count`;

  test('without a time-out, since the last requests wait for others', async () => {
    const tasks = "command('true').tasks(8)";
    expect(await warned(workflow('exported.pt2', options(4, ''), tasks))).toEqual([
      `ML1010 ${head}minBatchSize 4 has no minBatchTimeout, so the last requests wait for others that do not come | add minBatchTimeout, in milliseconds: minBatchTimeout: 10`,
    ]);
    expect(await warned(workflow('exported.pt2', options(1, ''), tasks))).toEqual([]);
  });

  test('for fewer ranks than requests', async () => {
    const tasks = "command('true').tasks(8)";
    expect(await warned(workflow('exported.pt2', options(8), tasks))).toEqual([]);
    expect(await warned(workflow('exported.pt2', options(9), tasks))).toEqual([
      tooMany(9, "store 'orchestrator'", '8 ranks', 8),
    ]);
  });

  const files = (chain: string): Files => ({ 'workflow.ts': source(chain), 'net.pt2': model('exported.pt2') });
  const add = (least: number) => `\n    .addMlModel('net', mlFile('net.pt2'), { ${options(least)} })`;

  test('counts all that run at the same time, and none that wait for their end', async () => {
    const chain = (least: number, after: string) =>
      `.orchestrator()\n  .model('m', command('true').tasks(8))${add(least)}\n  .model('n', command('true').tasks(4))${after}`;
    expect(await warned(files(chain(12, '')))).toEqual([]);
    expect(await warned(files(chain(12, ".after('m', 'started')")))).toEqual([]);
    expect(await warned(files(chain(12, ".after('m')")))).toEqual([tooMany(12, "store 'orchestrator'", '8 ranks', 8)]);
  });

  test('counts the members of an ensemble that run at the same time', async () => {
    const chain = (least: number, batch: string) =>
      `.orchestrator({ name: 'db' })${batch === '' ? '' : '.batch()'}\n  .ensemble('e', command('true').tasks(2)).params({ A: [1, 2, 3, 4] })${batch}${add(least)}`;
    expect(await warned(files(chain(8, '')))).toEqual([]);
    expect(await warned(files(chain(9, '')))).toEqual([tooMany(9, "store 'db'", '8 ranks', 8)]);
    const split = ".batch({ mode: 'array', maxConcurrent: 3 })";
    expect(await warned(files(chain(6, split)))).toEqual([]);
    expect(await warned(files(chain(7, split)))).toEqual([tooMany(7, "store 'db'", '6 ranks', 6)]);
  });

  test('counts the ranks of one node for a store on each node', async () => {
    const chain = (least: number) =>
      `\n  .model('m', command('true').tasks(8).tasksPerNode(4).nodes(2)).colocate({ uds: true })${add(least)}`;
    expect(await warned(files(chain(4)))).toEqual([]);
    expect(await warned(files(chain(5)))).toEqual([tooMany(5, "each store colocated with 'm'", '4 ranks', 4)]);
  });
});

test('the plan has what a model’s file tells, and preview and the warm-up read it there', async () => {
  const { plan } = await compileIn(workspace(workflow('exported.pt2', "backend: 'TORCH'")), 'slurm');
  expect(plan.stores[0]?.mlModels[0]?.header).toEqual({
    format: 'ExportedProgram',
    inputs: [{ name: 'x', dtype: 'FLOAT', shape: [null, 4] }],
    outputs: [{ name: 'relu', dtype: 'FLOAT', shape: [null, 2] }],
  });
});
