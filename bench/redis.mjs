// Stores on a server beside the same server without the module, and beside the embedded store, as ratios with their bars: medians of
// rounds in which the sides run in turn. After `npm run build`; a C compiler, a server, and redis-benchmark, which asks the questions.
// usage: node bench/redis.mjs [quick] [data] [models] [faults] [read]     SIMWRIGHT_ENGINE_SERVER names the server
import { execFileSync, spawn } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { Redis } from 'ioredis';
import { Client } from '../dist/runtime/client/index.js';
import { askServer } from '../dist/runtime/engine/find-engine.js';
import { RedisStore } from '../dist/runtime/engine/redis-store.js';
import { ServerProcess } from '../dist/runtime/engine/server-process.js';
import { freePort } from '../dist/runtime/supervisor/free-port.js';
import { median, report } from './measure.mjs';
import { network } from './onnx-network.mjs';
import { found, measure, module, quick, rateOf, ratioOf, rounds, scratch, server, wanted } from './redis-benchmark.mjs';

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
  return { onnxRuntime: new URL('../node_modules/onnxruntime-node', import.meta.url).pathname, intraOpThreads: 1 };
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

/**
 * Puts models and their inputs into a store.
 * @param {number} one
 */
async function fill(one) {
  const client = await Client.connect({ env: { SSDB: `127.0.0.1:${one}`, SR_DB_TYPE: 'Standalone' } });
  for (const [name, file] of [
    ['tiny', 'double'],
    ['slow', 'slow'],
  ]) {
    const blob = readFileSync(new URL(`../test/runtime/orchestrator/models/${file}.onnx`, import.meta.url));
    await client.setModel(name, { backend: 'ONNX', device: 'CPU', blob });
  }
  await client.close();
  const tensors = [
    ['x', 'FLOAT', '1', '2', 'VALUES', '1', '2'],
    ['matrix', 'FLOAT', '256', '256'],
    ['once', 'INT64', '1', 'VALUES', '1'],
    ['some', 'INT64', '1', 'VALUES', '100'],
  ];
  for (const words of tensors) await rateOf(one, 1, 1, ['AI.TENSORSET', ...words]);
  // So many rounds that a run takes 0.6 s.
  const { p50 } = await measure(one, 1, 3, slow('some'));
  await rateOf(one, 1, 1, ['AI.TENSORSET', 'often', 'INT64', '1', 'VALUES', String(Math.ceil((100 * 600) / p50))]);
}

/** Milliseconds of a run of the dear networks: longer than one that the main thread of either store keeps to itself. */
const dearMs = 1.5;

/**
 * Puts networks into stores, and as many rows of their inputs that a run takes {@link dearMs} in the first of them: one with small inputs
 * and outputs, and one with large ones, a row of which is 4 KiB each.
 * @param {readonly number[]} ports
 */
async function fillNetworks(ports) {
  const [first = 0] = ports;
  const kibibytes = [];
  for (const [name, widths] of /** @type {const} */ ([
    ['narrow', [16, 512, 512, 512, 8]],
    ['wide', [1024, 256, 1024]],
  ])) {
    for (const one of ports) {
      const client = await Client.connect({ env: { SSDB: `127.0.0.1:${one}`, SR_DB_TYPE: 'Standalone' } });
      await client.setModel(name, { backend: 'ONNX', device: 'CPU', blob: network(...widths) });
      await client.close();
    }
    const rowsOf = (/** @type {number} */ rows) => [
      'AI.TENSORSET',
      `rows-${name}`,
      'FLOAT',
      String(rows),
      String(widths[0]),
    ];
    await rateOf(first, 1, 1, rowsOf(64));
    await rateOf(first, 1, 100, ofNetwork(name));
    const { p50 } = await measure(first, 1, 200, ofNetwork(name));
    const rows = Math.ceil((64 * dearMs) / p50);
    for (const one of ports) await rateOf(one, 1, 1, rowsOf(rows));
    kibibytes.push((rows * widths[0] * 4) / 1024);
  }
  return kibibytes;
}

const tiny = ['AI.MODELEXECUTE', 'tiny', 'INPUTS', '1', 'x', 'OUTPUTS', '1', 'y'];
/** @param {string} rounds */
const slow = (rounds) => ['AI.MODELEXECUTE', 'slow', 'INPUTS', '2', rounds, 'matrix', 'OUTPUTS', '1', 'z'];
/** @param {string} name */
const ofNetwork = (name) => ['AI.MODELEXECUTE', name, 'INPUTS', '1', `rows-${name}`, 'OUTPUTS', '1', 'z'];

if (wanted('models')) {
  const embedded = await startEmbedded();
  for (const one of [port, embedded.port]) await fill(one);
  for (const [clients, bar] of /** @type {const} */ ([
    [1, '>= 0.67'],
    [8, '>= 0.7'],
  ])) {
    const count = quick ? 10_000 : 40_000;
    const { ratio, detail } = await ratioOf(
      () => rateOf(port, clients, count, tiny),
      () => rateOf(embedded.port, clients, count, tiny),
    );
    report(`tiny model beside the embedded store, ${clients} clients`, ratio, bar, detail);
  }
  const half = await ratioOf(
    async () => (await measure(port, 1, quick ? 5000 : 20_000, tiny)).p50,
    async () => (await measure(embedded.port, 1, quick ? 5000 : 20_000, tiny)).p50,
    3,
  );
  report('p50 of a tiny model beside the embedded store', half.ratio, '<= 1.5', half.detail.replaceAll('/s', ' ms'));
  const [narrow = 0, wide = 0] = await fillNetworks([embedded.port, port]);
  for (const [size, words] of /** @type {const} */ ([
    [`on ${narrow.toFixed(0)} KiB`, ofNetwork('narrow')],
    [`on ${wide.toFixed(0)} KiB`, ofNetwork('wide')],
    // Nobody knows how long a loop runs: it does so in a process of its own, which is one more for the same two cores.
    ['with a loop, on 256 KiB', slow('once')],
  ]))
    for (const clients of [1, 8]) {
      const count = quick ? 400 : 2000;
      const { ratio, detail } = await ratioOf(
        () => rateOf(port, clients, count, words),
        () => rateOf(embedded.port, clients, count, words),
      );
      report(`model of 1 ms ${size}, beside the embedded store, ${clients} clients`, ratio, '>= 0.95', detail);
    }
  await embedded.stop();
}

if (wanted('faults')) {
  await fill(port);
  await rateOf(port, 1, 100, tiny);
  const alone = [];
  for (let round = 0; round < rounds; round += 1)
    alone.push([(await measure(port, 1, 2000, ['PING'])).most, (await measure(port, 1, 2000, tiny)).p99]);
  const without = [0, 1].map((at) => median(alone.map((one) => one[at] ?? 0)).toFixed(2));
  // A dear model all the time, and a cheap one and others beside it.
  let isOver = false;
  const dear = (async () => {
    let longest = 0;
    while (!isOver) longest = Math.max(longest, (await measure(port, 1, 1, slow('often'))).most);
    return longest;
  })();
  const pings = [];
  const runs = [];
  for (let round = 0; round < rounds; round += 1) {
    pings.push((await measure(port, 1, 2000, ['PING'])).most);
    runs.push((await measure(port, 1, 2000, tiny)).p99);
  }
  isOver = true;
  const longest = Math.round(await dear);
  const detail = (/** @type {number} */ at) => `ms; alone ${without[at]} ms; the dear model took ${longest} ms`;
  report('longest PING beside a dear model', median(pings), '<= 20', detail(0));
  report('p99 of a tiny model beside a dear one', median(runs), '<= 20', detail(1));
  const deaths = [];
  const redis = new Redis(port);
  for (let round = 0; round < rounds; round += 1) {
    const { worker } = store.pids;
    process.kill(worker ?? 0, 'SIGKILL');
    const begun = performance.now();
    while (
      !(await redis.call(.../** @type {[string]} */ (tiny)).then(
        () => worker !== store.pids.worker,
        () => false,
      ))
    );
    deaths.push(performance.now() - begun);
  }
  redis.disconnect();
  report('answer after the AI layer was killed', median(deaths) / 1000, '<= 0.5', 's');
}

if (wanted('read')) await readLarge();

/** Reads of 1 MiB on Valkey 9 beside the GET of Redis 7, if both are here: `SIMWRIGHT_TEST_SERVERS` may name more servers. */
async function readLarge() {
  const more = (process.env['SIMWRIGHT_TEST_SERVERS'] ?? '').split(':').filter((path) => path !== '');
  const all = [...found, ...(await Promise.all(more.map(askServer)))].filter((one) => one !== undefined);
  const valkey = all.find(({ kind, version }) => kind === 'valkey' && Number.parseInt(version, 10) >= 9);
  const redis = all.find(({ kind, version }) => kind === 'redis' && version.startsWith('7.'));
  if (valkey === undefined || redis === undefined) {
    console.log('reads of 1 MiB on Valkey 9 beside Redis 7: not both are here');
    return;
  }
  const ports = [await freePort(), await freePort()];
  const [a = 0, b = 0] = ports;
  const common = `bind 127.0.0.1\nsave ""\ndir ${scratch}\n`;
  const ours = new ServerProcess(valkey.path, `port ${a}\n${common}loadmodule ${module}\n`, () => undefined);
  const theirs = new ServerProcess(redis.path, `port ${b}\n${common}`, () => undefined);
  for (const [one, at] of /** @type {const} */ ([
    [ours, a],
    [theirs, b],
  ]))
    await (await one.answering(`127.0.0.1:${at}`)).close();
  const data = Buffer.alloc(1048576, 'x');
  await rateOf(a, 1, 1, ['AI.TENSORSET', 'k', 'FLOAT', String(data.length / 4), 'BLOB'], data);
  await rateOf(b, 1, 1, ['SET', 'k'], data);
  // redis-benchmark keeps what it reads, which costs more than either server does.
  const reader = `${scratch}/reader`;
  execFileSync('cc', ['-O2', '-std=c11', '-D_GNU_SOURCE', '-o', reader, new URL('reader.c', import.meta.url).pathname]);
  const readsOf = (/** @type {number} */ one, /** @type {number} */ clients, /** @type {string[]} */ ...question) =>
    Number(execFileSync(reader, [one, clients, quick ? 2000 : 8000, ...question].map(String)));
  for (const clients of [1, 16]) {
    const { ratio, detail } = await ratioOf(
      async () => readsOf(a, clients, 'AI.TENSORGET', 'k', 'META', 'BLOB'),
      async () => readsOf(b, clients, 'GET', 'k'),
    );
    report(
      `AI.TENSORGET on Valkey ${valkey.version} beside GET on Redis ${redis.version}, 1 MiB, ${clients} clients`,
      ratio,
      '>= 1.3',
      detail,
    );
  }
  await ours.stop();
  await theirs.stop();
}

async function startEmbedded() {
  const main = new URL('../dist/cli/main.js', import.meta.url).pathname;
  const one = await freePort();
  const child = spawn(process.execPath, [main, 'orchestrator', '--port', String(one), '--intra-op-threads', '1'], {
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
