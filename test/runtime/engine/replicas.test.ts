import { execFile, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Client, tensor } from '../../../src/runtime/client/index.js';
import { layOut, nodesFile, replicasOfNodes } from '../../../src/runtime/supervisor/cluster-layout.js';
import { freePorts } from '../../../src/runtime/supervisor/free-port.js';
import { second, setAsNobody } from '../orchestrator/support/peers.js';
import { runPython, smartredisPython } from '../orchestrator/support/python.js';
import { modelFile, onnxRuntime } from '../orchestrator/support/start.js';
import { waitUntil } from '../support/wait-until.js';
import { hasCompiler, type StartedCluster, servers, startCluster } from './support/servers.js';

const model = fileURLToPath(new URL('../orchestrator/models/double.onnx', import.meta.url));
const found = await smartredisPython();
const able = servers.filter(({ version }) => Number(version.split('.')[0]) >= 7);
const lacks =
  able.length === 0 ? 'a server' : !hasCompiler ? 'a C compiler' : onnxRuntime === undefined ? 'onnxruntime-node' : '';

const place = (node: string, port: number) => ({ node, host: '10.0.0.1', port, busPort: port + 100 });

test('the file of a replica says whom it follows', () => {
  const servers = layOut([place('a', 1), place('b', 2)], [place('b', 3), place('a', 4)]);
  const lines = nodesFile(servers, 3).split('\n');
  expect(lines[1]).toMatch(/^[0-9a-f]{40} 10\.0\.0\.1:2@102 master - 0 0 2 connected 8192-16383$/);
  expect(lines[2]).toContain(` slave ${servers[0]?.id} 0 0 1 connected`);
  expect(lines[3]).toContain(` myself,slave ${servers[1]?.id} 0 0 2 connected`);
  expect(lines[4]).toBe('vars currentEpoch 4 lastVoteEpoch 0');
});

test('a node has the replicas of the node before', () => {
  expect([replicasOfNodes(3, 3), replicasOfNodes(5, 2), replicasOfNodes(4, 1)]).toEqual([[1, 1, 1], [2, 3], [4]]);
});

describe.skipIf(lacks !== '')(`shards with replicas${lacks === '' ? '' : ` (skipped: there is no ${lacks})`}`, () => {
  let folder: string;
  let cluster: StartedCluster;
  const checkpointed = (shard: number) => ({ checkpointFile: join(folder, `${shard}.checkpoint`) });
  async function start(server = able[0] as (typeof able)[number], count = 3): Promise<void> {
    cluster = await startCluster(server, count, { onnxRuntime: onnxRuntime as string }, true, {
      replicas: 1,
      ofShard: checkpointed,
    });
  }
  const said = (text: string) => cluster.log.some((line) => line.includes(text));
  /** Kills the server that has the slots of a shard, and waits until the other one has them and this one follows. */
  async function killLeader(shard: number): Promise<void> {
    const lines = cluster.log.length;
    const { pid, index } = cluster.store.leaderOf(shard);
    const killedAt = performance.now();
    process.kill(pid, 'SIGKILL');
    const since = (text: string) => cluster.log.slice(lines).some((line) => line.includes(text));
    await waitUntil('it is reported', () => since('the server died (SIGKILL); its replica takes over'));
    expect(performance.now() - killedAt).toBeLessThan(1000);
    await waitUntil('its replica has taken over', () => since('has taken over'));
    await waitUntil('it is there again', () => since('is there again'));
    expect(cluster.store.leaderOf(shard).index).not.toBe(index);
  }
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'simwright-replicas-'));
  });
  afterEach(async () => {
    await cluster?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const python = 'python' in found ? found.python : '';
  test.skipIf(python === '')(
    `lets SmartRedis go on when a server is killed, and the one that took over as well${python === '' ? ` (skipped: ${'missing' in found ? found.missing : ''})` : ''}`,
    async () => {
      await start();
      const env = {
        SSDB: cluster.address,
        SR_DB_TYPE: 'Clustered',
        SR_SOCKET_TIMEOUT: '10000',
        SR_CMD_INTERVAL: '200',
      };
      const running = runPython(python, 'smartredis_failover.py', [model, folder], env);
      const count = () => Number(existsSync(join(folder, 'count')) ? readFileSync(join(folder, 'count'), 'utf8') : 0);
      const goesOn = async () => {
        const before = count();
        await waitUntil('it puts on', () => count() > before + 200);
      };
      await goesOn();
      await killLeader(1);
      await goesOn();
      await killLeader(1);
      await goesOn();
      writeFileSync(join(folder, 'stop'), '');
      const [, keys, lost, seconds] = /^(\d+) keys, (\d+) lost, longest call ([\d.]+) s/m.exec(await running) ?? [];
      expect(Number(keys)).toBeGreaterThan(600);
      console.log(`${keys} keys, ${lost} lost, the longest call took ${seconds} s`);
    },
  );

  test.each(able.map((server) => ({ server })))(
    'are saved by whoever has the slots, and brought back, on $server.kind $server.version',
    async ({ server }) => {
      await start(server);
      const client = await Client.connect({ env: { SSDB: cluster.address } });
      await client.setModel('m', { backend: 'ONNX', device: 'CPU', blob: modelFile('double') });
      const keys = Array.from({ length: 30 }, (_, index) => `key${index}`);
      for (const [index, key] of keys.entries()) await client.putTensor(key, tensor([index]));
      await killLeader(2);
      for (const [index, key] of keys.entries()) expect((await client.getTensor(key)).data[0]).toBe(index);
      await client.putTensor('later', tensor(Float32Array.from([1, 2]), [1, 2]));
      for (const key of ['x', 'y', 'z']) {
        await client.putTensor(key, tensor(Float32Array.from([1, 2]), [1, 2]));
        await client.runModel('m', key, `out${key}`);
        expect((await client.getTensor(`out${key}`, 'FLOAT')).data).toEqual(Float32Array.from([2, 4]));
      }
      await client.close();
      await cluster.store.close(true);
      expect(readdirSync(folder).sort()).toEqual(['0.checkpoint', '1.checkpoint', '2.checkpoint']);
      await start(server);
      const again = await Client.connect({ env: { SSDB: cluster.address } });
      for (const [index, key] of keys.entries()) expect((await again.getTensor(key)).data[0]).toBe(index);
      await again.runModel('m', 'later', 'out');
      expect((await again.getTensor('out', 'FLOAT')).data).toEqual(Float32Array.from([2, 4]));
      await again.close();
    },
  );

  test('tell all who look for a shard where it is', async () => {
    await start(undefined, 2);
    await killLeader(0);
    const [first] = cluster.shards;
    for (const address of cluster.store.addresses) {
      const redis = new Redis(Number(address.split(':')[1]));
      const told = (await redis.call('CLUSTER', 'SLOTS')) as [number, number, [string, number]][];
      expect(told.map(([, , [, port]]) => `127.0.0.1:${port}`)).toEqual(cluster.store.addresses);
      redis.disconnect();
    }
    const redis = new Redis(first?.port ?? 0);
    expect(await redis.ping(), 'the old port leads on').toBe('PONG');
    expect(cluster.store.addresses).not.toContain(`127.0.0.1:${first?.port}`);
    redis.disconnect();
  });

  test('end the store, with the reason, when both servers of one die', async () => {
    await start(undefined, 2);
    const { pid } = cluster.store.leaderOf(1);
    const other = cluster.store.pids.servers[3] ?? 0;
    process.kill(other, 'SIGKILL');
    process.kill(pid, 'SIGKILL');
    await waitUntil('it is told', () => cluster.log.some((line) => line.startsWith('died: ')));
    expect(cluster.log.find((line) => line.startsWith('died: '))).toMatch(
      /^died: .*shard 2 of 2 \(slots 8192-16383, 127\.0\.0\.1:\d+ on here\) has died, and (the other server of its shard before|its replica cannot take over)/,
    );
  });

  test.skipIf(!second)(
    `let no stranger in: neither at the port that leads on nor at the bus${second ? '' : ' (skipped: needs root and setpriv)'}`,
    async () => {
      await start(undefined, 2);
      await killLeader(0);
      const [first] = cluster.shards;
      expect(await setAsNobody(first?.port ?? 0)).toContain(
        'only processes of the user who runs this orchestrator are served',
      );
      expect(said('refused a connection from')).toBe(true);
      const { busPort = 0 } = cluster.shards[1] ?? {};
      expect(await heardAsNobody(busPort)).toBe('closed\n');
      expect(said("a connection to the cluster's bus is cut: only processes of the user")).toBe(true);
    },
  );

  test('take nobody into the cluster who introduces himself', async () => {
    await start(undefined, 2);
    const [port = 0, ownBus = 0] = await freePorts(2, '127.0.0.1');
    const words = [
      '--port',
      port,
      '--cluster-enabled',
      'yes',
      '--cluster-port',
      ownBus,
      '--bind',
      '127.0.0.1',
      '--save',
      '',
    ];
    const stranger = spawn(able[0]?.path ?? '', words.map(String), { cwd: folder, stdio: 'ignore' });
    const redis = new Redis(port, { retryStrategy: () => 50, maxRetriesPerRequest: null });
    await redis.call('CLUSTER', 'MEET', '127.0.0.1', cluster.shards[0]?.port ?? 0, cluster.shards[0]?.busPort ?? 0);
    await waitUntil('it is forgotten', () => said('a server that does not belong to the cluster is forgotten'));
    redis.disconnect();
    stranger.kill('SIGKILL');
    for (const { port: own } of cluster.shards) {
      const server = new Redis(own);
      const nodes = String(await server.call('CLUSTER', 'NODES'))
        .trim()
        .split('\n');
      expect(nodes.map((line) => line.slice(0, 40)).sort()).toEqual(cluster.shards.map(({ id }) => id).sort());
      server.disconnect();
    }
  });
});

/** What a process of another user hears that connects and says nothing. */
function heardAsNobody(port: number): Promise<string> {
  const script = `require('net').connect(${port}).on('error', () => undefined).on('close', () => console.log('closed'))`;
  const words = ['--reuid=65534', '--regid=65534', '--clear-groups', process.execPath, '-e', script];
  return new Promise((resolve) => {
    execFile('setpriv', words, { cwd: '/' }, (_error, stdout) => resolve(stdout));
  });
}
