import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { storeReports } from '../../src/cli/jobs/stores.js';
import { readPlan } from '../../src/runtime/job/read-plan.js';
import { slotOf } from '../../src/runtime/slots.js';
import type { Workspace } from '../helpers/workspace.js';
import { builtModule, hasCompiler, servers } from '../runtime/engine/support/servers.js';
import { modelFile } from '../runtime/orchestrator/support/start.js';
import { waitUntil } from '../runtime/support/wait-until.js';
import { useCluster, whyNoSlurm } from './cluster.js';
import { compileForSlurm, log, nothingLeft, sharedWorkspace } from './workspaces.js';

const why = whyNoSlurm() || (servers.length === 0 ? 'no server' : hasCompiler ? '' : 'no C compiler');

const keys = ['a', 'b', 'c', 'd', 'e', '{}x'];

const start = `
import { existsSync, writeFileSync } from 'node:fs';
import { Client, tensor } from 'simwright/client';
const client = await Client.connect();
const keys = ${JSON.stringify(keys)};
const rank = process.env.SLURM_PROCID ?? '0';
`;
/** Each rank has keys of its own on all shards. */
const write = `${start}
for (const key of keys) {
  await client.putTensor(key + rank, tensor(new Float32Array([1, 2]), [1, 2]));
  await client.runModel('double', key + rank, 'twice' + key + rank);
}
console.log(rank, process.env.SR_DB_TYPE, process.env.SSDB);
await client.close();
`;
const read = `${start}
let sum = 0;
for (const key of keys)
  for (const other of [0, 1]) sum += (await client.getTensor('twice' + key + other)).data[1];
console.log('ready');
for (let round = 1; !existsSync('../mended'); round += 1) {
  for (const key of keys) await client.putTensor('live' + key, tensor([round], [1]));
  for (const key of keys) if ((await client.getTensor('live' + key)).data[0] !== round) throw new Error('not as it was put');
  writeFileSync('../round', String(round));
  await new Promise((resolve) => setTimeout(resolve, 50));
}
await client.putTensor('sum', tensor([sum], [1]));
console.log(sum);
await client.close();
`;
const sum = 2 * 4 * keys.length;
const cutSeconds = 5;
/**
 * Puts and runs without a pause until it is told to stop; where a call fails it looks anew where the shards are, as clients that refresh their
 * map do. Stock Redis takes no keys as `{}x`.
 */
const goOn = `
import { existsSync, writeFileSync } from 'node:fs';
import { Client, tensor } from 'simwright/client';
const env = { ...process.env, SR_SOCKET_TIMEOUT: '1000', SR_CMD_TIMEOUT: '0', SR_CMD_INTERVAL: '200', SR_CONN_TIMEOUT: '0' };
let client = await Client.connect({ env });
console.log(process.env.SSDB);
const sure = async (call) => {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      console.log('again:', error.message);
      await client.close().catch(() => undefined);
      client = await Client.connect({ env }).catch(() => client);
    }
  }
};
let count = 0;
for (; !existsSync('../stop'); count += 1) {
  await sure(() => client.putTensor('key' + count, tensor(new Float32Array([count, 1]), [1, 2])));
  if (count % 10 === 0) await sure(() => client.runModel('double', 'key' + count, 'twice' + count));
  writeFileSync('../count', String(count));
}
console.log(count, 'put');
process.exit(0);
`;
/** A key of the second of three shards. */
const cutKey =
  Array.from({ length: 100 }, (_, at) => `cut:${at}`).find((key) => slotOf(key) >= 5461 && slotOf(key) <= 10922) ?? '';
/** Reads what has been put, and all that was made of it; fails until it is mended. */
const readAll = `
import { existsSync, readFileSync } from 'node:fs';
import { Client } from 'simwright/client';
const client = await Client.connect();
const count = Number(readFileSync('../count', 'utf8'));
let wrong = 0;
for (let at = 0; at <= count; at += 1) if ((await client.getTensor('key' + at)).data[0] !== at) wrong += 1;
for (let at = 0; at <= count; at += 10) if ((await client.getTensor('twice' + at)).data[0] !== 2 * at) wrong += 1;
console.log(process.env.SSDB, count > 60, 'wrong', wrong, (await client.getTensor('${cutKey}')).data[0]);
await client.close();
if (!existsSync('../mended')) process.exit(3);
`;
describe.skipIf(why !== '')(`stores in shards on a real Slurm${why === '' ? '' : ` (skipped: ${why})`}`, () => {
  const cluster = useCluster();
  let module = '';
  beforeAll(async () => {
    module = await builtModule();
  });

  async function compiled(chain: string): Promise<Workspace> {
    const workspace = sharedWorkspace();
    workspace.write('write.mjs', write);
    workspace.write('read.mjs', read);
    workspace.write('go-on.mjs', goOn);
    workspace.write('read-all.mjs', readAll);
    workspace.write('double.onnx', modelFile('double'));
    workspace.workflow(chain);
    await compileForSlurm(workspace, '--with-onnxruntime');
    mkdirSync(workspace.path('out/runtime/engine'), { recursive: true });
    copyFileSync(module, workspace.path('out/runtime/engine/simwright.so'));
    return workspace;
  }
  const output = (workspace: Workspace, name: string) =>
    existsSync(workspace.path(`out/run/${name}/${name}.out`)) ? workspace.read(`out/run/${name}/${name}.out`) : '';

  test('three shards on three nodes serve an application of two beside them, in one job', async () => {
    const workspace = await compiled(`experiment('inside')
  .batch({ nodes: 4, exclusive: true, walltime: '00:05:00' })
  .orchestrator({ engine: 'redis', shards: 3, saveAtEnd: ['sum'] })
  .model('writer', command('node', 'write.mjs').tasks(2).nodes(2)).attach({ copy: 'write.mjs' })
    .addMlModel('double', mlFile('double.onnx'), { backend: 'ONNX' })
  .model('reader', command('node', 'read.mjs')).attach({ copy: 'read.mjs' }).after('writer')`);
    workspace.write('out/run/mended', '');
    const { inside = '' } = await cluster().submit(workspace.path('out'));
    const [end] = await cluster().ended(inside);
    expect([end?.state, end?.exitCode], log(workspace, `inside-${inside}.out`)).toEqual(['COMPLETED', '0:0']);
    expect(output(workspace, 'reader')).toBe(`ready\n${sum}\n`);
    const lines = output(workspace, 'writer').trim().split('\n').sort();
    expect(lines.map((line) => line.split(' ').slice(0, 2))).toEqual([
      ['0', 'Clustered'],
      ['1', 'Clustered'],
    ]);
    const hosts = lines[0]
      ?.split(' ')[2]
      ?.split(',')
      .map((address) => address.split(':')[0]);
    expect(new Set(hosts).size, 'each shard has a node').toBe(3);
    expect(readdirSync(workspace.path('out/run/stores/orchestrator/saved'))).toEqual(['sum.npy']);
    await nothingLeft(workspace.path('out'));
  }, 540_000);

  test('shards with replicas outlive a cut network, a server, and a node that dies: the application goes on, and the next job has all', async () => {
    const workspace = await compiled(`experiment('safe')
  .batch({ nodes: 4, exclusive: true, walltime: '00:05:00' })
  .orchestrator({ engine: 'redis', shards: 3, replicas: 1 })
  .model('user', command('node', 'go-on.mjs')).attach({ copy: 'go-on.mjs' })
    .addMlModel('double', mlFile('double.onnx'), { backend: 'ONNX' })
  .model('reader', command('node', 'read-all.mjs')).attach({ copy: 'read-all.mjs' }).after('user')`);
    const { safe = '' } = await cluster().submit(workspace.path('out'), { SIMWRIGHT_LINK_TIMEOUT: '20' });
    const store = 'out/run/stores/orchestrator';
    const logs = () =>
      readdirSync(workspace.path(store))
        .filter((name) => name.endsWith('.log'))
        .map((name) => workspace.read(`${store}/${name}`))
        .join('');
    let most = 0;
    const count = () => {
      // The file may be empty just then.
      most = Math.max(most, Number(existsSync(workspace.path('out/run/count')) && workspace.read('out/run/count')));
      return most;
    };
    const said = () => log(workspace, `safe-${safe}.out`);
    const goesOn = async () => {
      const before = count();
      await waitUntil('the application goes on', () => count() > before + 20, 60);
    };
    await waitUntil('it has begun', () => count() > 20 || said().includes('error['), 40);
    expect(said()).not.toContain('error[');
    const { nodes } = JSON.parse(workspace.read(`${store}/address.json`));
    const { host, addresses } = nodes.find(({ shards }: { shards: number[] }) => shards.includes(1));
    const [name, port] = addresses[0].split(':');
    const ask = (...words: string[]) => cluster().on(host, 'redis-cli', '-h', name, '-p', port, ...words);

    // The node keeps its addresses: who is there reaches the server.
    await cluster().on('head', 'ip', 'link', 'set', host, 'down');
    await waitUntil('a user on the node itself puts', async () => {
      return (await ask('AI.TENSORSET', cutKey, 'INT32', '1', 'VALUES', '42')) === 'OK';
    });
    await new Promise((resolve) => setTimeout(resolve, cutSeconds * 1000));
    await cluster().on('head', 'ip', 'link', 'set', host, 'up');
    await goesOn();
    const replication = async (name: RegExp) => Number(name.exec(await ask('INFO', 'replication'))?.[1]);
    const written = await replication(/^master_repl_offset:(\d+)/m);
    await waitUntil('the replica has all', async () => (await replication(/^slave0:.*offset=(\d+)/m)) >= written, 30);
    expect(logs(), 'nobody took over').not.toMatch(/tak(es|en) over/);

    await cluster().on(host, 'pkill', '-KILL', '-f', `redis-server ${addresses[0]}`);
    await waitUntil('its replica has taken over', () => logs().includes('has taken over'), 30);
    await waitUntil('it is there again', () => logs().includes('is there again'), 30);
    expect(logs()).toContain(
      `shard 2 of 3 (slots 5461-10922, ${addresses[0]} on ${host}): the server died (SIGKILL); its replica takes over`,
    );
    await goesOn();
    const reports = () => storeReports(readPlan(workspace.path('out')), workspace.path('out'))[0]?.stats?.shards ?? [];
    await waitUntil('the report knows who has which slots', () => {
      const found = reports().map(({ first, address }) => `${first} ${address.split(':')[0]}`);
      return found.length === 3 && !found.includes(`5461 ${name}`);
    });

    await cluster().crash(host);
    await cluster().ask('scontrol', 'update', `nodename=${host}`, 'state=down', 'reason=power');
    await waitUntil('the store goes on', () => logs().includes(`goes on without ${host} `), 40);
    const now = () => JSON.parse(workspace.read(`${store}/address.json`)).nodes as { host: string; shards: number[] }[];
    await waitUntil(
      'all shards have moved',
      () => now().flatMap(({ shards }) => shards).length === 3 && now().length === 2,
      30,
    );
    await goesOn();
    workspace.write('out/run/stop', '');
    const [end] = await cluster().ended(safe);
    expect([end?.state, end?.exitCode, output(workspace, 'reader')], said()).toEqual([
      'FAILED',
      '3:0',
      expect.stringMatching(/^\S+ true wrong 0 42\n$/),
    ]);
    expect(output(workspace, 'reader')).not.toContain(`${name}:`);
    await cluster().boot(host);
    workspace.write('out/run/mended', '');
    const { safe: second = '' } = await cluster().submit(workspace.path('out'));
    expect((await cluster().ended(second))[0]?.state, log(workspace, `safe-${second}.out`)).toBe('COMPLETED');
    expect(output(workspace, 'reader')).toMatch(/ true wrong 0 42\n$/);
    await nothingLeft(workspace.path('out'));
  }, 540_000);

  test('three shards of a job of its own go on after a cut network; one is killed, the jobs end with its slots, and the next ones go on', async () => {
    // With four nodes the application shares one with a shard.
    const batch = (nodes: number) => `.batch({ nodes: ${nodes}, walltime: '00:05:00' })`;
    const workspace = await compiled(`experiment('apart')
  .orchestrator({ engine: 'redis', shards: 3, checkpointSeconds: 1 })${batch(3)}
  .model('writer', command('node', 'write.mjs').tasks(2).nodes(2)).attach({ copy: 'write.mjs' })
    .addMlModel('double', mlFile('double.onnx'), { backend: 'ONNX' })${batch(2)}
  .model('reader', command('node', 'read.mjs')).attach({ copy: 'read.mjs' }).after('writer')${batch(1)}`);
    const first = await cluster().submit(workspace.path('out'));
    await waitUntil('the reader has read', () => output(workspace, 'reader').includes('ready'), 120);
    const writtenMs = Date.now();
    const savedAt = (shard: number) => {
      const path = workspace.path(`out/run/stores/orchestrator/${shard}.saved.json`);
      return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')).checkpoints[0].stores.at(-1).upToMs : 0;
    };
    expect(writtenMs).toBeGreaterThan(0);
    await waitUntil('each shard has a checkpoint', () => [0, 1, 2].every((shard) => savedAt(shard) > 0), 60);
    const { nodes } = JSON.parse(workspace.read('out/run/stores/orchestrator/address.json'));
    expect(nodes.map(({ shards }: { shards: number[] }) => shards)).toEqual([[0], [1], [2]]);
    const [, , { host, addresses }] = nodes;
    const round = () => Number(workspace.has('out/run/round') && workspace.read('out/run/round'));
    await waitUntil('the reader puts and gets', () => round() > 0, 60);
    // One node is cut off from the other shards, the supervisor and Slurm; clients wait meanwhile.
    const cut = cluster().on(host, 'sh', '-c', `ip link set eth0 down && sleep ${cutSeconds}; ip link set eth0 up`);
    let [before, since] = [round(), performance.now()];
    await waitUntil('the reader waits', () => {
      if (round() !== before) [before, since] = [round(), performance.now()];
      return performance.now() - since > 2000;
    });
    await cut;
    await waitUntil('the reader goes on', () => round() > before + 2, 60);
    expect(await cluster().queued(first['orchestrator'] ?? '')).toEqual([expect.stringContaining('RUNNING')]);
    await cluster().on(host, 'pkill', '-KILL', '-f', `redis-server ${addresses.at(-1)}`);
    const [store] = await cluster().ended(first['orchestrator'] ?? '');
    const [reader] = await cluster().ended(first['reader'] ?? '');
    expect([store?.state, reader?.state]).toEqual(['FAILED', 'FAILED']);
    const said = log(workspace, `orchestrator-${first['orchestrator']}.out`);
    expect(said).toContain(
      `shard 3 of 3 (slots 10923-16383, ${addresses.at(-1)} on ${host}): the server died (SIGKILL)`,
    );
    workspace.write('out/run/mended', '');
    const second = await cluster().submit(workspace.path('out'));
    for (const job of ['orchestrator', 'writer', 'reader']) {
      const [end] = await cluster().ended(second[job] ?? '');
      expect([job, end?.state, log(workspace, `${job}-${second[job]}.out`)]).toEqual([
        job,
        'COMPLETED',
        expect.anything(),
      ]);
    }
    expect(output(workspace, 'reader')).toBe(`ready\n${sum}\n`);
    await nothingLeft(workspace.path('out'));
  }, 540_000);
});
