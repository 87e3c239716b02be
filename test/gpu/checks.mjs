// Checks of test/gpu.sh, on the GPUs that PyTorch finds, or on CPUs that stand in for two. Exits 1 when a check fails.
// usage: node test/gpu/checks.mjs PYTHON
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client, tensor } from '../../dist/runtime/client/index.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const cli = join(root, 'dist/cli/main.js');
const python = process.argv[2] ?? 'python3';
// Inside the project, so that 'simwright' resolves to it.
mkdirSync(join(root, '.cache'), { recursive: true });
const scratch = mkdtempSync(join(root, '.cache/gpu-'));

/** @type {{ torch: string, gpus: number, name: string, providers: string[], input: number[], output: number[] }} */
const here = JSON.parse(
  execFileSync(python, [join(root, 'test/gpu/make.py'), scratch], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .at(-1) ?? '',
);
const maps = here.gpus === 0 ? ['GPU:0=CPU', 'GPU:1=CPU'] : here.gpus === 1 ? ['GPU:1=GPU:0'] : [];
const on = here.gpus === 0 ? 'with GPU:0 and GPU:1 mapped to the CPU: there is no GPU here' : `on ${here.name}`;
const canOnnx = here.gpus === 0 || here.providers.some((name) => /CUDA|ROCM|MIGraphX|TensorRT/i.test(name));

let passed = 0;
let failed = 0;
/** @param {string} name @param {() => Promise<string | void>} body throws if it fails; may say more */
async function check(name, body) {
  const start = performance.now();
  try {
    const more = await body();
    passed += 1;
    console.log(`ok      ${name} (${Math.round(performance.now() - start)} ms)${more ? `: ${more}` : ''}`);
  } catch (error) {
    failed += 1;
    console.log(`FAILED  ${name}: ${error instanceof Error ? error.message : error}`);
  }
}

/** @param {Iterable<number | bigint>} values @param {readonly number[]} wanted */
function expectClose(values, wanted) {
  const numbers = [...values].map(Number);
  const isClose =
    numbers.length === wanted.length && numbers.every((value, i) => Math.abs(value - (wanted[i] ?? 0)) < 1e-3);
  if (!isClose) throw new Error(`got ${numbers.slice(0, 4)}…, not ${wanted.slice(0, 4)}…`);
}

/** @param {Promise<unknown>} call @param {RegExp} text */
async function expectRefusal(call, text) {
  const said = await call.then(
    () => 'no error',
    (/** @type {Error} */ error) => error.message,
  );
  if (!text.test(said)) throw new Error(`it said: ${said}`);
  return said;
}

/** The store, with the client and what it logs. */
async function startStore() {
  const options = ['--port', '0', '--json', '--python', python, '--preload-backends', 'TORCH'];
  const words = [cli, 'orchestrator', ...options, ...maps.flatMap((pair) => ['--map-device', pair])];
  const child = spawn(process.execPath, words, { cwd: scratch, stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  child.stderr.on('data', (text) => {
    log += text;
  });
  let output = '';
  await new Promise((resolve, reject) => {
    child.stdout.on('data', (text) => {
      output += text;
      if (output.includes('\n')) resolve(undefined);
    });
    child.on('exit', (code) => reject(new Error(`the store has ended with ${code}: ${log}`)));
  });
  child.removeAllListeners('exit');
  const client = await Client.connect({ env: { SSDB: JSON.parse(output).addresses[0], SR_DB_TYPE: 'Standalone' } });
  const stop = async () => {
    await client.close();
    const ended = new Promise((resolve) => child.on('exit', resolve));
    child.kill('SIGTERM');
    await ended;
  };
  return { client, stop };
}

const file = (/** @type {string} */ name) => readFileSync(join(scratch, name));
const onnx = readFileSync(join(root, 'test/runtime/orchestrator/models/double.onnx'));
const source = `
def f(a, b):
    return torch.sqrt(a * a + b * b), torch.cat((a, b)).sum(0).unsqueeze(0)
`;

const { client, stop } = await startStore();
await client.putTensor('x', tensor(Float32Array.from(here.input), [6, 16]));

for (const device of ['CPU', 'GPU', 'GPU:0', 'GPU:1']) {
  for (const name of ['network.pt', 'network.pt2']) {
    if (!existsSync(join(scratch, name))) continue;
    await check(`TORCH ${name} on ${device}`, async () => {
      await client.setModel('m', { backend: 'TORCH', device, blob: file(name) });
      await client.runModel('m', 'x', 'y');
      expectClose((await client.getTensor('y')).data, here.output);
      await client.deleteModel('m');
    });
  }
  await check(`a script on ${device}`, async () => {
    await client.setScript('s', device, source);
    await client.putTensor('a', tensor(Float32Array.of(3, 6), [2]));
    await client.putTensor('b', tensor(Float32Array.of(4, 8), [2]));
    await client.runScript('s', 'f', ['a', 'b'], ['length', 'sum']);
    expectClose((await client.getTensor('length')).data, [5, 10]);
    expectClose((await client.getTensor('sum')).data, [21]);
  });
  await check(`ONNX on ${device}`, async () => {
    await client.putTensor('z', tensor(Float32Array.of(1, 2, 3, 4), [2, 2]));
    const store = () => client.setModel('o', { backend: 'ONNX', device, blob: onnx });
    if (device !== 'CPU' && !canOnnx) return `not run: ${await expectRefusal(store(), /GPU requested but ONNX/)}`;
    await store();
    await client.runModel('o', 'z', 'w');
    expectClose((await client.getTensor('w')).data, [2, 4, 6, 8]);
  });
}

if (here.gpus > 0) {
  await check('the worker is on a GPU', async () => {
    const info = JSON.stringify(await client.info());
    if (!/device=(GPU|cuda):0/.test(info)) throw new Error(`INFO says ${/workers?":[^}]*/.exec(info)?.[0]}`);
  });
}

await check('a model and a script of several GPUs, by the clients’ conventions', async () => {
  const gpus = { firstGpu: 0, gpus: 2 };
  await client.setModelMultiGpu('many', { backend: 'TORCH', blob: file('network.pt'), ...gpus });
  await client.setScriptMultiGpu('scripts', source, gpus);
  for (const offset of [0, 1, 2]) {
    await client.runModelMultiGpu('many', 'x', `y${offset}`, { ...gpus, offset });
    expectClose((await client.getTensor(`y${offset}`)).data, here.output);
    await client.runScriptMultiGpu('scripts', 'f', ['a', 'b'], ['length', `sum${offset}`], { ...gpus, offset });
    expectClose((await client.getTensor(`sum${offset}`)).data, [21]);
  }
  const calls = await Promise.all(['many.GPU:0', 'many.GPU:1'].map(async (key) => (await client.aiInfo(key))['calls']));
  if (calls.join() !== '2,1') throw new Error(`calls of the copies: ${calls}`);
});

await check('a device that does not exist is refused', async () => {
  const blob = file('network.pt');
  return expectRefusal(client.setModel('no', { backend: 'TORCH', device: 'GPU:15', blob }), /GPU|device/i);
});
await stop();

await check('a workflow with copies from the second GPU on, loaded before it starts', async () => {
  writeFileSync(
    join(scratch, 'workflow.ts'),
    `import { command, experiment, mlFile, scriptText } from 'simwright';
export default experiment('gpus')
  .model('app', command('node', 'app.mjs'))
    .attach({ copy: 'app.mjs' })
    .colocate({ uds: true })
    .addMlModel('network', mlFile('network.pt'), { backend: 'TORCH', device: 'GPU', firstDevice: 1, devicesPerNode: ${here.gpus > 2 ? 2 : 1} })
    .addScript('lengths', scriptText(${JSON.stringify(source)}), { device: 'GPU', firstDevice: 1 });
`,
  );
  writeFileSync(
    join(scratch, 'app.mjs'),
    `import { Client, tensor } from 'simwright/client';
const client = await Client.connect();
await client.putTensor('x', tensor(Float32Array.from(${JSON.stringify(here.input)}), [6, 16]));
await client.runModelMultiGpu('network', 'x', 'y', { firstGpu: 1, gpus: 1, offset: 0 });
await client.putTensor('a', tensor(Float32Array.of(3, 6), [2]));
await client.runScriptMultiGpu('lengths', 'f', ['a', 'a'], ['length', 'sum'], { firstGpu: 1, gpus: 1, offset: 0 });
console.log(JSON.stringify([...(await client.getTensor('y')).data]), ...(await client.getTensor('sum')).data);
await client.close();
`,
  );
  const words = [cli, 'run', 'workflow.ts', '--out', 'out', ...maps.flatMap((pair) => ['--map-device', pair])];
  const env = { ...process.env, SIMWRIGHT_PYTHON: python };
  const output = execFileSync(process.execPath, words, { cwd: scratch, env, encoding: 'utf8', stdio: 'pipe' });
  const [values = '[]', sum] = output.trim().split('\n').at(-1)?.split(' ') ?? [];
  expectClose(JSON.parse(values), here.output);
  if (sum !== '18') throw new Error(`the script answered ${sum}`);
});

rmSync(scratch, { recursive: true, force: true });
console.log(`${passed} passed, ${failed} failed, PyTorch ${here.torch}, ${on}`);
process.exitCode = failed === 0 ? 0 : 1;
