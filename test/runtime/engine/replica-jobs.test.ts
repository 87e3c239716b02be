import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { Redis } from 'ioredis';
import { beforeAll, describe, expect, test } from 'vitest';
import { changeLines, formatReport } from '../../../src/cli/jobs/report.js';
import { type ShardReport, storeReports } from '../../../src/cli/jobs/stores.js';
import type { Store } from '../../../src/ir/index.js';
import { readPlan } from '../../../src/runtime/job/read-plan.js';
import { slotOf } from '../../../src/runtime/slots.js';
import { useBundle } from '../support/bundle.js';
import type { JobFolder } from '../support/job-folder.js';
import { waitUntil } from '../support/wait-until.js';
import { lacks, orSkipped } from './support/lacks.js';
import { builtModule } from './support/servers.js';
import { double, logOf, outputOf, serversOf, steps, storeFolder } from './support/store-jobs.js';

const bundle = useBundle();
/** Milliseconds for which a replica hears nothing. */
const lagMs = 500;

describe.skipIf(lacks !== '')(orSkipped('a store with replicas', lacks), () => {
  let module: string;
  beforeAll(async () => {
    module = await builtModule();
  });

  test('on two nodes outlives a server, and then a node, and keeps all that was put', async () => {
    const launch = ['./bin/nodes', '2'];
    const folder = storeFolder(
      bundle(),
      module,
      { shards: 3, nodes: 2, replicas: 1, launch, mlModels: [double] } as Partial<Store>,
      `console.log(process.env.SSDB);
let index = 0;
const on = async (name) => {
  const before = index;
  while (!existsSync('../' + name) || index < before + 50) {
    await put('key' + index, index);
    if (index % 10 === 0) {
      await put('x', 1, 2);
      await client.runModel('double', ['x'], ['out']);
    }
    index += 1;
  }
};
await on('server');
let wrong = 0;
for (let at = 0; at < index; at += 1) if ((await read('key' + at)) !== String(at)) wrong += 1;
console.log('wrong', wrong);
await until('last');
await client.putTensor('{count}large', tensor(new Uint8Array(64 << 20).fill(7), [64 << 20]));
await put('count', index);
console.log('last');
await until('node');
process.exit(0);`,
      `let wrong = 0;
const count = Number(await read('count'));
for (let at = 0; at < count; at += 1) if ((await read('key' + at)) !== String(at)) wrong += 1;
await client.runModel('double', ['x'], ['out']);
const large = (await client.getTensor('{count}large')).data;
console.log(count >= 50, wrong, large.length >> 20, large.at(-1), await read('out'), process.env.SSDB);
if (!existsSync('../mended')) process.exit(3);`,
    );
    const plan = readPlan(folder.path());
    const report = () => ({
      ...{ experiment: 'e', site: 'local', folder: 'out', jobs: [], entities: [], clusters: [], problems: [] },
      stores: storeReports(plan, folder.path()),
    });
    const shown = (): readonly ShardReport[] => report().stores[0]?.stats?.shards ?? [];
    const states = () => shown().map(({ replica }) => replica?.state);
    const job = folder.start(steps(` -- ${launch.join(' ')}`));
    await waitUntil('it has begun', () => outputOf(folder) !== '');
    const known = outputOf(folder).trim().split(',');
    await waitUntil('replicas are shown', () => `${states()}` === 'in sync,in sync,in sync');
    expect(shown().map(({ address, takeOvers }) => [address, takeOvers])).toEqual(known.map((one) => [one, []]));
    const replica = shown()[1]?.replica?.address ?? '';
    expect(formatReport(report())).toMatch(new RegExp(` 5461-10922 +${known[1]} +${replica} in sync +0 `));
    const port = known[1]?.split(':')[1];
    const killed = serversOf(folder).find(({ command }) => command.includes(`:${port}`));
    process.kill(killed?.pid ?? 0, 'SIGKILL');
    const killedAt = performance.now();
    await waitUntil('it is noticed', () => logOf(folder).includes('(SIGKILL); its replica takes over'));
    expect(performance.now() - killedAt).toBeLessThan(1000);
    await waitUntil('it is there again', () => logOf(folder).includes('is there again'));
    expect(logOf(folder)).toMatch(/error shard 2 of 3 \(slots 5461-10922, \S+ on \S+\): the server died/);
    await waitUntil(
      'its new replica is shown',
      () => shown()[1]?.replica?.state === 'in sync' && shown()[1]?.takeOvers?.length === 1,
    );
    const [takeOver] = shown()[1]?.takeOvers ?? [];
    expect(shown()[1]).toMatchObject({ address: replica, takeOvers: [{ from: known[1], to: replica }] });
    expect(Math.abs(Date.now() - Date.parse(takeOver?.time ?? ''))).toBeLessThan(60_000);
    const line = `shard 2 of store store was taken over by ${replica} from ${known[1]} at ${takeOver?.time.slice(0, 19)}Z`;
    expect(formatReport(report()).split('\n')).toContain(line);
    expect(changeLines(report())).toEqual([expect.stringMatching(/^store store: 3 shards, 1 take-over, /), line]);
    folder.write('run/server', '');
    await waitUntil('the application has gone on', () => outputOf(folder).includes('wrong 0\n'));
    // Acknowledged writes are not lost, though the replica lags when the node is lost.
    const { leader, replica: follower } = await serversWith(folder, 'count', Number(port));
    process.kill(follower, 'SIGSTOP');
    folder.write('run/last', '');
    await waitUntil('the last one is put', () => outputOf(folder).endsWith('last\n'));
    process.kill(Number(/^PPid:\s*(\d+)/m.exec(readFileSync(`/proc/${leader}/status`, 'utf8'))?.[1]), 'SIGKILL');
    await new Promise((resolve) => setTimeout(resolve, lagMs));
    process.kill(follower, 'SIGCONT');
    // A client that looks for the shards before that would find the lost one.
    const heirs = () =>
      new Set(
        logOf(folder)
          .match(/shard 2 of 3 .* has taken over/g)
          ?.map((line) => /:(\d+) on/.exec(line)?.[1]),
      );
    await waitUntil('the other one has taken over', () => heirs().size === 2);
    await waitUntil('the store goes on', () => logOf(folder).includes('goes on without'));
    await waitUntil('it has moved', () => {
      const { nodes } = JSON.parse(folder.read('run/stores/store/address.json'));
      return nodes.length === 1 && nodes[0].shards.length === 3;
    });
    await waitUntil('its end is shown', () => `${states()}` === 'down,down,down');
    expect(shown().map(({ shard, first }) => [shard, first])).toEqual([
      [1, 0],
      [2, 5461],
      [3, 10923],
    ]);
    expect(new Set(shown().map(({ host }) => host)).size).toBe(1);
    expect(changeLines(report())[0]).toMatch(/^store store: 3 shards, 3 replicas down, [23] take-overs, /);
    folder.write('run/node', '');
    const end = await job.ended;
    expect(end.code, end.stderr).toBe(3);
    expect(folder.read('run/analysis/analysis.out'), logOf(folder)).toMatch(/^true 0 64 7 2,4 /);
    const restored = folder.start(steps(` -- ${launch.join(' ')}`));
    folder.write('run/mended', '');
    expect(await restored.ended).toMatchObject({ code: 0, stderr: '' });
    expect(folder.read('run/analysis/analysis.out')).toMatch(/^true 0 64 7 2,4 /);
    await folder.expectNothingLeft(restored);
  });

  test('starts again with what the server that took over had saved when a client said so, and leaves the newest tensors', async () => {
    const launch = ['./bin/nodes', '2'];
    const folder = storeFolder(
      bundle(),
      module,
      { shards: 2, nodes: 2, replicas: 1, launch, restart: true, saveAtEnd: ['?'] } as Partial<Store>,
      `const all = ['a', 'b', 'c', 'd', 'e'];
for (const key of all) await put(key, 1);
console.log(process.env.SSDB);
await until('taken-over');
for (const key of all) await put(key, 2);
console.log('put');
await until('restarted');
const again = await Client.connect({ env: { ...process.env, SR_CONN_TIMEOUT: '60', SR_CONN_INTERVAL: '100' } });
const values = [];
for (const key of all) values.push((await again.tensorExists(key)) ? (await again.getTensor(key)).data[0] : 'nothing');
appendFileSync('../values', values.join() + '\\n');
for (const key of all) await again.putTensor(key, tensor(new Float32Array([3]), [1]));
process.exit(0);`,
    );
    const job = folder.start(steps(` -- ${launch.join(' ')}`));
    await waitUntil('it has begun', () => outputOf(folder) !== '');
    const [first = '', second = ''] = outputOf(folder).trim().split(',');
    const kill = (address: string) =>
      process.kill(serversOf(folder).find(({ command }) => command.includes(address))?.pid ?? 0, 'SIGKILL');
    kill(second);
    await waitUntil('it is there again', () => logOf(folder).includes('is there again'));
    folder.write('run/taken-over', '');
    await waitUntil('all is put', () => outputOf(folder).endsWith('put\n'));
    // By the addresses that users know, one of which leads to the server that has taken over.
    for (const address of [first, second]) {
      const redis = new Redis(Number(address.split(':')[1]));
      expect(await redis.save()).toBe('OK');
      redis.disconnect();
    }
    await waitUntil('both shards are saved', () =>
      [0, 1].every((shard) => existsSync(folder.path(`run/stores/store/${shard}.checkpoint`))),
    );
    expect(readdirSync(folder.path('run/stores/store')).filter((name) => name.startsWith('.server'))).toEqual([]);
    const [, own = ''] = /(\S+) on \S+\) has taken over/.exec(logOf(folder)) ?? [];
    const [, replaced = ''] = /(\S+) on \S+\) is there again/.exec(logOf(folder)) ?? [];
    kill(own);
    kill(replaced);
    const restarts = () => JSON.parse(folder.read('run/stores/store/address.json'));
    await waitUntil('the store is there again', () => restarts().restarts === 1 && restarts().id !== '');
    folder.write('run/restarted', '');
    expect(await job.ended).toMatchObject({ code: 0, stderr: '' });
    expect(folder.read('run/values').split('\n')[0]).toBe('2,2,2,2,2');
    const saved = ['a', 'b', 'c', 'd', 'e'].map((key) =>
      readFileSync(folder.path(`run/stores/store/saved/${key}.npy`)).readFloatLE(128),
    );
    expect(saved).toEqual([3, 3, 3, 3, 3]);
    await folder.expectNothingLeft(job);
  });
});

/** Process ids of the two servers that have a key, by one that knows where they are. */
async function serversWith(folder: JobFolder, key: string, port: number): Promise<{ leader: number; replica: number }> {
  const redis = new Redis(port);
  let pids: (number | undefined)[] = [];
  await waitUntil('both servers are known', async () => {
    const shards = (await redis.call('CLUSTER', 'SLOTS')) as [number, number, ...[string, number][]][];
    const [, , ...places] = shards.find(([first, last]) => first <= slotOf(key) && slotOf(key) <= last) ?? [0, 0];
    const all = serversOf(folder);
    pids = places.map(([, at]) => all.find(({ command }) => command.includes(`:${at}`))?.pid);
    return (pids[0] ?? 0) > 0 && (pids[1] ?? 0) > 0;
  });
  redis.disconnect();
  const [leader = Number.NaN, replica = Number.NaN] = pids;
  return { leader, replica };
}
