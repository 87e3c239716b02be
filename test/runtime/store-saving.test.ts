import { existsSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Job, Store } from '../../src/ir/index.js';
import { useBundle } from './support/bundle.js';
import { startedSoThat, withDeadline } from './support/deadline.js';
import { JobFolder } from './support/job-folder.js';
import { makePlan } from './support/make-plan.js';
import { mayMount, Tmpfs } from './support/tmpfs.js';
import { waitUntil } from './support/wait-until.js';

const bundle = useBundle();

const client = (body: string) => `
import { Client, tensor } from 'simwright/client';
import { existsSync } from 'node:fs';
const client = await Client.connect();
const put = (key, value, count = 1) => client.putTensor(key, tensor(new Float64Array(count).fill(value), [count]));
const read = async (key) => (await client.tensorExists(key)) ? (await client.getTensor(key)).data[0] : 'nothing';
${body}
await client.close();
`;

/** Puts 42, and says so. */
const sim = client("await put('energy', 42);\nconsole.log('ran');");
/** Reads it, and fails until a file is there. */
const analysis = client("console.log(await read('energy'));\nif (!existsSync('../mended')) process.exit(3);");

const entities = [
  { name: 'sim', stores: ['store'] },
  { name: 'analysis', stores: ['store'], after: [{ name: 'sim', event: 'completed' as const }] },
];
const steps = `
runtime up store
runtime launch sim -- node ../sim.mjs & launched+=($!)
runtime launch analysis -- node ../analysis.mjs & launched+=($!)`;

function folderWith(store: Partial<Store> = {}, job: Partial<Job> = {}, parent?: string): JobFolder {
  const folder = new JobFolder(bundle(), makePlan(entities, [{ name: 'store', ...store } as Store], job), parent);
  folder.write('run/sim.mjs', sim);
  folder.write('run/analysis.mjs', analysis);
  return folder;
}

/** Files of checkpoints, and what tells of them. */
const savedFiles = (folder: JobFolder, place = 'run/stores/store') =>
  existsSync(folder.path(place))
    ? readdirSync(folder.path(place))
        .filter((name) => /checkpoint$|saved\.json$/.test(name))
        .sort()
    : [];
const outputOf = (folder: JobFolder, path: string) => (existsSync(folder.path(path)) ? folder.read(path) : '');

describe('a store is saved at the end of its job', () => {
  test('while something that can read it has not completed: an analysis that failed is mended and run again', async () => {
    const folder = folderWith();
    expect(await folder.run(steps)).toMatchObject({ code: 3, stderr: '' });
    expect(savedFiles(folder)).toEqual(['checkpoint', 'saved.json']);
    const { checkpoints } = JSON.parse(folder.read('run/stores/store/saved.json'));
    expect(checkpoints).toMatchObject([{ stores: [{ nodes: 1, whole: true }] }]);
    folder.write('run/mended', '');
    const again = await folder.run(steps);
    expect(again).toMatchObject({ code: 0, stderr: '' });
    expect(folder.read('run/analysis/analysis.out')).toBe('42\n');
    expect(folder.read('run/sim/sim.out')).toBe('ran\n');
    // A start knows the data that it brought back by the name of the start that wrote them.
    expect(folder.read('run/stores/store/saved.json')).toContain(checkpoints[0].stores[0].store);
  });

  test('not when all that can read it has completed', async () => {
    const folder = folderWith();
    folder.write('run/mended', '');
    expect((await folder.run(steps)).code).toBe(0);
    expect(savedFiles(folder)).toEqual([]);
  });

  test.each([
    ['not with checkpointSeconds: 0', 0, []],
    ['with others whoever has completed', 300, ['checkpoint', 'saved.json']],
  ])('%s', async (_what, checkpointSeconds, files) => {
    const folder = folderWith({ checkpointSeconds });
    if (checkpointSeconds > 0) folder.write('run/mended', '');
    expect((await folder.run(steps)).code).toBe(checkpointSeconds > 0 ? 0 : 3);
    expect(savedFiles(folder)).toEqual(files);
  });

  test('after the signal at the deadline, with what applications put into it while they end', async () => {
    const late = client(`
process.on('SIGTERM', async () => { await put('energy', 42); process.exit(1); });
await put('energy', 1);
console.log('ready');
await new Promise(() => setInterval(() => {}, 1000));`);
    const allocation = { nodes: 1, exclusive: false, walltimeSeconds: 1000 };
    await withDeadline(async (seconds) => {
      const folder = folderWith({}, { allocation, graceSeconds: 100 });
      folder.write('run/sim.mjs', late);
      const end = await folder.run(steps, { SIMWRIGHT_STARTED: startedSoThat(seconds, 1000 - 100) });
      if (!outputOf(folder, 'run/sim/sim.out').includes('ready')) return false;
      expect(end.code).toBe(124);
      expect(savedFiles(folder)).toEqual(['checkpoint', 'saved.json']);
      folder.write('run/sim.mjs', client("console.log(await read('energy'));"));
      folder.write('run/mended', '');
      expect((await folder.run(steps)).code).toBe(0);
      expect(folder.read('run/sim/sim.out')).toContain('42\n');
      return true;
    });
  });

  test('when its supervisor or its script is killed', async () => {
    for (const victim of ['supervise', 'script']) {
      const folder = folderWith();
      folder.write(
        'run/sim.mjs',
        client("await put('energy', 42);\nconsole.log('put');\nawait new Promise(() => setInterval(() => {}, 1000));"),
      );
      const job = folder.start(steps);
      await waitUntil('the store has data', () => outputOf(folder, 'run/sim/sim.out') === 'put\n');
      const pids = victim === 'script' ? [job.pid] : folder.runtimeProcesses(victim);
      for (const pid of pids) process.kill(pid, 'SIGKILL');
      await job.ended;
      await waitUntil(
        'nothing runs any more',
        () => folder.processes().length === 0 || JSON.stringify(folder.processes()),
      );
      expect(savedFiles(folder), victim).toEqual(['checkpoint', 'saved.json']);
      expect(folder.read('run/stores/store/saved.json')).toContain('"whole": true');
    }
  });
});

describe('what could not be saved is said', () => {
  test('of a store that does not end any more', async () => {
    const folder = folderWith();
    folder.write(
      'run/analysis.mjs',
      `import { readFileSync } from 'node:fs';
process.kill(JSON.parse(readFileSync('../stores/store/address.json')).nodes[0].pid, 'SIGSTOP');
process.exit(3);`,
    );
    const job = folder.start(steps);
    const end = await job.ended;
    expect(end).toMatchObject({
      code: 3,
      stderr:
        "simwright: store 'store' was not saved: it was not ready in the time that was left; members whose data others still need run again with the next job\n",
    });
    expect(savedFiles(folder)).toEqual([]);
    await folder.expectNothingLeft(job);
  });

  test('of one that is killed with its supervisor', async () => {
    const folder = folderWith();
    folder.write(
      'run/sim.mjs',
      client("await put('energy', 42);\nconsole.log('put');\nawait new Promise(() => setInterval(() => {}, 1000));"),
    );
    const job = folder.start(steps);
    await waitUntil('the store has data', () => outputOf(folder, 'run/sim/sim.out') === 'put\n');
    // Stopped first: the supervisor must not have the time to say that the store has died.
    const supervisors = folder.runtimeProcesses('supervise');
    for (const pid of supervisors) process.kill(pid, 'SIGSTOP');
    for (const pid of [...folder.runtimeProcesses('store'), ...supervisors]) process.kill(pid, 'SIGKILL');
    const end = await job.ended;
    expect(end.stderr).toContain("simwright: store 'store' was not saved: it was killed before; members");
    await folder.expectNothingLeft(job);
  });

  test.skipIf(!mayMount)('a full disk: the old checkpoint stays, and the data count as not there', async () => {
    const disk = new Tmpfs('1m');
    try {
      const folder = folderWith();
      folder.write('run/sim.mjs', client("await put('energy', 42, 500000);"));
      mkdirSync(`${disk.folder}/store`);
      folder.write('run/stores/README', '');
      symlinkSync(`${disk.folder}/store`, folder.path('run/stores/store'));
      const end = await folder.run(steps);
      expect(end.code).toBe(3);
      expect(end.stderr).toMatch(
        /^simwright: store 'store' was not saved: the checkpoint \S+ could not be written: ENOSPC.*; members whose data others still need run again with the next job\n$/,
      );
      expect(savedFiles(folder)).toEqual([]);
    } finally {
      disk.remove();
    }
  });
});

describe('a colocated store', () => {
  const model = (nodes: number) =>
    makePlan(
      [{ name: 'solver', stores: ['solver'] }],
      [{ name: 'solver', kind: 'colocated', transport: { kind: 'tcp', port: 0 }, nodes }],
    );
  const solver = client(`
console.log(await read('step'));
await put('step', 7);
if (!existsSync('../mended')) process.exit(3);`);

  test('is saved and brought back, unless its members have completed', async () => {
    const folder = new JobFolder(bundle(), model(1));
    folder.write('run/solver.mjs', solver);
    const run = 'runtime up solver\nruntime launch solver -- node ../solver.mjs & launched+=($!)';
    expect((await folder.run(run)).code).toBe(3);
    expect(savedFiles(folder, 'run/stores/solver')).toEqual(['0.checkpoint', '0.saved.json']);
    folder.write('run/mended', '');
    expect((await folder.run(run)).code).toBe(0);
    expect(folder.read('run/solver/solver.out')).toMatch(/7\n$/);
    const done = folder.read('run/stores/solver/0.saved.json');
    await folder.run(run);
    expect(folder.read('run/stores/solver/0.saved.json')).toBe(done);
  });
});
