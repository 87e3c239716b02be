// How long the orchestrator's event loop stands still under the worst mix of work, beside the same probe in an idle one, at the same time.
// usage: node bench/orchestrator-stall.mjs [SECONDS]
import { fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { network } from './onnx-network.mjs';

const resolutionMs = 5;
const bars = { p999: 20, max: 150 };
const mib = 1024 * 1024;
const slowModel = fileURLToPath(new URL('../test/runtime/orchestrator/models/slow.onnx', import.meta.url));

/** The store's process: starts, says where, and tells its delays when asked. */
async function store() {
  const { startOrchestrator } = await import('../dist/runtime/orchestrator/index.js');
  const onnxRuntime = dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json'));
  const orchestrator = await startOrchestrator({
    listen: [{ kind: 'tcp', host: '127.0.0.1', port: 0 }],
    onnxRuntime,
    intraOpThreads: 1,
  });
  const delay = monitorEventLoopDelay({ resolution: resolutionMs });
  process.on('message', (word) => {
    if (word === 'begin') {
      delay.enable();
      delay.reset();
    } else {
      const ms = (/** @type {number} */ nanos) => Math.max(0, nanos / 1e6 - resolutionMs);
      const [p50, p99, p999] = [50, 99, 99.9].map((percent) => ms(delay.percentile(percent)));
      process.send?.({
        p50,
        p99,
        p999,
        max: ms(delay.max),
        samples: delay.count,
        rss: process.memoryUsage.rss() / mib,
      });
    }
  });
  process.send?.({ port: Number(orchestrator.addresses[0]?.split(':').at(-1)) });
}

async function startStore() {
  const child = fork(fileURLToPath(import.meta.url), ['store']);
  const hear = () => new Promise((resolve) => child.once('message', resolve));
  const { port } = await hear();
  return {
    port,
    begin: () => child.send('begin'),
    delays: () => {
      child.send('tell');
      return hear();
    },
    stop: () => child.kill('SIGKILL'),
  };
}

/**
 * @param {number} port
 * @param {(client: Redis, round: number) => Promise<unknown>} work repeated until `stopped`
 * @param {() => boolean} stopped
 */
async function repeat(port, work, stopped) {
  const client = new Redis(port);
  let round = 0;
  for (; !stopped(); round += 1) await work(client, round);
  client.disconnect();
  return round;
}

async function main(/** @type {number} */ seconds) {
  const [loaded, idle] = await Promise.all([startStore(), startStore()]);
  const setUp = new Redis(loaded.port);
  const large = Buffer.alloc(1024 * mib, 1);
  const model = network(8000, 8000, 8000);
  await setUp.call('AI.MODELSTORE', 'slow', 'ONNX', 'CPU', 'BLOB', readFileSync(slowModel));
  await setUp.call('AI.TENSORSET', 'field', 'FLOAT', '256', '256');
  await setUp.call('AI.TENSORSET', 'rounds', 'INT64', '1', 'VALUES', '8000');
  await setUp.call('AI.MODELSTORE', 'tiny', 'ONNX', 'CPU', 'BLOB', network(16, 64, 64, 8));
  await setUp.call('AI.MODELSTORE', 'wide', 'ONNX', 'CPU:1', 'BLOB', network(16, 1));
  await setUp.call('AI.TENSORSET', 'x', 'FLOAT', '1', '16');
  setUp.disconnect();

  let stop = false;
  const stopped = () => stop;
  const { port } = loaded;
  const works = {
    'runs of 2 s': (/** @type {Redis} */ client) =>
      client.call('AI.MODELEXECUTE', 'slow', 'INPUTS', '2', 'rounds', 'field', 'OUTPUTS', '1', 'out'),
    'models of 512 MiB loaded': (/** @type {Redis} */ client, /** @type {number} */ round) =>
      client.call('AI.MODELSTORE', 'large', 'ONNX', 'CPU:2', 'TAG', String(round), 'BLOB', model),
    'tensors of 1 GiB put, run and deleted': async (/** @type {Redis} */ client) => {
      await client.call('AI.TENSORSET', 'g', 'FLOAT', String(16 * mib), '16', 'BLOB', large);
      await client.call('AI.MODELEXECUTE', 'wide', 'INPUTS', '1', 'g', 'OUTPUTS', '1', 'h');
      await client.del('g');
    },
    'tensors of 256 MiB of BOOL put and got': async (/** @type {Redis} */ client) => {
      await client.call('AI.TENSORSET', 'b', 'BOOL', String(256 * mib), 'BLOB', large.subarray(0, 256 * mib));
      await client.callBuffer('AI.TENSORGET', 'b', 'BLOB');
    },
    'tiny runs': async (/** @type {Redis} */ client) => {
      await client.call('AI.TENSORSET', 'x', 'FLOAT', '1', '16', 'BLOB', large.subarray(0, 64));
      await client.call('AI.MODELEXECUTE', 'tiny', 'INPUTS', '1', 'x', 'OUTPUTS', '1', 'y');
      await client.call('AI.TENSORGET', 'y', 'META', 'BLOB');
    },
  };
  const counts = Promise.all(
    Object.entries(works).map(async ([name, work]) => `${name}: ${await repeat(port, work, stopped)}`),
  );
  loaded.begin();
  idle.begin();
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  const [busy, quiet] = await Promise.all([loaded.delays(), idle.delays()]);
  stop = true;
  console.log((await counts).join('; '));
  const show = (/** @type {string} */ name, /** @type {Record<string, number>} */ delays) =>
    console.log(
      name.padEnd(8),
      Object.entries(delays)
        .map(([key, ms]) => `${key} ${ms.toFixed(1)}`)
        .join('  '),
    );
  show('loaded', busy);
  show('idle', quiet);
  for (const [name, bar] of Object.entries(bars)) {
    const value = busy[name];
    console.log(`${name} of the loaded one: ${value.toFixed(1)} ms, bar ${bar} ms: ${value <= bar ? 'met' : 'MISSED'}`);
  }
  loaded.stop();
  idle.stop();
}

if (process.argv[2] === 'store') await store();
else await main(Number(process.argv[2] ?? 60));
