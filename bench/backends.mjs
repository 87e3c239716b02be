// Models and scripts of PyTorch, TensorFlow and LiteRT in a store, beside the framework alone in one Python process. PyTorch has one thread on
// both sides. After `npm run build`; the frameworks are those that the tests install.
// usage: node bench/backends.mjs [quick] [rate] [batches] [scripts] [start]
import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Client, tensor } from '../dist/runtime/client/index.js';
import { median, report } from './measure.mjs';
import { scratchFolder } from './measure-command.mjs';
import { startOrchestrator } from './orchestrator-parts.mjs';

const words = process.argv.slice(2);
const quick = words.includes('quick');
const asked = words.filter((word) => word !== 'quick');
const wanted = (/** @type {string} */ part) => asked.length === 0 || asked.includes(part);
const blocks = quick ? 5 : 15;

const root = fileURLToPath(new URL('..', import.meta.url));
const python = [process.env['SIMWRIGHT_TEST_VENV'] ?? '', join(root, 'node_modules/.cache/simwright-frameworks')]
  .map((folder) => join(folder, 'bin/python'))
  .find((path) => existsSync(path));
const run = promisify(execFile);
const scratch = scratchFolder('backends');

/** Runs backends.py; returns what it prints. @param {readonly string[]} args */
async function ask(...args) {
  const env = { ...process.env, OMP_NUM_THREADS: '1', TF_CPP_MIN_LOG_LEVEL: '3', SR_LOG_LEVEL: 'QUIET' };
  const { stdout } = await run(python ?? '', [join(root, 'bench/backends.py'), ...args], { env, maxBuffer: 2 ** 26 });
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
}

/** A store with a Python, one thread a model. @param {string} path @param {readonly string[]} options */
const startWith = (path, ...options) =>
  startOrchestrator(
    '--python',
    path,
    '--intra-op-threads',
    '1',
    '--inter-op-threads',
    '1',
    '--log-level',
    'warn',
    ...options,
  );

/** @param {{ port: number }} store */
const connect = ({ port }) => Client.connect({ env: { SSDB: `127.0.0.1:${port}`, SR_DB_TYPE: 'Standalone' } });

const model = (/** @type {string} */ name) => readFileSync(join(scratch, name));
const ms = (/** @type {number} */ seconds) => `${(seconds * 1000).toFixed(2)} ms`;
const mib = (/** @type {number} */ bytes) => `${Math.round(bytes / 2 ** 20)} MiB`;

/** Runs a job over and over in each of so many connections for a while; returns runs a second. @param {readonly Client[]} clients @param {number} seconds @param {(client: Client, index: number) => Promise<void>} job */
async function rateOf(clients, seconds, job) {
  let count = 0;
  const start = performance.now();
  const end = start + seconds * 1000;
  await Promise.all(
    clients.map(async (client, index) => {
      while (performance.now() < end) {
        await job(client, index);
        count += 1;
      }
    }),
  );
  return (count * 1000) / (performance.now() - start);
}

async function rate() {
  const store = await startWith(python ?? '', '--preload-backends', 'TORCH');
  const { digits, tiny } = await ask('rates', `127.0.0.1:${store.port}`, scratch, String(blocks));
  const clients = await Promise.all([connect(store), connect(store)]);
  const both = await rateOf(clients, 3, (client, index) => client.runModel('digits', 'digits.x', `y${index}`));
  await Promise.all(clients.map((client) => client.close()));
  await store.stop();
  const column = (/** @type {number} */ index) => median(digits.map((/** @type {number[]} */ row) => row[index]));
  const [stored, whole, alone] = [column(0), column(1), column(2)];
  const detail = `${ms(stored)} : ${ms(alone)}`;
  report('a PyTorch model, rate in the store to alone', alone / stored, '>= 0.9', detail);
  report('the same for two clients at once', both * alone, '>= 0.9', `${ms(1 / both)} a run`);
  report('the same with its input put and its output got', alone / whole, '', ms(whole));
  const [own, bare] = [median(tiny[0]), median(tiny[1])];
  const more = (own - bare) * 1000;
  report('a tiny PyTorch model, p50 in the store less alone, ms', more, '<= 0.25', `${ms(own)} : ${ms(bare)}`);
}

async function batches() {
  const { gains } = await ask('batches', scratch);
  const alone = median(gains);
  const store = await startWith(python ?? '', '--preload-backends', 'TORCH');
  const clients = await Promise.all(Array.from({ length: 16 }, () => connect(store)));
  const [first] = clients;
  const blob = model('wide.pt');
  await first?.setModel('single', { backend: 'TORCH', device: 'CPU', blob });
  const batch = { batchSize: 16, minBatchSize: 16, minBatchTimeout: 20 };
  await first?.setModel('batched', { backend: 'TORCH', device: 'CPU', blob, ...batch });
  const rows = Float32Array.from({ length: 64 }, (_, index) => Math.sin(index));
  await Promise.all(clients.map((client, index) => client.putTensor(`x${index}`, tensor(rows, [1, 64]))));
  const ratios = [];
  const rates = { single: 0, batched: 0 };
  for (let round = 0; round <= (quick ? 3 : 8); round += 1) {
    for (const name of /** @type {const} */ (['single', 'batched'])) {
      rates[name] = await rateOf(clients, 0.7, (client, index) => client.runModel(name, `x${index}`, `y${index}`));
    }
    // PyTorch optimises in the first runs.
    if (round > 0) ratios.push(rates.batched / rates.single);
  }
  await Promise.all(clients.map((client) => client.close()));
  await store.stop();
  const detail = `${Math.round(rates.batched)}/s : ${Math.round(rates.single)}/s; alone ${alone.toFixed(1)} times`;
  report('16 clients of one PyTorch model, batched to single', median(ratios), alone >= 4 ? '>= 3' : '', detail);
}

async function scripts() {
  const bare = join(scratch, 'bare');
  execFileSync(python ?? '', ['-m', 'venv', '--without-pip', bare]);
  const stores = await Promise.all([
    startWith(join(bare, 'bin/python')),
    startWith(python ?? '', '--preload-backends', 'TORCH'),
  ]);
  const clients = await Promise.all(stores.map(connect));
  const source = `
def scaled(x, centre: float, width: float):
    return (x - centre) / width

def f(x):
    return torch.cat((scaled(x, x.mean(), x.std()), x.clamp(0, 1))).sum(1)
`;
  for (const rows of [4, 4096]) {
    const values = Float32Array.from({ length: rows * 64 }, (_, index) => Math.sin(index));
    for (const client of clients) {
      await client.setScript('script', 'CPU', source);
      await client.putTensor('x', tensor(values, [rows, 64]));
      await rateOf([client], 0.5, () => client.runScript('script', 'f', 'x', 'y'));
    }
    const pairs = [];
    for (let round = 0; round < blocks; round += 1) {
      const seconds = [];
      for (const client of clients) {
        const start = performance.now();
        for (let call = 0; call < 50; call += 1) await client.runScript('script', 'f', 'x', 'y');
        seconds.push((performance.now() - start) / 50 / 1000);
      }
      pairs.push(seconds);
    }
    const [compiled = 0, torch = 0] = [0, 1].map((side) => median(pairs.map((pair) => pair[side] ?? 0)));
    const what = `a script on [${rows}, 64], compiled to ONNX to PyTorch, rate`;
    report(what, torch / compiled, '', `${ms(compiled)} : ${ms(torch)}`);
  }
  await Promise.all(clients.map((client) => client.close()));
  await Promise.all(stores.map((store) => store.stop()));
}

/** Memory of the processes that a process has started, in bytes. @param {number} pid */
function residentOfChildren(pid) {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim().split(' ').filter(Boolean);
  const kibibytes = (/** @type {string} */ child) =>
    Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child}/status`, 'latin1'))?.[1] ?? 0);
  return children.reduce((sum, child) => sum + kibibytes(child) * 1024, 0);
}

async function start() {
  const keras = { inputs: ['x'], outputs: ['Identity'] };
  const backends = /** @type {const} */ ([
    ['TORCH', 'digits.pt', [1, 1, 28, 28], {}],
    ['TF', 'keras.pb', [1, 28, 28], keras],
    ['TFLITE', 'keras.tflite', [1, 28, 28], {}],
  ]);
  for (const [backend, file, shape, names] of backends) {
    const began = performance.now();
    const alone = await ask('alone', backend, scratch);
    const seconds = (performance.now() - began) / 1000;
    const up = performance.now();
    const store = await startWith(python ?? '', '--preload-backends', backend);
    const client = await connect(store);
    await client.setModel('m', { backend, device: 'CPU', blob: model(file), ...names });
    await client.putTensor('x', tensor(new Float32Array(784), [...shape]));
    await client.runModel('m', 'x', 'y');
    const own = (performance.now() - up) / 1000;
    const [resident, other] = [residentOfChildren(store.pid), alone.residentBytes];
    await client.close();
    await store.stop();
    const detail = `${own.toFixed(1)} s : ${seconds.toFixed(1)} s, of which its import ${alone.import.toFixed(1)} s`;
    report(`${backend}: up to the first answer, to Python alone`, own / seconds, '', detail);
    report(
      `${backend}: memory of its worker, to Python alone`,
      resident / other,
      '',
      `${mib(resident)} : ${mib(other)}`,
    );
  }
}

if (python === undefined) {
  console.log('no PyTorch and TensorFlow here: the tests install them where SIMWRIGHT_TEST_FRAMEWORKS is set');
} else {
  console.log(`${`models of other frameworks, on ${cpus().length} CPUs`.padEnd(58)} ${'ratio'.padStart(8)}  bar`);
  mkdirSync(scratch, { recursive: true });
  await ask('make', scratch);
  for (const [name, part] of Object.entries({ rate, batches, scripts, start })) if (wanted(name)) await part();
}
