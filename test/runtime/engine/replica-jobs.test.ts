import { beforeAll, describe, expect, test } from 'vitest';
import type { Store } from '../../../src/ir/index.js';
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
    const job = folder.start(steps(` -- ${launch.join(' ')}`));
    await waitUntil('it has begun', () => outputOf(folder) !== '');
    const known = outputOf(folder).trim().split(',');
    const port = known[1]?.split(':')[1];
    const killed = serversOf(folder).find(({ command }) => command.includes(`:${port}`));
    process.kill(killed?.pid ?? 0, 'SIGKILL');
    const killedAt = performance.now();
    await waitUntil('it is noticed', () => logOf(folder).includes('(SIGKILL); its replica takes over'));
    expect(performance.now() - killedAt).toBeLessThan(1000);
    await waitUntil('it is there again', () => logOf(folder).includes('is there again'));
    expect(logOf(folder)).toMatch(/error shard 2 of 3 \(slots 5461-10922, \S+ on \S+\): the server died/);
    folder.write('run/server', '');
    await waitUntil('the application has gone on', () => outputOf(folder).includes('wrong 0\n'));
    const holder = folder.processes().find(({ command }) => /^\S*node .*simwright\.mjs store/.test(command));
    process.kill(holder?.pid ?? 0, 'SIGKILL');
    await waitUntil('the store goes on', () => logOf(folder).includes('goes on without'));
    await waitUntil('it has moved', () => {
      const { nodes } = JSON.parse(folder.read('run/stores/store/address.json'));
      return nodes.length === 1 && nodes[0].shards.length === 3;
    });
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
