import { chmodSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { simwright } from '../helpers/simwright.js';
import { Workspace } from '../helpers/workspace.js';
import { field } from '../runtime/orchestrator/support/onnx.js';
import { onnxRuntime } from '../runtime/orchestrator/support/start.js';
import { root } from './support/compile-fixture.js';
import { compileIn, problemsOf, shown, source, workspace } from './support/workspace.js';

const models = join(root, 'test/runtime/orchestrator/models');
/** Made by onnx.save(…, save_as_external_data=True): weights of the graph, of a constant and of a branch are in the file of data. */
const graph = readFileSync(join(models, 'external.onnx'));
const data = readFileSync(join(models, 'external.onnx.data'));

const chain =
  "\n  .orchestrator()\n  .model('m', command('true')).addMlModel('net', mlFile('nets/external.onnx'), { backend: 'ONNX' })";
const files = { 'workflow.ts': source(chain), 'nets/external.onnx': graph, 'nets/external.onnx.data': data };

/** Bytes of the model that a workflow in `folder` compiles to. */
async function modelIn(folder: string) {
  const { plan, files: written } = await compileIn(folder);
  const path = plan.stores[0]?.mlModels[0]?.artifact ?? '';
  const file = written.find((one) => one.path === path);
  const { content } = file ?? {};
  if (typeof content !== 'object' || !('bytes' in content)) throw new Error(`${path} has no bytes of its own`);
  return { path, mode: file?.mode, bytes: Buffer.from(content.bytes) };
}

async function problemsWith(changed: Readonly<Record<string, string | Uint8Array>>, change?: (folder: string) => void) {
  const folder = workspace({ ...files, ...changed });
  change?.(folder);
  return shown(await problemsOf(() => compileIn(folder)), folder);
}

const inOnePiece =
  'export the model in one piece: torch.onnx.export(…, external_data=False), or onnx.save(model, path, save_as_external_data=False)';

test('a model and the file of its weights become one model, as open as the less open of both', async () => {
  const folder = workspace(files);
  chmodSync(join(folder, 'nets/external.onnx.data'), 0o600);
  const { path, mode, bytes } = await modelIn(folder);
  expect(path).toMatch(/^artifacts\/[0-9a-f]{16}-external\.onnx$/);
  expect(mode).toBe(0o600);
  expect(bytes.includes(data.subarray(0, 16))).toBe(true);
  expect(bytes.includes('external.onnx.data')).toBe(false);
  expect((await modelIn(folder)).path).toBe(path);
  // Another file of weights is another model.
  writeFileSync(join(folder, 'nets/external.onnx.data'), Buffer.from(data).fill(0, 0, 4));
  expect((await modelIn(folder)).path).not.toBe(path);
});

test('files of weights may be links, as in the caches of those who hand out models', async () => {
  const folder = workspace({
    ...files,
    'nets/external.onnx': '',
    'nets/external.onnx.data': '',
    'blobs/g': graph,
    'blobs/d': data,
  });
  for (const [link, blob] of [
    ['external.onnx', 'g'],
    ['external.onnx.data', 'd'],
  ] as const) {
    const path = join(folder, 'nets', link);
    rmSync(path);
    symlinkSync(`../blobs/${blob}`, path);
  }
  expect((await modelIn(folder)).bytes.includes(data.subarray(0, 16))).toBe(true);
});

describe('what cannot be taken along is told with its place', () => {
  const head = "ML1004 workflow.ts:5:32 .addMlModel('net'): nets/external.onnx: ";

  test('a file of weights that is missing', async () => {
    const { 'nets/external.onnx.data': _data, ...rest } = files;
    const folder = workspace(rest);
    expect(shown(await problemsOf(() => compileIn(folder)), folder)).toEqual([
      `${head}the data of tensor 'b' are in nets/external.onnx.data, which is no file | put it beside the model, or ${inOnePiece}`,
    ]);
  });

  test('one that is cut short', async () => {
    expect(await problemsWith({}, (folder) => truncateSync(join(folder, 'nets/external.onnx.data'), 20))).toEqual([
      expect.stringMatching(
        /^ML1004 .*external\.onnx\.data has 20 bytes, and tensor '\w+' is in bytes \d+ to \d+ \| the file is cut short, or of another model: export the model again$/,
      ),
    ]);
  });

  test.each(['../../secret.key.txt', '/etc/hostname/../x'])('one that is elsewhere: %s', async (location) => {
    // As long as the name in the file, so that no length in it changes.
    const bytes = Buffer.from(
      graph.toString('latin1').replaceAll('external.onnx.data', location.slice(0, 18).padEnd(18, 'x')),
      'latin1',
    );
    const found = await problemsWith({ 'nets/external.onnx': bytes, 'secret.key.txt': 'secret' });
    expect(found).toEqual([
      expect.stringMatching(/^ML1004 .*, which is not beside the model \| export the model in one piece/),
    ]);
  });

  test('a model in memory', async () => {
    const before = "import { readFileSync } from 'node:fs';";
    const bytes = `.orchestrator()\n  .model('m', command('true')).addMlModel('net', mlBytes(readFileSync('${models}/external.onnx')), { backend: 'ONNX' })`;
    expect(await problemsWith({ 'workflow.ts': source(bytes, before) })).toEqual([
      `ML1004 workflow.ts:4:32 .addMlModel('net'): the model in memory: the data of tensor 'b' are in a file 'external.onnx.data', and a model given as bytes has no files beside it | give the model with mlFile(), or ${inOnePiece}`,
    ]);
  });

  test('a model that is too large with its weights: 2 GiB is the most', async () => {
    // Its shape is 2^29 floats; the file of weights has as many, all of them holes.
    const location = Buffer.concat([field(1, 'location'), field(2, 'w')]);
    const tensor = [field(1, 2 ** 29), field(2, 1), field(8, 'W'), field(13, location), field(14, 1)];
    const value = (name: string) => Buffer.concat([field(1, name), field(2, field(1, field(1, 1)))]);
    const parts = [field(2, 'g'), field(5, Buffer.concat(tensor)), field(11, value('x')), field(12, value('y'))];
    const large = Buffer.concat([field(1, 8), field(7, Buffer.concat(parts))]);
    const found = await problemsWith({ 'nets/external.onnx': large, 'nets/w': '' }, (folder) =>
      truncateSync(join(folder, 'nets/w'), 2 ** 31),
    );
    expect(found).toEqual([
      `${head}with its external data it has 2.0 GiB, and a model that is sent to a store has less than 2 | export it in half precision or quantized, or split it into several models`,
    ]);
  });
});

test.skipIf(onnxRuntime === undefined)('a store runs it (skipped where onnxruntime-node is missing)', async () => {
  const folder = new Workspace();
  folder.workflow(
    "experiment('external')\n  .orchestrator()\n  .model('user', command('node', 'user.mjs')).attach({ copy: 'user.mjs' })\n  .addMlModel('net', mlFile('external.onnx'), { backend: 'ONNX' })",
  );
  folder.write('external.onnx', graph);
  folder.write('external.onnx.data', data);
  folder.write(
    'user.mjs',
    `import { Client, tensor } from 'simwright/client';
const client = await Client.connect();
await client.putTensor('x', tensor(Float32Array.of(1, 1, 0, 2), [2, 2]));
await client.runModel('net', ['x'], ['y']);
console.log([...(await client.getTensor('y')).data].join(' '));
await client.close();
`,
  );
  const end = await simwright(folder, 'run', 'workflow.ts');
  // x W + b and what the branch adds: (4, 6) and (6, 8), (10, 20), (1000, 2000).
  expect([end.stdout, end.exitCode]).toEqual(['1014 2026 1016 2028\n', 0]);
});
