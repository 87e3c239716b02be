import { rmSync } from 'node:fs';
import { expect, test } from 'vitest';
import { useBundle } from './support/bundle.js';
import { JobFolder } from './support/job-folder.js';
import { makePlan } from './support/make-plan.js';

const bundle = useBundle();

const client = (body: string) => `
import { Client, Dataset, tensor } from 'simwright/client';
import { existsSync, writeFileSync } from 'node:fs';
const until = async (test) => { while (!(await test())) await new Promise((resolve) => setTimeout(resolve, 20)); };
const client = await Client.connect();
const one = (value) => tensor(new Float64Array([value]), [1]);
${body}
await client.close();
`;

/** Puts its value, as a tensor and in a data set, once the watcher has looked if there is one to wait for; ends early if it is sick. */
const sim = client(`console.log('ran', process.env.VALUE);
if (existsSync('../sick')) process.exit(4);
if (existsSync('../watched')) await until(() => existsSync('../looked'));
const fields = new Dataset('fields');
fields.addTensor('u', one(Number(process.env.VALUE)));
await client.putDataset(fields);
await client.putTensor('energy', one(Number(process.env.VALUE)));`);

/** Looks at what is there when the simulation has started, waits for its value, and fails until it is told that all is well. */
const watcher = client(`client.setDataSource('sim');
console.log(await client.tensorExists('energy'), await client.datasetExists('fields'));
writeFileSync('../looked', '');
await until(() => existsSync('../sick') || client.tensorExists('energy'));
if (existsSync('../sick')) process.exit(3);
console.log((await client.getTensor('energy')).data[0]);
if (!existsSync('../well')) process.exit(3);`);

const planOf = (value: string) =>
  makePlan(
    [
      { name: 'sim', stores: ['store'], keyPrefixing: true, env: { VALUE: value } },
      { name: 'watcher', stores: ['store'], incoming: ['sim'], after: [{ name: 'sim', event: 'started' }] },
    ],
    [{ name: 'store' }],
  );
const steps = `
runtime up store
runtime launch sim -- node ../sim.mjs & launched+=($!)
runtime launch watcher -- node ../watcher.mjs & launched+=($!)`;

async function go(folder: JobFolder, value: string) {
  folder.write('plan.json', JSON.stringify(planOf(value)));
  return folder.run(steps);
}

/** A folder in which the simulation has completed, and whoever watches it has not. */
async function watchedOnce(): Promise<JobFolder> {
  const folder = new JobFolder(bundle(), planOf('1'));
  folder.write('run/sim.mjs', sim);
  folder.write('run/watcher.mjs', watcher);
  expect(await go(folder, '1')).toMatchObject({ code: 3, stderr: '' });
  expect(folder.states('sim')).toEqual(['completed']);
  return folder;
}

const saved = (folder: JobFolder) =>
  (JSON.parse(folder.read('run/stores/store/saved.json')).checkpoints[0].stores as { without?: string[] }[]).map(
    ({ without }) => without,
  );

test('who reads beside a writer that begins anew sees nothing of its former run; of one that stays done, everything', async () => {
  const folder = await watchedOnce();
  expect((await go(folder, '1')).stdout).toContain('watcher: failed\n');
  expect(folder.read('run/watcher/watcher.out')).toBe('true true\n1\n');
  expect(saved(folder)).toEqual([undefined, undefined]);

  folder.write('run/watched', '');
  folder.write('run/well', '');
  rmSync(folder.path('run/looked'));
  const changed = await go(folder, '2');
  expect(changed).toMatchObject({ code: 0, stderr: '' });
  expect(folder.read('run/watcher/watcher.out')).toBe('false false\n2\n');
}, 180_000);

test('a change that is taken back: whose keys were left out is not taken for done', async () => {
  const folder = await watchedOnce();
  folder.write('run/sick', '');
  expect(await go(folder, '2')).toMatchObject({ code: 4 });
  expect(saved(folder)[0]).toEqual(['sim']);

  rmSync(folder.path('run/sick'));
  folder.write('run/well', '');
  const back = await go(folder, '1');
  expect(back).toMatchObject({ code: 0, stderr: '' });
  expect(back.stdout).toContain("sim: its data are no longer in store 'store': its directory is run/aside/sim/sim.1\n");
  expect(folder.read('run/sim/sim.out')).toBe('ran 1\n');
  expect(folder.read('run/watcher/watcher.out')).toContain('1\n');
}, 180_000);
