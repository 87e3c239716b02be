// The orchestrator beside redis-server and beside ONNX Runtime alone, as ratios with their bars. Both sides of a ratio run in turn.
// usage: node bench/orchestrator.mjs [quick] [redis] [smartredis] [inference] [batching] [memory]
import { createRequire } from 'node:module';
import { performance } from 'node:perf_hooks';
import { Redis } from 'ioredis';
import { median, report } from './measure.mjs';
import { network } from './onnx-network.mjs';
import {
  python,
  requestsPerSecond,
  smartredisRates,
  startBareServer,
  startOrchestrator,
  startRedis,
} from './orchestrator-parts.mjs';

const words = process.argv.slice(2);
const quick = words.includes('quick');
const asked = words.filter((word) => word !== 'quick');
const wanted = (/** @type {string} */ part) => asked.length === 0 || asked.includes(part);
const rounds = quick ? 3 : 5;
const kib = 1024;
const mib = 1024 * kib;

/**
 * @param {string} what
 * @param {string} bar
 * @param {readonly (readonly [number, number])[]} pairs ours and theirs, run one after the other
 */
function reportRatio(what, bar, pairs) {
  const show = (/** @type {number[]} */ values) => `${Math.round(median(values))}/s`;
  const detail = `${show(pairs.map(([ours]) => ours))} : ${show(pairs.map(([, theirs]) => theirs))}`;
  report(what, median(pairs.map(([ours, theirs]) => ours / theirs)), bar, detail);
}

/** @param {number} bytes */
function sizeName(bytes) {
  return bytes < mib ? `${bytes / kib} KiB` : `${bytes / mib} MiB`;
}

async function besideRedis() {
  const ours = await startOrchestrator();
  const theirs = await startRedis();
  const bare = await startBareServer();
  const loads = [
    { bytes: kib, clients: 1, requests: 5000, bar: '>= 0.8' },
    { bytes: kib, clients: 16, requests: 30_000, bar: '>= 0.5' },
    { bytes: 64 * kib, clients: 1, requests: 3000, bar: '>= 0.9' },
    { bytes: 64 * kib, clients: 16, requests: 8000, bar: '>= 0.9' },
    { bytes: mib, clients: 1, requests: 600, bar: '>= 0.9' },
    { bytes: mib, clients: 16, requests: 600, bar: '>= 0.9' },
    ...(quick ? [] : [{ bytes: 8 * mib, clients: 1, requests: 100, bar: '>= 0.9' }]),
  ];
  for (const { bar, ...load } of loads) {
    const shape = `${sizeName(load.bytes)}, ${load.clients} clients`;
    /** @type {(own: typeof ours, words: readonly string[], redisWords?: readonly string[]) => Promise<[number, number][]>} */
    const inTurn = async (own, words, redisWords = words) => {
      /** @type {[number, number][]} */
      const pairs = [];
      for (let round = 0; round < 2 * rounds + 1; round += 1) {
        const rate = await requestsPerSecond(own.port, load, ...words);
        pairs.push([rate, await requestsPerSecond(theirs.port, load, ...redisWords)]);
      }
      return pairs;
    };
    const put = ['-x', 'AI.TENSORSET', 't', 'INT8', String(load.bytes), 'BLOB'];
    reportRatio(`redis-benchmark tensor set ${shape}`, bar, await inTurn(ours, put, ['-x', 'SET', 't']));
    for (const test of ['set', 'get']) {
      reportRatio(`redis-benchmark ${test} ${shape}`, bar, await inTurn(ours, ['-t', test]));
    }
    if (load.bytes === kib && load.clients === 1) {
      reportRatio(`  a server in Node that only says OK: set ${shape}`, '', await inTurn(bare, ['-t', 'set']));
    }
  }
  await Promise.all([ours.stop(), theirs.stop(), bare.stop()]);
}

/** Stock Redis knows no tensors: under the names that the client uses it has HSET and HGET, which take the same words. */
async function bySmartredis() {
  if (python === undefined) {
    console.log('smartredis: skipped, no Python environment with it (the tests make one)');
    return;
  }
  const ours = await startOrchestrator();
  const theirs = await startRedis(
    ...['--rename-command', 'HSET', 'AI.TENSORSET'],
    ...['--rename-command', 'HGET', 'AI.MODELGET'],
  );
  const clients = [new Redis(ours.port), new Redis(theirs.port)];
  const blocks = quick ? 20 : 60;
  for (const bytes of [kib, 64 * kib, mib, 8 * mib, 64 * mib].slice(0, quick ? 4 : 5)) {
    const model = padded(network(2, 2), bytes);
    await clients[0]?.call('AI.MODELSTORE', 'model', 'ONNX', 'CPU', 'BLOB', model);
    await clients[1]?.call('AI.TENSORSET', 'model', 'BLOB', model);
    const calls = Math.max(1, Math.min(500, Math.round((50 * mib) / bytes)));
    const load = { bytes, calls, blocks: bytes > 8 * mib ? blocks / 4 : blocks };
    const { puts, gets } = await smartredisRates(load, [ours.port, theirs.port]);
    reportRatio(`smartredis put ${sizeName(bytes)}`, '>= 0.95', puts);
    reportRatio(`smartredis get ${sizeName(bytes)}`, '>= 0.95', gets);
  }
  for (const client of clients) client.disconnect();
  await Promise.all([ours.stop(), theirs.stop()]);
}

/**
 * The model with a comment that makes it so long.
 * @param {Buffer} model
 * @param {number} bytes
 */
function padded(model, bytes) {
  const length = Math.max(1, bytes - model.length - 6);
  const size = [];
  let rest = length;
  for (; rest > 127; rest = Math.floor(rest / 128)) size.push((rest % 128) | 128);
  return Buffer.concat([model, Buffer.from([0x32, ...size, rest]), Buffer.alloc(length, 'x')]);
}

async function besideOnnxRuntime() {
  const ort = createRequire(import.meta.url)('onnxruntime-node');
  const ours = await startOrchestrator('--intra-op-threads', '1');
  const redis = new Redis(ours.port);
  const run = ['AI.MODELEXECUTE', 'm', 'INPUTS', '1', 'x', 'OUTPUTS', '1', 'y'];

  await redis.call('AI.MODELSTORE', 'm', 'ONNX', 'CPU', 'BLOB', network(16, 64, 64, 8));
  await redis.call('AI.TENSORSET', 'x', 'FLOAT', '1', '16');
  const stock = await startRedis();
  const pinged = new Redis(stock.port);
  /** @type {number[][]} */
  const [runs = [], pings = []] = [[], []];
  // In turn, since a machine's speed changes; the second says what a round trip costs here, whatever is asked.
  for (let block = 0; block < (quick ? 20 : 60); block += 1) {
    runs.push(...(await microsOf(200, () => redis.call(.../** @type {[string]} */ (run)))));
    pings.push(...(await microsOf(200, () => pinged.call('PING'))));
  }
  const [p50, ping] = [median(runs.slice(1000)), median(pings.slice(1000))];
  report('tiny network, one client: p50 in µs', p50, '<= 80', `p99 ${percentile(runs, 99)} µs`);
  report('  a PING of redis-server by the same client: p50 in µs', ping, '', `difference ${Math.round(p50 - ping)} µs`);
  pinged.disconnect();
  await stock.stop();

  // Enough requests that one waits while another runs.
  const clients = Array.from({ length: 3 }, () => redis.duplicate());
  const model = network(256, 1024, 1024, 256);
  for (const batch of [32, 128]) {
    const session = await ort.InferenceSession.create(model, { intraOpNumThreads: 1 });
    const input = new ort.Tensor('float32', new Float32Array(batch * 256), [batch, 256]);
    await redis.call('AI.MODELSTORE', 'm', 'ONNX', 'CPU', 'BLOB', model);
    await redis.call('AI.TENSORSET', 'x', 'FLOAT', String(batch), '256');
    /** @type {[number, number][]} */
    const pairs = [];
    const bare = () => session.run({ x: input });
    const throughUs = clients.map((client) => () => client.call(.../** @type {[string]} */ (run)));
    for (let round = 0; round < 2 * rounds + 1; round += 1) {
      const pair = /** @type {[number, number]} */ ([await rateOf(...throughUs), await rateOf(bare)]);
      if (round > 0) pairs.push(pair);
    }
    reportRatio(`256-1024-1024-256, batch ${batch}: rate beside ONNX Runtime alone`, '>= 0.95', pairs);
  }
  for (const client of [redis, ...clients]) client.disconnect();
  await ours.stop();
}

/**
 * What each of so many calls took, in µs.
 * @param {number} calls
 * @param {() => Promise<unknown>} call
 */
async function microsOf(calls, call) {
  const micros = [];
  for (let at = 0; at < calls; at += 1) {
    const start = performance.now();
    await call();
    micros.push((performance.now() - start) * 1000);
  }
  return micros;
}

/**
 * Calls a second, over about half a second, each loop at its own pace.
 * @param {readonly (() => Promise<unknown>)[]} loops
 */
async function rateOf(...loops) {
  const start = performance.now();
  let calls = 0;
  const repeat = async (/** @type {() => Promise<unknown>} */ call) => {
    for (; performance.now() - start < 500; calls += 1) await call();
  };
  await Promise.all(loops.map(repeat));
  return (calls * 1000) / (performance.now() - start);
}

/**
 * @param {readonly number[]} values
 * @param {number} percent
 */
function percentile(values, percent) {
  return Math.round([...values].sort((a, b) => a - b)[Math.floor((values.length * percent) / 100)] ?? 0);
}

async function withBatches() {
  const ours = await startOrchestrator('--intra-op-threads', '1');
  const redis = new Redis(ours.port);
  const model = network(256, 1024, 1024, 256);
  await redis.call('AI.TENSORSET', 'x', 'FLOAT', '1', '256');
  await redis.call('AI.MODELSTORE', 'alone', 'ONNX', 'CPU', 'BLOB', model);
  await redis.call('AI.MODELSTORE', 'joined', 'ONNX', 'CPU', 'BATCHSIZE', '32', 'BLOB', model);
  const load = { clients: 32, requests: quick ? 4000 : 8000 };
  const rate = (/** @type {string} */ key) =>
    requestsPerSecond(ours.port, load, 'AI.MODELEXECUTE', key, 'INPUTS', '1', 'x', 'OUTPUTS', '1', 'y');
  /** @type {[number, number][]} */
  const pairs = [];
  await Promise.all([rate('joined'), rate('alone')]);
  for (let round = 0; round < rounds; round += 1) pairs.push([await rate('joined'), await rate('alone')]);
  reportRatio('256-1024-1024-256, 32 clients: batches beside single runs', '>= 5', pairs);
  reportRatio('  ONNX Runtime alone: 32 rows in one run beside 32 runs', '', await rowsAlone(model));
  redis.disconnect();
  await ours.stop();
}

/**
 * Rows a second of a model that takes 256 values, 32 in a run and one in a run: what joining requests can gain at all.
 * @param {Buffer} model
 */
async function rowsAlone(model) {
  const ort = createRequire(import.meta.url)('onnxruntime-node');
  const session = await ort.InferenceSession.create(model, { intraOpNumThreads: 1 });
  const rowsOf = async (/** @type {number} */ rows) => {
    const x = new ort.Tensor('float32', new Float32Array(rows * 256), [rows, 256]);
    return rows * (await rateOf(() => session.run({ x })));
  };
  /** @type {[number, number][]} */
  const pairs = [];
  for (let round = 0; round < rounds; round += 1) pairs.push([await rowsOf(32), await rowsOf(1)]);
  return pairs;
}

async function ofMemory() {
  for (const { bytes, tensors } of [
    { bytes: kib, tensors: 100_000 },
    { bytes: 64 * kib, tensors: 4000 },
    { bytes: mib, tensors: 1000 },
    { bytes: 64 * mib, tensors: 16 },
  ]) {
    const ours = await startOrchestrator();
    const redis = new Redis(ours.port);
    await redis.call('AI.TENSORSET', 'warm', 'FLOAT', '1', 'BLOB', Buffer.alloc(4));
    const before = await settled(ours.rss);
    const data = Buffer.alloc(bytes, 1);
    for (let at = 0; at < tensors; ) {
      const step = Math.max(1, Math.min(500, Math.floor((8 * mib) / bytes)));
      const puts = [];
      for (const end = Math.min(tensors, at + step); at < end; at += 1) {
        puts.push(redis.call('AI.TENSORSET', `t${at}`, 'FLOAT', String(bytes / 4), 'BLOB', data));
      }
      await Promise.all(puts);
    }
    const each = ((await settled(ours.rss)) - before) / tensors;
    const detail = `${Math.round(each)} bytes`;
    report(`memory of a tensor of ${sizeName(bytes)}, beyond 1 KiB`, (each - kib) / bytes, '<= 1.05', detail);
    redis.disconnect();
    await ours.stop();
  }
  await ofOverwriting();
}

async function ofOverwriting() {
  const ours = await startOrchestrator();
  const redis = new Redis(ours.port);
  const data = Buffer.alloc(64 * mib, 1);
  const idle = await settled(ours.rss);
  let peak = 0;
  for (let put = 0; put < (quick ? 40 : 100); put += 1) {
    await redis.call('AI.TENSORSET', 't', 'FLOAT', String(16 * mib), 'BLOB', data);
    peak = Math.max(peak, ours.rss() - idle);
  }
  const detail = `${Math.round(peak / mib)} MiB`;
  report('peak of overwriting a tensor of 64 MiB, in tensors', peak / (64 * mib), '<= 3', detail);
  redis.disconnect();
  await ours.stop();
}

/** The least that it shows within a second and a half. @param {() => number} rss */
async function settled(rss) {
  let least = Number.POSITIVE_INFINITY;
  for (let look = 0; look < 15; look += 1) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    least = Math.min(least, rss());
  }
  return least;
}

console.log(`${'what'.padEnd(58)} ${'ratio'.padStart(8)}  bar`);
if (wanted('redis')) await besideRedis();
if (wanted('smartredis')) await bySmartredis();
if (wanted('inference')) await besideOnnxRuntime();
if (wanted('batching')) await withBatches();
if (wanted('memory')) await ofMemory();
