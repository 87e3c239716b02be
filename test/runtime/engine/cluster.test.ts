import { execFileSync } from 'node:child_process';
import { type AddressInfo, connect, createServer } from 'node:net';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Client, Dataset, tensor } from '../../../src/runtime/client/index.js';
import { ClusterStore, type ClusterStoreOptions } from '../../../src/runtime/engine/cluster-store.js';
import { layOut, nodesFile, type ShardPlace, shardsOfNodes } from '../../../src/runtime/supervisor/cluster-layout.js';
import { freePorts } from '../../../src/runtime/supervisor/free-port.js';
import { modelFile, onnxRuntime } from '../orchestrator/support/start.js';
import { waitUntil } from '../support/wait-until.js';
import { lackOfStore, orSkipped } from './support/lacks.js';
import { builtModule, type StartedCluster, servers, startCluster, startOnServer } from './support/servers.js';

/** Servers whose cluster has a bus on a port of its own. */
const able = servers.filter(({ version }) => Number(version.split('.')[0]) >= 7);
const lacks = lackOfStore({ 'a server': able[0] });

const places = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ node: 'n', host: '10.0.0.1', port: 1000 + index, busPort: 2000 }));

test.each([
  [2, [0, 8192]],
  [3, [0, 5461, 10923]],
  [5, [0, 3277, 6554, 9830, 13107]],
  [6, [0, 2731, 5461, 8192, 10923, 13653]],
])('slots are dealt to %i shards as redis-cli does', (count, firsts) => {
  const shards = layOut(places(count));
  expect(shards.map(({ first }) => first)).toEqual(firsts);
  expect(shards.map(({ last }) => last)).toEqual([...firsts.slice(1).map((first) => first - 1), 16383]);
});

test('the file of a server names all, and which one it is', () => {
  const lines = nodesFile(layOut(places(2)), 1).split('\n');
  expect(lines[0]).toMatch(/^[0-9a-f]{40} 10\.0\.0\.1:1000@2000 master - 0 0 1 connected 0-8191$/);
  expect(lines[1]).toMatch(/^[0-9a-f]{40} 10\.0\.0\.1:1001@2000 myself,master - 0 0 2 connected 8192-16383$/);
  expect(lines.slice(2)).toEqual(['vars currentEpoch 2 lastVoteEpoch 0', '']);
});

test('shards are spread evenly over nodes', () => {
  expect([shardsOfNodes(5, 2), shardsOfNodes(3, 3), shardsOfNodes(7, 3)]).toEqual([
    [3, 2],
    [1, 1, 1],
    [3, 2, 2],
  ]);
});

/** Starts shards of data at these places; of all unless `own` names some. */
const startShards = async (places: readonly Omit<ShardPlace, 'host'>[], more: Partial<ClusterStoreOptions> = {}) =>
  ClusterStore.start({
    programs: { server: able[0] as (typeof able)[number], module: await builtModule() },
    shards: layOut(places.map((place) => ({ ...place, host: '127.0.0.1' }))),
    own: places.map((_, index) => index),
    hasWorker: false,
    onDeath: () => undefined,
    storeOf: () => ({ listen: [] }),
    ...more,
  });

const matrix = able.flatMap((server) => [2, 3, 7].map((count) => ({ server, count })));

describe.skipIf(lacks !== '')(orSkipped('a cluster', lacks), () => {
  describe.each(matrix)('of $count shards on $server.kind $server.version', ({ server, count }) => {
    let cluster: StartedCluster;
    let client: Client;
    beforeAll(async () => {
      cluster = await startCluster(server, count, onnxRuntime === undefined ? {} : { onnxRuntime });
      client = await Client.connect({ env: { SSDB: cluster.address } });
    });
    afterAll(async () => {
      await client?.close();
      await cluster?.stop();
      expect(cluster?.log.filter((line) => line.startsWith('died'))).toEqual([]);
    });

    test('is the same to all that ask, in ascending slots', async () => {
      const slots = cluster.shards.map(({ first, last, host, port }) => [first, last, host, port]);
      for (const { port } of cluster.shards) {
        const redis = new Redis(port);
        const told = (await redis.call('CLUSTER', 'SLOTS')) as [number, number, [string, number]][];
        expect(told.map(([first, last, [host, own]]) => [first, last, host, own])).toEqual(slots);
        redis.disconnect();
      }
    });

    test('keeps tensors whatever braces and bytes their keys have, and no client is sent elsewhere', async () => {
      const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', '{}x', 'a}b{c}', '{tag}.one', '{tag}.two', 'ä {é}', '}{'];
      for (const [index, name] of names.entries()) await client.putTensor(name, tensor([index]));
      for (const [index, name] of names.entries())
        expect((await client.getTensor(name)).data).toEqual(Float64Array.from([index]));
      await client.copyTensor('a', '{tag}.one');
      await client.renameTensor('b', '}{');
      expect((await client.getTensor('{tag}.one')).data[0]).toBe(0);
      expect((await client.getTensor('}{')).data[0]).toBe(1);
      const raw = new Redis(cluster.shards[0]?.port ?? 0);
      const binary = Buffer.from([0, 255, 123, 254, 125, 10]);
      await raw.call('AI.TENSORSET', binary, 'UINT8', '1', 'VALUES', '7');
      expect(await raw.call('AI.TENSORGET', binary, 'VALUES')).toEqual([7]);
      raw.disconnect();
    });

    test('runs models on the shard of the first input, loaded once for all shards', async () => {
      const blob = modelFile('double');
      await client.setModel('m', { backend: 'ONNX', device: 'CPU', blob });
      for (const name of ['a', 'b', 'c', 'd', '{}x']) {
        await client.putTensor(name, tensor(Float32Array.from([1, 2]), [1, 2]));
        await client.runModel('m', name, `out ${name}`);
        expect((await client.getTensor(`out ${name}`, 'FLOAT')).data).toEqual(Float32Array.from([2, 4]));
      }
      expect(await client.getModel('m')).toEqual(blob);
      // It is known by its name alone, tried out once.
      expect(await cluster.store.warmUp(['m'])).toEqual([{ key: 'm', kind: 'model', outcome: 'ran' }]);
      await client.deleteModel('m');
      await expect(client.runModel('m', 'a', 'out')).rejects.toThrow('ERR model key is empty');
    });

    test('keeps data sets and lists', async () => {
      for (const name of ['one', 'two', 'three']) {
        const dataset = new Dataset(name).addTensor('x', tensor([1.5])).addMetaScalar('time', 2.5);
        await client.putDataset(dataset);
        await client.appendToList('list', dataset);
      }
      await client.copyList('list', 'other');
      const all = await client.getDatasetsFromList('other');
      expect(all.map(({ name }) => name)).toEqual(['one', 'two', 'three']);
      await client.deleteList('other');
      await client.renameDataset('one', 'four');
      expect([await client.datasetExists('one'), await client.datasetExists('four')]).toEqual([false, true]);
    });

    test('has a bus that nobody can speak to', async () => {
      const { busPort } = cluster.shards[0] ?? { busPort: 0 };
      const listening = execFileSync('cat', ['/proc/net/tcp'], { encoding: 'utf8' });
      expect(listening).toContain(`:${busPort.toString(16).toUpperCase().padStart(4, '0')} 00000000:0000 0A`);
      const socket = connect(busPort, '127.0.0.1');
      let isConnected = false;
      socket.on('connect', () => {
        isConnected = true;
      });
      socket.on('error', () => undefined);
      // Meanwhile a client's port answers.
      await client.putTensor('meanwhile', tensor([1]));
      await new Promise((resolve) => setTimeout(resolve, 300));
      expect(isConnected).toBe(false);
      socket.destroy();
    });

    test('lets nobody change who has which slots', async () => {
      const redis = new Redis(cluster.shards[0]?.port ?? 0);
      for (const words of [['MEET', '127.0.0.1', '1'], ['DELSLOTS', '0'], ['RESET'], ['FORGET', '0'.repeat(40)]])
        await expect(redis.call('CLUSTER', ...words)).rejects.toThrow('NOPERM');
      redis.disconnect();
    });
  });

  test('of 64 shards is formed, in a time that it tells', async () => {
    const startedAt = performance.now();
    const cluster = await startCluster(able[0] as (typeof able)[number], 64, {}, false);
    const seconds = (performance.now() - startedAt) / 1000;
    await cluster.stop();
    // On two cores that others load the servers themselves take most of it.
    expect(seconds).toBeLessThan(30);
    console.log(`64 shards formed in ${seconds.toFixed(1)} s, of 5`);
  });

  test('goes on when its AI layer is killed, and says which shard died', async () => {
    const cluster = await startCluster(
      able[0] as (typeof able)[number],
      3,
      onnxRuntime === undefined ? {} : { onnxRuntime },
    );
    try {
      const client = await Client.connect({ env: { SSDB: cluster.address } });
      await client.setModel('m', { backend: 'ONNX', device: 'CPU', blob: modelFile('double') });
      process.kill(cluster.store.pids.worker ?? 0, 'SIGKILL');
      await waitUntil('its end is noticed', () =>
        cluster.log.some((line) => line.includes('the AI layer died (SIGKILL)')),
      );
      for (const name of ['a', 'b', 'c']) {
        await client.putTensor(name, tensor(Float32Array.from([1, 2]), [1, 2]));
        await client.runModel('m', name, 'out');
        expect((await client.getTensor('out', 'FLOAT')).data).toEqual(Float32Array.from([2, 4]));
      }
      await client.close();
      process.kill(cluster.store.pids.servers[1] ?? 0, 'SIGKILL');
      await waitUntil('it is noticed', () => cluster.log.some((line) => line.startsWith('died')));
      expect(cluster.log.find((line) => line.startsWith('died'))).toMatch(
        /^died: shard 2 of 3 \(slots 5461-10922, 127\.0\.0\.1:\d+ on here\): the server died \(SIGKILL\)$/,
      );
    } finally {
      await cluster.stop();
    }
  });

  test.each(['a program', 'another store'])('whose port %s has says which shard it is', async (who) => {
    const program = createServer();
    await new Promise<void>((resolve) => program.listen({ host: '127.0.0.1', port: 0 }, resolve));
    // The other store would answer in the place of the shard.
    const other = who === 'a program' ? undefined : await startOnServer(able[0] as (typeof able)[number], {}, false);
    const port = other?.port ?? (program.address() as AddressInfo).port;
    const [first = 0, ...buses] = await freePorts(3, '127.0.0.1');
    const starting = startShards([
      { node: 'here', port: first, busPort: buses[0] ?? 0 },
      { node: 'here', port, busPort: buses[1] ?? 0 },
    ]);
    await expect(starting).rejects.toMatchObject({
      code: 'RUN1003',
      message: expect.stringContaining(`shard 2 of 2 (slots 8192-16383, 127.0.0.1:${port} on here): `),
    });
    program.close();
    await other?.stop();
  });

  test('of which a shard dies while it forms says which', async () => {
    const [near = 0, far = 0, ...buses] = await freePorts(4, '127.0.0.1');
    const starting = startShards(
      [
        { node: 'near', port: near, busPort: buses[0] ?? 0 },
        { node: 'far', port: far, busPort: buses[1] ?? 0 },
      ],
      { own: [0] },
    );
    const end = starting.catch((error: Error) => error.message);
    const redis = new Redis(near);
    redis.on('error', () => undefined);
    process.kill(Number(/process_id:(\d+)/.exec(await redis.info('server'))?.[1]), 'SIGKILL');
    redis.disconnect();
    expect(await end).toMatch(
      /^shard 1 of 2 \(slots 0-8191, 127\.0\.0\.1:\d+ on near\): .*(the server died \(SIGKILL\)|did not start \(SIGKILL\))/,
    );
  });

  test.each([
    ['refuses', 'connect ECONNREFUSED'],
    ['is silent', 'it does not answer'],
  ])('that does not reach a server of another node, since that %s, says which', async (how, why) => {
    const ports = await freePorts(4, '127.0.0.1');
    // A closed bus drops what comes, as a network that is cut does.
    const silent = how === 'refuses' ? undefined : await startCluster(able[0] as (typeof able)[number], 2, {}, false);
    const starting = startShards(
      [
        { node: 'near', port: ports[0] ?? 0, busPort: ports[1] ?? 0 },
        { node: 'far', port: silent?.shards[0]?.busPort ?? ports[2] ?? 0, busPort: ports[3] ?? 0 },
      ],
      { own: [0], reachSeconds: 1 },
    );
    const message = await starting.catch((error: Error) => error.message);
    expect(message).toMatch(
      new RegExp(
        `^near cannot reach shard 2 of 2 \\(slots 8192-16383, 127\\.0\\.0\\.1:\\d+ on far\\) within 1 s: ${why}`,
      ),
    );
    await silent?.stop();
  });
});
