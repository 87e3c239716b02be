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

/** Puts its value, as a tensor and in a data set, once the watcher has looked if there is one to wait for. */
const sim = client(`console.log('ran', process.env.VALUE);
if (existsSync('../watched')) await until(() => existsSync('../looked'));
const fields = new Dataset('fields');
fields.addTensor('u', one(Number(process.env.VALUE)));
await client.putDataset(fields);
await client.putTensor('energy', one(Number(process.env.VALUE)));`);

/** Looks at what is there when the simulation has started, waits for its value, and fails until it is told that all is well. */
const watcher = client(`client.setDataSource('sim');
console.log(await client.tensorExists('energy'), await client.datasetExists('fields'));
writeFileSync('../looked', '');
await until(() => client.tensorExists('energy'));
console.log((await client.getTensor('energy')).data[0]);
if (!existsSync('../well')) process.exit(3);`);

const planOf = (value: string, keyPrefixing = true) =>
  makePlan(
    [
      { name: 'sim', stores: ['store'], keyPrefixing, env: { VALUE: value } },
      {
        name: 'watcher',
        stores: ['store'],
        incoming: keyPrefixing ? ['sim'] : [],
        after: [{ name: 'sim', event: 'started' }],
      },
    ],
    [{ name: 'store' }],
  );
const steps = `
runtime up store
runtime launch sim -- node ../sim.mjs & launched+=($!)
runtime launch watcher -- node ../watcher.mjs & launched+=($!)`;

async function go(folder: JobFolder, value: string, keyPrefixing = true, all = steps) {
  folder.write('plan.json', JSON.stringify(planOf(value, keyPrefixing)));
  return folder.run(all);
}

/** A folder in which the simulation has completed, and whoever watches it has not. */
async function watchedOnce(keyPrefixing = true): Promise<JobFolder> {
  const folder = new JobFolder(bundle(), planOf('1', keyPrefixing));
  folder.write('run/sim.mjs', sim);
  folder.write('run/watcher.mjs', keyPrefixing ? watcher : watcher.replace("client.setDataSource('sim');", ''));
  expect(await go(folder, '1', keyPrefixing)).toMatchObject({ code: 3, stderr: '' });
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
  // The store is over before the simulation has begun.
  expect(await go(folder, '2', true, 'runtime up store')).toMatchObject({ code: 0, stderr: '' });
  expect(saved(folder)[0]).toEqual(['sim']);

  folder.write('run/well', '');
  const back = await go(folder, '1');
  expect(back).toMatchObject({ code: 0, stderr: '' });
  expect(back.stdout).toContain("sim: its data are no longer in store 'store'\n");
  expect(folder.read('run/sim/sim.out')).toBe('ran 1\n');
  expect(folder.read('run/watcher/watcher.out')).toContain('1\n');
}, 180_000);

test('a directory does not come back for those who would read in a store what others have written over since', async () => {
  const folder = await watchedOnce(false);
  expect((await go(folder, '2', false)).code).toBe(3);
  folder.write('run/well', '');
  const back = await go(folder, '1', false);
  expect(back).toMatchObject({ code: 0, stderr: '' });
  expect(back.stdout).toContain("sim: its data are no longer in store 'store': its directory is run/aside/sim/sim.1\n");
  expect(folder.read('run/sim/sim.out')).toBe('ran 1\n');
}, 180_000);
