import { execFile, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { Client, tensor } from '../../../src/runtime/client/index.js';
import { ClusterStore } from '../../../src/runtime/engine/cluster-store.js';
import type { ServerProgram } from '../../../src/runtime/engine/find-engine.js';
import { slotOf } from '../../../src/runtime/slots.js';
import { KeyQuestions } from '../../../src/runtime/store/key-questions.js';
import {
  type ClusterShard,
  layOut,
  nodesFile,
  replicasOfNodes,
} from '../../../src/runtime/supervisor/cluster-layout.js';
import { freePorts } from '../../../src/runtime/supervisor/free-port.js';
import { second, setAsNobody } from '../orchestrator/support/peers.js';
import { runPython, smartredisPython } from '../orchestrator/support/python.js';
import { modelFile, onnxRuntime } from '../orchestrator/support/start.js';
import { waitUntil } from '../support/wait-until.js';
import { builtModule, hasCompiler, type StartedCluster, servers, startCluster } from './support/servers.js';

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
      let most = 0;
      const count = () => {
        // The file may be empty just then.
        most = Math.max(
          most,
          Number(existsSync(join(folder, 'count')) ? readFileSync(join(folder, 'count'), 'utf8') : 0),
        );
        return most;
      };
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
      const questions = new KeyQuestions(() => cluster.store.addresses);
      expect(await Promise.all([...keys, 'nothing'].map(questions.exists))).toEqual([...keys.map(() => true), false]);
      await questions.close();
      for (const [index, key] of keys.entries()) expect((await client.getTensor(key)).data[0]).toBe(index);
      await client.putTensor('later', tensor(Float32Array.from([1, 2]), [1, 2]));
      for (const key of ['x', 'y', 'z']) {
        await client.putTensor(key, tensor(Float32Array.from([1, 2]), [1, 2]));
        await client.runModel('m', key, `out${key}`);
        expect((await client.getTensor(`out${key}`, 'FLOAT')).data).toEqual(Float32Array.from([2, 4]));
      }
      await client.close();
      // As it does when its node is cut off, and another one may have taken over.
      await cluster.store.stopWrites();
      const late = new Redis(Number(cluster.store.addresses[2]?.split(':')[1]), { maxRetriesPerRequest: 0 });
      late.on('error', () => undefined);
      const [lateKey = ''] = keys.filter((key) => slotOf(key) > 10922);
      const written = late.set(lateKey, 'late').catch((error: Error) => error);
      const reader = new Redis(Number(cluster.store.addresses[2]?.split(':')[1]));
      expect(await reader.call('AI.TENSORGET', lateKey, 'VALUES')).toEqual([String(keys.indexOf(lateKey))]);
      reader.disconnect();
      await cluster.store.close(true);
      expect(await written, 'nobody is told that it is written').toBeInstanceOf(Error);
      late.disconnect();
      expect(readdirSync(folder).sort()).toEqual(['0.checkpoint', '1.checkpoint', '2.checkpoint']);
      await start(server);
      const again = await Client.connect({ env: { SSDB: cluster.address } });
      for (const [index, key] of keys.entries()) expect((await again.getTensor(key)).data[0]).toBe(index);
      await again.runModel('m', 'later', 'out');
      expect((await again.getTensor('out', 'FLOAT')).data).toEqual(Float32Array.from([2, 4]));
      await again.close();
    },
  );

  const killed = () => cluster.shards[0] as ClusterShard;

  test(`tell all who look for a shard where it is, let no stranger in${second ? '' : ' (other users skipped: needs root and setpriv)'}, and end the store when both servers of one die`, async () => {
    await start(undefined, 2);
    // Its stock server is of this very user.
    await introduce(folder, cluster.shards[1] as ClusterShard);
    await waitUntil('it is forgotten', () => said('a server that does not belong to the cluster is forgotten'));
    await killLeader(0);
    for (const address of cluster.store.addresses) {
      const redis = new Redis(Number(address.split(':')[1]));
      const told = (await redis.call('CLUSTER', 'SLOTS')) as [number, number, [string, number]][];
      expect(told.map(([, , [, port]]) => `127.0.0.1:${port}`)).toEqual(cluster.store.addresses);
      const nodes = String(await redis.call('CLUSTER', 'NODES')).trim();
      const names = nodes.split('\n').map((line) => line.slice(0, 40));
      expect(names.sort()).toEqual(cluster.shards.map(({ id }) => id).sort());
      redis.disconnect();
    }
    expect(cluster.store.addresses).not.toContain(`127.0.0.1:${killed().port}`);
    if (second) {
      const refusal = 'only processes of the user who runs this orchestrator are served';
      expect(await setAsNobody(killed().port)).toContain(refusal);
      expect(said(`refused a connection from 127.0.0.1: ${refusal}`)).toBe(true);
      expect(await heardAsNobody(cluster.shards[1]?.busPort ?? 0)).toBe('closed\n');
      expect(said(`a connection to the cluster's bus is cut: ${refusal}`)).toBe(true);
    }
    const { pid } = cluster.store.leaderOf(1);
    process.kill(cluster.store.pids.servers[3] ?? 0, 'SIGKILL');
    process.kill(pid, 'SIGKILL');
    await waitUntil('it is told', () => said('died: '));
    expect(cluster.log.find((line) => line.startsWith('died: '))).toMatch(
      /^died: .*shard 2 of 2 \(slots 8192-16383, 127\.0\.0\.1:\d+ on here\) has died, and (the other server of its shard before|its replica cannot take over)/,
    );
  });

  test('on two nodes take over from each other, and from a node that is lost: clients that look again go on', async () => {
    const [near, far] = await startNodes(able[0] as (typeof able)[number]);
    const client = new Redis.Cluster(near.shards.slice(0, 2).map(({ host, port }) => ({ host, port })));
    const keys = Array.from({ length: 20 }, (_, index) => `key${index}`);
    for (const key of keys) await client.set(key, key);
    process.kill(near.store.leaderOf(0).pid, 'SIGKILL');
    await waitUntil('the other node has taken over', () => far.store.ownShards.length === 2);
    const known = new Redis(near.shards[0]?.port ?? 0);
    expect(await known.ping(), 'the old port leads to the other node').toBe('PONG');
    await waitUntil('it is there again', () => near.log.some((line) => line.includes('is there again')));
    await known.set(keys.find((key) => slotOf(key) < 8192) ?? '', 'by the old port');
    known.disconnect();
    near.lose();
    for (const [index] of near.shards.entries()) if (near.own.includes(index)) far.store.hear({ lost: index });
    const values = await Promise.all(keys.map((key) => client.get(key)));
    const first = keys.findIndex((key) => slotOf(key) < 8192);
    expect(values).toEqual(keys.map((key, index) => (index === first ? 'by the old port' : key)));
    client.disconnect();
    await far.store.close();
  });
});

/** One of two nodes of a cluster of two shards. */
interface StartedNode {
  readonly store: ClusterStore;
  readonly shards: readonly ClusterShard[];
  readonly own: readonly number[];
  readonly log: string[];
  /** Ends all that is there, without a word. */
  lose(): void;
}

async function startNodes(server: ServerProgram): Promise<[StartedNode, StartedNode]> {
  const ports = await freePorts(8, '127.0.0.1');
  const places = ['near', 'far', 'far', 'near'].map((node, index) => ({
    ...{ node, host: '127.0.0.1' },
    ...{ port: ports[2 * index] ?? 0, busPort: ports[2 * index + 1] ?? 0 },
  }));
  const shards = layOut(places.slice(0, 2), places.slice(2));
  const stores: ClusterStore[] = [];
  const programs = { server, module: await builtModule() };
  const start = async (own: readonly number[], at: number): Promise<StartedNode> => {
    const log: string[] = [];
    let isLost = false;
    const store = await ClusterStore.start({
      ...{ programs, shards, own, hasWorker: false },
      storeOf: () => ({ listen: [] }),
      onDeath: (reason) => log.push(`died: ${reason}`),
      log: (_level, message) => log.push(message),
      tell: (change) => {
        if (!isLost) stores[1 - at]?.hear(change);
      },
    });
    stores[at] = store;
    const lose = () => {
      isLost = true;
      void store.close(false);
      for (const pid of store.pids.servers) process.kill(pid, 'SIGKILL');
    };
    return { store, shards, own, log, lose };
  };
  return Promise.all([start([0, 3], 0), start([1, 2], 1)]);
}

/** Lets a stock server of this user introduce itself to one of a cluster. */
async function introduce(folder: string, { port, busPort }: ClusterShard): Promise<void> {
  const [own = 0, ownBus = 0] = await freePorts(2, '127.0.0.1');
  const config = `port ${own}\nbind 127.0.0.1\nsave ""\ncluster-enabled yes\ncluster-port ${ownBus}\ndir ${folder}\n`;
  const stranger = spawn(able[0]?.path ?? '', ['-'], { stdio: ['pipe', 'ignore', 'ignore'] });
  stranger.stdin.end(config);
  const redis = new Redis(own, { retryStrategy: () => 50, maxRetriesPerRequest: null });
  redis.on('error', () => undefined);
  await redis.call('CLUSTER', 'MEET', '127.0.0.1', port, busPort);
  redis.disconnect();
  onTestFinished(() => void stranger.kill('SIGKILL'));
}

/** Reply to a process of another user, which connects and says nothing. */
function heardAsNobody(port: number): Promise<string> {
  const script = `require('net').connect(${port}).on('error', () => undefined).on('close', () => console.log('closed'))`;
  const words = ['--reuid=65534', '--regid=65534', '--clear-groups', process.execPath, '-e', script];
  return new Promise((resolve) => {
    execFile('setpriv', words, { cwd: '/' }, (_error, stdout) => resolve(stdout));
  });
}
