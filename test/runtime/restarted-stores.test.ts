import { existsSync, rmSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Event, Store } from '../../src/ir/index.js';
import { useBundle } from './support/bundle.js';
import { JobFolder } from './support/job-folder.js';
import { makePlan } from './support/make-plan.js';
import { waitUntil } from './support/wait-until.js';

const bundle = useBundle();

const client = (body: string) => `
import { Client, tensor } from 'simwright/client';
import { appendFileSync, existsSync } from 'node:fs';
const go = async (name) => { while (!existsSync('../' + name)) await new Promise((resolve) => setTimeout(resolve, 20)); };
const say = (text) => appendFileSync('../' + process.env.SIMWRIGHT_NAME + '.said', text + '\\n');
const put = (value) => client.putTensor('energy', tensor(Float64Array.of(value), [1]));
const read = async () => (await client.tensorExists('energy')) ? (await client.getTensor('energy')).data[0] : 'nothing';
${body}
await client.close();
`;

/** Saves 1, ends with 42. */
const sim = client(`
const client = await Client.connect();
await put(1);
await client.save();
await put(42);
say('ran');`);
/** Reads once it may. */
const analysis = client(`
say('started');
await go('go');
const client = await Client.connect();
say('read ' + await read());`);

const steps = `
runtime up store
runtime launch sim -- node ../sim.mjs & launched+=($!)
runtime launch analysis -- node ../analysis.mjs & launched+=($!)`;

function folderWith(event: Event, scripts: Record<string, string> = {}): JobFolder {
  const entities = [
    { name: 'sim', stores: ['store'] },
    { name: 'analysis', stores: ['store'], after: [{ name: 'sim', event }] },
  ];
  const folder = new JobFolder(
    bundle(),
    makePlan(entities, [{ name: 'store', kind: 'standalone', restart: true } as Store]),
  );
  for (const [name, text] of Object.entries({ sim, analysis, ...scripts })) folder.write(`run/${name}.mjs`, text);
  return folder;
}

const said = (folder: JobFolder, name: string) =>
  existsSync(folder.path(`run/${name}.said`)) ? folder.read(`run/${name}.said`) : '';

async function killStore(folder: JobFolder): Promise<void> {
  const before = JSON.parse(folder.read('run/stores/store/address.json'));
  process.kill(before.nodes[0].pid, 'SIGKILL');
  await waitUntil('another store is there', () => {
    const now = JSON.parse(folder.read('run/stores/store/address.json'));
    return now.id !== '' && now.id !== before.id;
  });
}

describe('a store that is started again with less than it had', () => {
  test('while a reader runs: who wrote runs again, and then who read', async () => {
    const folder = folderWith('completed');
    const job = folder.start(steps);
    await waitUntil('the reader runs', () => said(folder, 'analysis') === 'started\n');
    await killStore(folder);
    folder.write('run/go', '');
    const end = await job.ended;
    expect(end).toMatchObject({ code: 0, stderr: '' });
    expect(said(folder, 'sim')).toBe('ran\nran\n');
    expect(said(folder, 'analysis')).toBe('started\nread 1\nstarted\nread 42\n');
    expect(end.stdout).toContain("sim: its data are no longer in store 'store'\n");
    expect(end.stdout).toContain('analysis: 1 completed\n');
    expect(folder.states('sim')).toEqual(['completed']);
    expect(folder.read(`run/status/main.analysis.${job.pid}.jsonl`)).toContain(
      "store 'store' was started again, and no longer has the data of sim",
    );
    await folder.expectNothingLeft(job);
  });

  test('a reader that fails for it runs again, too', async () => {
    const folder = folderWith('completed', {
      analysis: client(`
const client = await Client.connect();
say('started');
await go('go');
say('read ' + await read());`),
    });
    const job = folder.start(steps);
    await waitUntil('the reader runs', () => said(folder, 'analysis') === 'started\n');
    await killStore(folder);
    folder.write('run/go', '');
    expect((await job.ended).code).toBe(0);
    expect(said(folder, 'analysis')).toMatch(/^started\n(read \S+\n)?started\nread 42\n$/);
  });

  test('with all that was written since, nobody runs again', async () => {
    const folder = folderWith('completed', {
      sim: client('const client = await Client.connect();\nawait put(42);\nsay("ran");'),
      analysis: client(`
say('started');
const client = await Client.connect();
await new Promise((resolve) => setTimeout(resolve, 1100));
await client.save();
say('saved');
await go('go');
say('read ' + await (await Client.connect().then((other) => other.getTensor('energy'))).data[0]);
process.exit(0);`),
    });
    const job = folder.start(steps);
    await waitUntil('it is saved', () => said(folder, 'analysis') === 'started\nsaved\n');
    await killStore(folder);
    folder.write('run/go', '');
    expect(await job.ended).toMatchObject({ code: 0, stderr: '' });
    expect(said(folder, 'sim')).toBe('ran\n');
    expect(said(folder, 'analysis')).toBe('started\nsaved\nread 42\n');
  });

  test('while writer and reader run side by side: the reader has not completed, and the next job is right', async () => {
    const folder = folderWith('started', {
      sim: client("const client = await Client.connect();\nawait put(1);\nsay('put');\nawait go('end');"),
    });
    const job = folder.start(steps);
    await waitUntil('both run', () => said(folder, 'sim') === 'put\n' && said(folder, 'analysis') === 'started\n');
    await killStore(folder);
    folder.write('run/go', '');
    await waitUntil('the reader has read', () => said(folder, 'analysis') === 'started\nread nothing\n');
    folder.write('run/end', '');
    const end = await job.ended;
    expect(end.code).toBe(1);
    expect(folder.members('analysis')).toMatchObject([
      { state: 'interrupted', reason: "store 'store' was started again, and no longer has the data of sim" },
    ]);
    rmSync(folder.path('run/go'));
    const again = folder.start(steps);
    await waitUntil('the writer has written again', () => said(folder, 'sim') === 'put\nput\n');
    folder.write('run/go', '');
    expect((await again.ended).code).toBe(0);
    expect(said(folder, 'analysis')).toMatch(/read 1\n$/);
  });
});
