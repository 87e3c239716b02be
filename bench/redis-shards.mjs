// Stores of several shards beside as many servers without the module, as ratios with their bars, and a model of how they scale: medians of
// rounds in which the sides run in turn. After `npm run build`; a C compiler, a server, and redis-benchmark, which asks the questions.
// usage: node bench/redis-shards.mjs [quick] [forming] [scaling]     SIMWRIGHT_ENGINE_SERVER names the server
import { rmSync } from 'node:fs';
import { Redis } from 'ioredis';
import { ClusterStore } from '../dist/runtime/engine/cluster-store.js';
import { ServerProcess } from '../dist/runtime/engine/server-process.js';
import { layOut } from '../dist/runtime/supervisor/cluster-layout.js';
import { freePorts } from '../dist/runtime/supervisor/free-port.js';
import { median, report } from './measure.mjs';
import { module, quick, rateOf, rounds, scratch, server, wanted } from './redis-benchmark.mjs';

console.log(`${server.kind} ${server.version}, ${rounds} rounds`);

/**
 * A store of so many shards, all on this host.
 * @param {number} count
 */
async function startShards(count) {
  const host = '127.0.0.1';
  const ports = await freePorts(2 * count, host);
  const at = (/** @type {number} */ index) => ports[index] ?? 0;
  const shards = layOut(
    Array.from({ length: count }, (_, index) => ({
      node: 'here',
      host,
      port: at(2 * index),
      busPort: at(2 * index + 1),
    })),
  );
  return ClusterStore.start({
    programs: { server, module },
    shards,
    own: shards.map((_, index) => index),
    hasWorker: false,
    onDeath: (reason) => console.error(reason),
    storeOf: () => ({ listen: [] }),
  });
}

/**
 * As many servers without the module, each for itself.
 * @param {number} count
 */
async function startPlain(count) {
  const ports = await freePorts(count, '127.0.0.1');
  const servers = ports.map(
    (port) =>
      new ServerProcess(server.path, `port ${port}\nbind 127.0.0.1\nsave ""\ndir ${scratch}\n`, () => undefined),
  );
  for (const [index, one] of servers.entries()) await (await one.answering(`127.0.0.1:${ports[index]}`)).close();
  return { ports, stop: () => Promise.all(servers.map((one) => one.stop())) };
}

/**
 * Requests a second of all servers together, each asked by clients of its own.
 * @param {readonly number[]} ports
 * @param {number} clients of all together
 * @param {number} count of all together
 * @param {(at: number) => readonly string[]} command for the server at this position
 * @param {Buffer} [last] the command's last word
 */
async function allTogether(ports, clients, count, command, last) {
  const share = ports.length;
  const rates = await Promise.all(
    ports.map((port, at) => rateOf(port, Math.ceil(clients / share), Math.ceil(count / share), command(at), last)),
  );
  return rates.reduce((sum, rate) => sum + rate, 0);
}

/**
 * A key that each of the servers keeps: one of its own slots.
 * @param {readonly number[]} ports
 */
async function ownKeys(ports) {
  /** @type {string[]} */
  const keys = [];
  for (const port of ports) {
    const redis = new Redis(port);
    for (let index = 0; ; index += 1) {
      const key = `k${index}`;
      const isKept = await redis.call('AI.TENSORSET', key, 'UINT8', '1').then(
        () => true,
        () => false,
      );
      if (!isKept) continue;
      keys.push(key);
      break;
    }
    redis.disconnect();
  }
  return keys;
}

if (wanted('forming')) {
  const seconds = [];
  for (let round = 0; round < (quick ? 1 : 3); round += 1) {
    const begun = performance.now();
    const store = await startShards(64);
    seconds.push((performance.now() - begun) / 1000);
    await store.close();
  }
  report('64 shards formed on this host', median(seconds), '<= 5', 's');
}

if (wanted('scaling')) {
  const sizes = [1024, 65_536, 1_048_576];
  const clients = 16;
  /** Median rates of puts by shards, then by bytes. @type {Map<number, Map<number, number>>} */
  const measured = new Map();
  for (const count of [1, 2, 4]) {
    const [store, plain] = [await startShards(count === 1 ? 2 : count), await startPlain(count)];
    const ports = store.addresses.map((address) => Number(address.split(':').at(-1))).slice(0, count);
    const keys = await ownKeys(ports);
    const rates = new Map();
    for (const bytes of sizes) {
      const data = Buffer.alloc(bytes, 'x');
      const requests = Math.round(Math.min(40_000, 2e9 / bytes) / (quick ? 4 : 1));
      const put = (/** @type {number} */ at) => ['AI.TENSORSET', keys[at] ?? '', 'FLOAT', String(bytes / 4), 'BLOB'];
      const [ours, ratios] = [/** @type {number[]} */ ([]), /** @type {number[]} */ ([])];
      for (let round = 0; round < rounds; round += 1) {
        const rate = await allTogether(ports, clients, requests, put, data);
        const beside = await allTogether(plain.ports, clients, requests, () => ['SET', 'k'], data);
        ours.push(rate);
        ratios.push(rate / beside);
      }
      rates.set(bytes, median(ours));
      const detail = `${median(ours).toFixed(0)}/s, ${((median(ours) * bytes) / 1e9).toFixed(2)} GB/s`;
      report(
        `puts of ${bytes / 1024} KiB on ${count} shards beside ${count} servers`,
        median(ratios),
        '>= 0.9',
        detail,
      );
    }
    measured.set(count, rates);
    await store.close();
    await plain.stop();
  }
  predict(measured, sizes);
}

/**
 * The model: a put costs a shard `perRequest + bytes × perByte` seconds of its core, and a node's network carries `network` bytes a second;
 * the slower of both bounds a node, and nodes do not hinder each other.
 * @param {Map<number, Map<number, number>>} measured
 * @param {readonly number[]} sizes
 */
function predict(measured, sizes) {
  const one = measured.get(1);
  const [small = 0, middle = 0, large = 0] = sizes;
  const seconds = (/** @type {number} */ bytes) => 1 / (one?.get(bytes) ?? Number.NaN);
  const perByte = (seconds(large) - seconds(small)) / (large - small);
  const perRequest = seconds(small) - small * perByte;
  const rate = (/** @type {number} */ bytes) => 1 / (perRequest + bytes * perByte);
  console.log(
    `a put costs ${(perRequest * 1e6).toFixed(1)} µs and ${(perByte * 1e12).toFixed(0)} ps a byte (client and server share the cores)`,
  );
  report(`${middle / 1024} KiB foretold beside measured`, rate(middle) / (one?.get(middle) ?? Number.NaN), '');
  for (const [count, rates] of measured)
    for (const bytes of sizes)
      if (count > 1)
        report(
          `puts of ${bytes / 1024} KiB on ${count} shards beside one`,
          (rates.get(bytes) ?? 0) / (one?.get(bytes) ?? 1),
          '',
        );
  for (const network of [1.25e9, 3.1e9, 12.5e9, 25e9]) {
    const foretold = sizes.map(
      (bytes) => `${((64 * Math.min(rate(bytes) * bytes, network)) / 1e9).toFixed(0)} GB/s at ${bytes / 1024} KiB`,
    );
    console.log(`64 shards on 64 nodes of ${network / 1e9} GB/s each: ${foretold.join(', ')}`);
  }
}

rmSync(scratch, { recursive: true });
process.exit(0);
