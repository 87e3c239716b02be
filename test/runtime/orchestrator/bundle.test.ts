import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { onnxRuntime } from './support/start.js';

const source = (path: string) => fileURLToPath(new URL(`../../../src/${path}`, import.meta.url));
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'simwright-bundle-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** One file that is the store, its inference thread and a client, as the runtime's bundle is. */
const entry = `
  import { isMainThread, workerData } from 'node:worker_threads';
  import { runInferenceWorker, startOrchestrator } from ${JSON.stringify(source('runtime/orchestrator/index.ts'))};
  import { Client, tensor } from ${JSON.stringify(source('runtime/client/index.ts'))};
  import { readFileSync } from 'node:fs';

  if (!isMainThread && workerData?.simwright === 'inference') runInferenceWorker();
  else {
    const [model, onnxRuntime] = process.argv.slice(2);
    const orchestrator = await startOrchestrator({
      listen: [{ kind: 'tcp', host: '127.0.0.1', port: 0 }],
      onnxRuntime,
      workerUrl: new URL(import.meta.url),
    });
    const client = await Client.connect({ env: { SSDB: orchestrator.addresses[0] } });
    await client.setModel('m', { backend: 'ONNX', device: 'CPU', blob: readFileSync(model) });
    await client.putTensor('x', tensor(Float32Array.from([1, 2]), [1, 2]));
    await client.runModel('m', 'x', 'y');
    console.log(JSON.stringify([...(await client.getTensor('y', 'FLOAT')).data]));
    await client.close();
    await orchestrator.close();
  }
`;

test.skipIf(onnxRuntime === undefined)('store, inference thread and client work from one bundled file', async () => {
  const input = join(folder, 'entry.ts');
  const outfile = join(folder, 'bundle.mjs');
  writeFileSync(input, entry);
  await build({
    entryPoints: [input],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    logLevel: 'error',
    banner: { js: "import { createRequire as banner } from 'node:module'; const require = banner(import.meta.url);" },
  });
  const model = fileURLToPath(new URL('./models/double.onnx', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [outfile, model, onnxRuntime ?? ''], { cwd: folder });
  expect(JSON.parse(stdout)).toEqual([2, 4]);
});
