// Stores on a server beside the same server without the module, and beside the embedded store, as ratios with their bars: medians of
// rounds in which the sides run in turn. After `npm run build`; a C compiler, a server, and redis-benchmark, which asks the questions.
// usage: node bench/redis.mjs [quick] [data] [models]     SIMWRIGHT_ENGINE_SERVER names the server
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildModule } from '../dist/cli/engine-install/build-module.js';
import { Client } from '../dist/runtime/client/index.js';
import { askServer, isNewEnough, serverPaths } from '../dist/runtime/engine/find-engine.js';
import { RedisStore } from '../dist/runtime/engine/redis-store.js';
import { ServerProcess } from '../dist/runtime/engine/server-process.js';
import { freePort } from '../dist/runtime/supervisor/free-port.js';
import { median, report } from './measure.mjs';

const words = process.argv.slice(2);
const quick = words.includes('quick');
const asked = words.filter((word) => word !== 'quick');
const wanted = (/** @type {string} */ part) => asked.length === 0 || asked.includes(part);
const rounds = quick ? 3 : 5;
const scratch = mkdtempSync(join(tmpdir(), 'simwright-bench-'));

/**
 * Requests a second that redis-benchmark counts.
 * @param {number} port
 * @param {number} clients
 * @param {number} count
 * @param {readonly string[]} command
 * @param {Buffer} [last] the command's last word
 * @returns {Promise<number>}
 */
function rateOf(port, clients, count, command, last) {
  const options = ['-p', String(port), '-c', String(clients), '-n', String(count), '--csv', ...(last ? ['-x'] : [])];
  const child = spawn('redis-benchmark', [...options, ...command], { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(last ?? '');
  let text = '';
  child.stdout?.on('data', (chunk) => {
    text += chunk;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', () => {
      const row = text.trim().split('\n').at(-1) ?? '';
      const rate = Number(/^"[^"]*","([\d.]+)"/.exec(row)?.[1]);
      if (Number.isFinite(rate)) resolve(rate);
      else reject(new Error(`redis-benchmark said: ${text}`));
    });
  });
}

/**
 * Median ratio of two rates, measured in turn.
 * @param {() => Promise<number>} one
 * @param {() => Promise<number>} other
 */
async function ratioOf(one, other) {
  const ratios = [];
  const rates = /** @type {[number[], number[]]} */ ([[], []]);
  for (let round = 0; round < rounds; round += 1) {
    const [above, below] = [await one(), await other()];
    rates[0].push(above);
    rates[1].push(below);
    ratios.push(above / below);
  }
  return {
    ratio: median(ratios),
    detail: `${Math.round(median(rates[0]))}/s beside ${Math.round(median(rates[1]))}/s`,
  };
}

const { path: module } = await buildModule({ folder: scratch });
const found = await Promise.all(serverPaths({ env: process.env }).map(askServer));
const server = found.find((one) => one !== undefined && isNewEnough(one));
if (server === undefined) throw new Error('there is no server here that is new enough');
console.log(`${server.kind} ${server.version}, ${rounds} rounds`);
const store = await RedisStore.start({
  programs: { server, module },
  hasWorker: true,
  bundle: new URL('../dist/bundle/simwright.mjs', import.meta.url),
  onDeath: (reason) => console.error(reason),
  store: { listen: [{ kind: 'tcp', host: '127.0.0.1', port: 0 }], ...onnx() },
});
const port = Number(store.addresses[0]?.split(':').at(-1));

function onnx() {
  return { onnxRuntime: new URL('../node_modules/onnxruntime-node', import.meta.url).pathname };
}

if (wanted('data')) {
  const plainPort = await freePort();
  const plain = new ServerProcess(
    server.path,
    `port ${plainPort}\nbind 127.0.0.1\nsave ""\ndir ${scratch}\n`,
    () => undefined,
  );
  await (await plain.answering(`127.0.0.1:${plainPort}`)).close();
  for (const [bytes, clients, bar] of /** @type {const} */ ([
    [1024, 1, '>= 0.9'],
    [1024, 16, '>= 0.9'],
    [65536, 1, '>= 0.95'],
    [65536, 16, '>= 0.95'],
    [1048576, 1, '>= 0.95'],
    [1048576, 16, '>= 0.95'],
  ])) {
    const data = Buffer.alloc(bytes, 'x');
    const count = Math.round(Math.min(40_000, 2e9 / bytes) / (quick ? 4 : 1) / (clients === 1 ? 2 : 1));
    const size = `${bytes / 1024} KiB, ${clients} clients`;
    const put = await ratioOf(
      () => rateOf(port, clients, count, ['AI.TENSORSET', 'k', 'FLOAT', String(bytes / 4), 'BLOB'], data),
      () => rateOf(plainPort, clients, count, ['SET', 'k'], data),
    );
    report(`AI.TENSORSET beside SET, ${size}`, put.ratio, bar, put.detail);
    const get = await ratioOf(
      () => rateOf(port, clients, count, ['AI.TENSORGET', 'k', 'META', 'BLOB']),
      () => rateOf(plainPort, clients, count, ['GET', 'k']),
    );
    report(`AI.TENSORGET beside GET, ${size}`, get.ratio, bar, get.detail);
  }
  await plain.stop();
}

if (wanted('models')) {
  const embedded = await startEmbedded();
  const model = readFileSync(new URL('../test/runtime/orchestrator/models/double.onnx', import.meta.url));
  for (const one of [port, embedded.port]) {
    const client = await Client.connect({ env: { SSDB: `127.0.0.1:${one}`, SR_DB_TYPE: 'Standalone' } });
    await client.setModel('tiny', { backend: 'ONNX', device: 'CPU', blob: model });
    await client.close();
    await rateOf(one, 1, 100, ['AI.TENSORSET', 'x', 'FLOAT', '1', '2', 'VALUES', '1', '2']);
  }
  for (const [clients, bar] of /** @type {const} */ ([
    [1, '>= 0.67'],
    [8, '>= 0.7'],
  ])) {
    const command = ['AI.MODELEXECUTE', 'tiny', 'INPUTS', '1', 'x', 'OUTPUTS', '1', 'y'];
    const count = quick ? 10_000 : 40_000;
    const { ratio, detail } = await ratioOf(
      () => rateOf(port, clients, count, command),
      () => rateOf(embedded.port, clients, count, command),
    );
    report(`tiny model beside the embedded store, ${clients} clients`, ratio, bar, detail);
  }
  await embedded.stop();
}

async function startEmbedded() {
  const main = new URL('../dist/cli/main.js', import.meta.url).pathname;
  const one = await freePort();
  const child = spawn(process.execPath, [main, 'orchestrator', '--port', String(one)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await new Promise((resolve) => child.stdout?.once('data', resolve));
  return {
    port: one,
    stop: () => {
      child.kill();
      return new Promise((resolve) => child.once('exit', resolve));
    },
  };
}

await store.close();
rmSync(scratch, { recursive: true });
process.exit(0);
