import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Store } from '../../src/ir/index.js';
import { useBundle } from './support/bundle.js';
import { JobFolder, type RunningJob } from './support/job-folder.js';
import { makePlan } from './support/make-plan.js';
import { mayMount, Tmpfs } from './support/tmpfs.js';
import { waitUntil } from './support/wait-until.js';

const bundle = useBundle();

const client = (body: string) => `
import { Client, tensor } from 'simwright/client';
import { existsSync } from 'node:fs';
const go = async (name) => { while (!existsSync('../' + name)) await new Promise((resolve) => setTimeout(resolve, 20)); };
const client = await Client.connect();
const put = (value, count = 1) => client.putTensor('energy', tensor(new Float32Array(count).fill(value), [count]));
${body}
await client.close();
`;

/** 1 after its first step, 42 at the end. */
const sim = client("await put(1);\nawait client.save();\nawait put(42);\nconsole.log('ran');");
const analysis = client(
  "await go('go');\nclient.setDataSource('sim');\nconsole.log('read', (await client.getTensor('energy')).data[0]);",
);
const steps = `
runtime up store
runtime launch sim -- node ../sim.mjs & launched+=($!)
runtime launch analysis -- node ../analysis.mjs & launched+=($!)`;

function folderWith(store: Partial<Store> = {}, scripts: Record<string, string> = {}): JobFolder {
  const plan = makePlan(
    [
      { name: 'sim', stores: ['store'], keyPrefixing: true },
      { name: 'analysis', stores: ['store'], incoming: ['sim'], after: [{ name: 'sim', event: 'completed' as const }] },
    ],
    [{ name: 'store', ...store } as Store],
  );
  const folder = new JobFolder(bundle(), plan);
  for (const [name, text] of Object.entries({ sim, analysis, ...scripts })) folder.write(`run/${name}.mjs`, text);
  return folder;
}

const outputOf = (folder: JobFolder, name: string) =>
  existsSync(folder.path(`run/${name}/${name}.out`)) ? folder.read(`run/${name}/${name}.out`) : '';

function startAnalysed(folder: JobFolder): Promise<RunningJob> {
  const job = folder.start(steps);
  return waitUntil('the analysis runs', () => folder.states('analysis')[0] === 'running').then(() => job);
}

/** Kills a job as a node does that loses its power: everything at once, the store first. */
function killAll(folder: JobFolder, job: RunningJob): void {
  const processes = folder.processes();
  const rank = (command: string) => (command.includes('simwright.mjs store') ? 0 : 1);
  for (const { pid } of [...processes.sort((a, b) => rank(a.command) - rank(b.command)), { pid: job.pid }]) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has just ended.
    }
  }
}

/** The rerun says that the data are gone, runs the simulation again, and the analysis reads its end. */
async function expectRightAgain(folder: JobFolder): Promise<void> {
  folder.write('run/go', '');
  const again = await folder.run(steps);
  expect(again).toMatchObject({ code: 0, stderr: '' });
  expect(again.stdout).toContain("sim: its data are no longer in store 'store'\nsim: 1 completed\n");
  expect(again.stdout).toContain('analysis: 1 completed\n');
  expect(outputOf(folder, 'analysis')).toMatch(/^read 42\n$/);
}

describe('a store that is killed when its data are newer than its checkpoint', () => {
  test('before they were read: who wrote them runs again', async () => {
    const folder = folderWith();
    const job = await startAnalysed(folder);
    folder.killRuntime('store');
    const end = await job.ended;
    expect(end.code).not.toBe(0);
    expect(end.stderr).toContain("error[RUN1005]: store 'store' died (SIGKILL)");
    expect(folder.states('sim')).toEqual(['completed']);
    await expectRightAgain(folder);
  });

  test('without any checkpoint, as by default', async () => {
    const folder = folderWith({}, { sim: client('await put(42);') });
    const job = await startAnalysed(folder);
    folder.killRuntime('store');
    expect((await job.ended).code).not.toBe(0);
    await expectRightAgain(folder);
  });

  test('with its whole node', async () => {
    const folder = folderWith();
    const job = await startAnalysed(folder);
    killAll(folder, job);
    await job.ended;
    await expectRightAgain(folder);
  });

  test('and nothing to be saved, with checkpointSeconds: 0', async () => {
    const folder = folderWith({ checkpointSeconds: 0 }, { sim: client('await put(42);') });
    const job = await startAnalysed(folder);
    job.child.kill('SIGTERM');
    expect((await job.ended).code).toBe(143);
    await expectRightAgain(folder);
  });

  test.skipIf(!mayMount)('by a full disk at the last checkpoint', async () => {
    const disk = new Tmpfs('3m');
    try {
      const folder = folderWith(
        { checkpointSeconds: 100 },
        {
          sim: client("await put(1);\nawait client.save();\nawait put(42, 200000);\nconsole.log('ran');"),
        },
      );
      mkdirSync(`${disk.folder}/store`);
      folder.write('run/stores/README', '');
      symlinkSync(`${disk.folder}/store`, folder.path('run/stores/store'));
      const job = await startAnalysed(folder);
      writeFileSync(`${disk.folder}/filler`, Buffer.alloc(2_600_000));
      job.child.kill('SIGTERM');
      const end = await job.ended;
      expect(end.stderr).toMatch(/simwright: store 'store' was not saved: .*ENOSPC/);
      const { checkpoints } = JSON.parse(readFileSync(`${disk.folder}/store/saved.json`, 'utf8'));
      expect(checkpoints).toMatchObject([{ stores: [{ whole: false }] }]);
      writeFileSync(`${disk.folder}/filler`, '');
      await expectRightAgain(folder);
    } finally {
      disk.remove();
    }
  });

  test('after they were read: everything stays done', async () => {
    const folder = folderWith();
    folder.write('run/go', '');
    expect((await folder.run(steps)).code).toBe(0);
    const again = await folder.run(steps);
    expect(again).toMatchObject({ code: 0, stderr: '' });
    expect(again.stdout).toContain('sim: 1 completed before, skipped\n');
    expect(again.stdout).toContain('analysis: 1 completed before, skipped\n');
    expect(outputOf(folder, 'sim')).toBe('ran\n');
  });
});

test('a checkpoint that was put in the place of the one on record proves nothing', async () => {
  const folder = folderWith({}, { analysis: client("await go('go');\nprocess.exit(3);") });
  const job = await startAnalysed(folder);
  const older = readFileSync(folder.path('run/stores/store/checkpoint'));
  folder.write('run/go', '');
  expect((await job.ended).code).toBe(3);
  expect(folder.read('run/stores/store/saved.json')).toContain('"whole": true');
  // The copy is intact, and of the time before the end.
  folder.write('run/stores/store/checkpoint', older, 0o600);
  folder.write('run/analysis.mjs', analysis);
  await expectRightAgain(folder);
});
