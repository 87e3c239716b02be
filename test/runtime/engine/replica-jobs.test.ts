import { beforeAll, describe, expect, test } from 'vitest';
import { changeLines, formatReport } from '../../../src/cli/jobs/report.js';
import { type ShardReport, storeReports } from '../../../src/cli/jobs/stores.js';
import type { Store } from '../../../src/ir/index.js';
import { readPlan } from '../../../src/runtime/job/read-plan.js';
import { useBundle } from '../support/bundle.js';
import { waitUntil } from '../support/wait-until.js';
import { lacks } from './support/lacks.js';
import { builtModule } from './support/servers.js';
import { double, logOf, outputOf, serversOf, steps, storeFolder } from './support/store-jobs.js';

const bundle = useBundle();

describe.skipIf(lacks !== '')(`a store with replicas${lacks === '' ? '' : ` (skipped: there is no ${lacks})`}`, () => {
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
await put('count', index);
console.log('wrong', wrong);
await until('node');
process.exit(0);`,
      `let wrong = 0;
const count = Number(await read('count'));
for (let at = 0; at < count; at += 1) if ((await read('key' + at)) !== String(at)) wrong += 1;
await client.runModel('double', ['x'], ['out']);
console.log(count >= 50, wrong, await read('out'), process.env.SSDB);
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
    const holder = folder.processes().find(({ command }) => /^\S*node .*simwright\.mjs store/.test(command));
    process.kill(holder?.pid ?? 0, 'SIGKILL');
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
    expect(folder.read('run/analysis/analysis.out')).toMatch(/^true 0 2,4 /);
    const restored = folder.start(steps(` -- ${launch.join(' ')}`));
    folder.write('run/mended', '');
    expect(await restored.ended).toMatchObject({ code: 0, stderr: '' });
    expect(folder.read('run/analysis/analysis.out')).toMatch(/^true 0 2,4 /);
    await folder.expectNothingLeft(restored);
  });
});
