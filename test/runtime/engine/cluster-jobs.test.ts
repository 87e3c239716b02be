import { existsSync, readdirSync, rmSync } from 'node:fs';
import { hostname } from 'node:os';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Store } from '../../../src/ir/index.js';
import { freePorts } from '../../../src/runtime/supervisor/free-port.js';
import { useBundle } from '../support/bundle.js';
import { waitUntil } from '../support/wait-until.js';
import { lacks } from './support/lacks.js';
import { builtModule } from './support/servers.js';
import { double, keys, logOf, outputOf, serversOf, statsOf, steps, storeFolder } from './support/store-jobs.js';

const bundle = useBundle();

describe.skipIf(lacks !== '')(`a store in shards${lacks === '' ? '' : ` (skipped: there is no ${lacks})`}`, () => {
  let module: string;
  beforeAll(async () => {
    module = await builtModule();
  });

  const folderWith = (store: Partial<Store>, sim: string, analysis?: string) =>
    storeFolder(bundle(), module, { shards: 3, ...store }, sim, analysis);
  const run = `for (const key of keys) {
  await put(key, 1, 2);
  await client.runModel('double', [key], ['twice' + key]);
  console.log(await read('twice' + key));
}`;
  const ran = '2,4\n'.repeat(keys.length);

  test('on one node runs preloaded models on every shard, with one AI layer, and leaves nothing', async () => {
    const folder = folderWith(
      { mlModels: [double], saveAtEnd: ['twice?'] } as Partial<Store>,
      `console.log(process.env.SR_DB_TYPE, process.env.SSDB.split(',').length);\n${run}\nawait until('seen');`,
    );
    const job = folder.start(steps());
    await waitUntil('it has run', () => outputOf(folder).endsWith(ran));
    expect(folder.runtimeProcesses('ai-worker')).toHaveLength(1);
    expect(serversOf(folder)).toHaveLength(3);
    expect(statsOf(folder).shards?.map(({ first, last }) => [first, last])).toEqual([
      [0, 5460],
      [5461, 10922],
      [10923, 16383],
    ]);
    folder.write('run/seen', '');
    expect(await job.ended).toMatchObject({ code: 0, stderr: '' });
    expect(outputOf(folder)).toBe(`Clustered 3\n${ran}`);
    // Each shard has the model.
    expect(statsOf(folder)).toMatchObject({ inferences: keys.length, keys: 2 * keys.length + 3 });
    expect(logOf(folder)).toContain("info ML model 'double' is loaded and warmed up");
    expect(readdirSync(folder.path('run/stores/store/saved')).sort()).toEqual(
      ['a', 'b', 'c', 'd', 'e'].map((key) => `twice${key}.npy`),
    );
    await folder.expectNothingLeft(job);
  });

  test('on several nodes, several a node, is formed by the supervisor, saved by shards and restored', async () => {
    const folder = folderWith(
      { shards: 5, nodes: 2, mlModels: [double], launch: ['./bin/nodes', '2'] } as Partial<Store>,
      `${run}\nfor (const key of keys) await put('kept' + key, 42);`,
      `for (const key of keys) console.log(await read('kept' + key));\nif (!existsSync('../mended')) process.exit(3);`,
    );
    expect(await folder.run(steps(' -- ./bin/nodes 2'))).toMatchObject({ code: 3, stderr: '' });
    expect(outputOf(folder)).toBe(ran);
    for (const shard of [0, 1, 2, 3, 4]) {
      const { checkpoints } = JSON.parse(folder.read(`run/stores/store/${shard}.saved.json`));
      expect(checkpoints).toMatchObject([{ stores: [{ nodes: 5, whole: true }] }]);
    }
    folder.write('run/mended', '');
    rmSync(folder.path('run/sim/sim.out'));
    const job = folder.start(steps(' -- ./bin/nodes 2'));
    expect(await job.ended).toMatchObject({ code: 0, stderr: '' });
    expect(folder.read('run/analysis/analysis.out')).toBe('42\n'.repeat(keys.length));
    expect(existsSync(folder.path('run/sim/sim.out')), 'what is done is not run again').toBe(false);
    await folder.expectNothingLeft(job);
  });

  test('does not take the checkpoint of another number of shards', async () => {
    const folder = folderWith({}, '');
    folder.write('run/stores/store/checkpoint', 'of one');
    const end = await folder.run('runtime up store');
    expect(end.code).toBe(1);
    expect(end.stderr).toContain("error[RUN1044]: store 'store' has 3 shards, and its checkpoint was saved by 1");
    expect(folder.read('run/stores/store/checkpoint')).toBe('of one');
  });

  test('names the node that never comes', async () => {
    const folder = folderWith({ nodes: 2, launch: ['./bin/nodes', '1'] } as Partial<Store>, '');
    const end = await folder.run('export SIMWRIGHT_HOSTS="$(hostname) ghost"\nruntime up store -- ./bin/nodes 1', {
      SIMWRIGHT_JOIN_TIMEOUT: '1',
    });
    expect(end.code).toBe(1);
    expect(end.stderr).toContain(
      "error[RUN1004]: store 'store' is to run on 2 nodes, and 1 did not come within 1 s of the first: ghost",
    );
    expect([serversOf(folder), folder.runtimeProcesses('store')]).toEqual([[], []]);
  });

  test('names the shard and the node whose port is taken', async () => {
    const [port = 0] = await freePorts(1, '127.0.0.1');
    // Both nodes are this one, so the second to start finds the port taken.
    const folder = folderWith({ nodes: 2, shards: 2, port, launch: ['./bin/nodes', '2'] } as Partial<Store>, '');
    const end = await folder.run('runtime up store -- ./bin/nodes 2');
    expect(end.code).toBe(1);
    const shard = `shard (1 of 2 \\(slots 0-8191|2 of 2 \\(slots 8192-16383), 127\\.0\\.0\\.1:${port} on ${hostname()}\\)`;
    expect(end.stderr).toMatch(new RegExp(`^error\\[RUN1003\\]: ${shard}`));
    expect([serversOf(folder), folder.runtimeProcesses('store')]).toEqual([[], []]);
  });

  test.each(['one node', 'two nodes'])(
    'with a shard killed on %s ends its job, which names the slots',
    async (where) => {
      const launch = where === 'one node' ? [] : ['./bin/nodes', '2'];
      const nodes = where === 'one node' ? 1 : 2;
      const folder = folderWith({ nodes, launch }, "await put('x', 1);\nconsole.log('put');\nawait until('never');");
      const job = folder.start(steps(launch.length === 0 ? '' : ` -- ${launch.join(' ')}`));
      await waitUntil('it has begun', () => outputOf(folder) !== '');
      const { nodes: known } = JSON.parse(folder.read('run/stores/store/address.json'));
      const second = known
        .flatMap(({ addresses, shards }: { addresses: string[]; shards: number[] }) =>
          shards.map((shard, at) => ({ shard, address: addresses[at] ?? '' })),
        )
        .find(({ shard }: { shard: number }) => shard === 1).address as string;
      const port = second.split(':')[1];
      const killed = serversOf(folder).find(({ command }) => command.includes(`:${port}`));
      process.kill(killed?.pid ?? 0, 'SIGKILL');
      const killedAt = performance.now();
      await waitUntil('it is noticed', () => logOf(folder).includes('(SIGKILL)'));
      expect(performance.now() - killedAt).toBeLessThan(1000);
      const end = await job.ended;
      expect(end.code).not.toBe(0);
      expect(end.stderr).toContain("error[RUN1005]: store 'store' died");
      expect(end.stderr).toContain(`shard 2 of 3 (slots 5461-10922, ${second} on `);
      await folder.expectNothingLeft(job);
    },
  );

  test.each(['one node', 'two nodes'])(
    'on %s starts again where it was when a shard is killed, with what the others had',
    async (where) => {
      const launch = where === 'one node' ? [] : ['./bin/nodes', '2'];
      const nodes = where === 'one node' ? 1 : 2;
      const folder = folderWith(
        { nodes, launch, restart: true, mlModels: [double] } as Partial<Store>,
        `for (const key of keys) await put(key, 1, 2);
console.log(process.env.SSDB);
await until('killed');
const again = await Client.connect({ env: { ...process.env, SR_CONN_TIMEOUT: '60', SR_CONN_INTERVAL: '100' } });
let there = 0;
for (const key of keys) if (await again.tensorExists(key)) there += 1;
await again.putTensor('new', tensor(new Float32Array([3, 3]), [1, 2]));
await again.runModel('double', ['new'], ['out']);
appendFileSync('../counts', there + '\\n');
console.log((await again.getTensor('out')).data[0]);
await again.close();
process.exit(0);`,
      );
      const job = folder.start(steps(launch.length === 0 ? '' : ` -- ${launch.join(' ')}`));
      await waitUntil('it has begun', () => outputOf(folder) !== '');
      const [port] = /(?<=:)\d+/.exec(outputOf(folder)) ?? [];
      process.kill(serversOf(folder).find(({ command }) => command.includes(`:${port}`))?.pid ?? 0, 'SIGKILL');
      const restarts = () => JSON.parse(folder.read('run/stores/store/address.json'));
      await waitUntil('it is there again', () => restarts().restarts === 1 && restarts().id !== '');
      folder.write('run/killed', '');
      expect(await job.ended).toMatchObject({ code: 0, stderr: '' });
      expect(outputOf(folder)).toMatch(/\n6\n$/);
      const counts = folder.read('run/counts').split('\n').slice(0, -1).map(Number);
      expect(counts[0], 'the others had saved theirs').toBeGreaterThan(0);
      expect(counts[0], 'those of the killed one are lost').toBeLessThan(keys.length);
      expect(counts.at(-1), 'whoever had written them has run again').toBe(keys.length);
      await folder.expectNothingLeft(job);
    },
  );
});
