import { describe, expect, test } from 'vitest';
import type { Entity, Store } from '../../src/ir/index.js';
import { useBundle } from './support/bundle.js';
import { JobFolder } from './support/job-folder.js';
import { makeJobs } from './support/make-jobs.js';
import { waitUntil } from './support/wait-until.js';

const bundle = useBundle();
const run = (name: string) => ({ SIMWRIGHT_RUN: name });
const until = (file: string) => `sh -c 'until [ -e ../${file} ]; do sleep 0.02; done'`;
const isWaiting = (folder: JobFolder, entity: string, pid: number) => () => {
  try {
    return folder.read(`run/status/${entity}.${entity}.${pid}.jsonl`).includes('"launch":"waiting"');
  } catch {
    return false;
  }
};

/** `sim` and `watcher`, each a job of its own; the second waits for the first. */
function twoJobs(event: Extract<Entity['after'][number], { event: unknown }>['event'], further: Partial<Entity> = {}) {
  return makeJobs(
    [{ name: 'sim' }, { name: 'watcher', after: [{ job: 'sim', event }] }],
    [
      { name: 'sim', job: 'sim', ...further },
      { name: 'watcher', job: 'watcher', after: [{ name: 'sim', event }] },
    ],
  );
}

describe('an event of another job', () => {
  test('started: what an earlier run did is not taken for it', async () => {
    const folder = new JobFolder(bundle(), twoJobs('started'));
    expect((await folder.run('runtime launch sim -- false & launched+=($!)', run('1'), 'sim')).code).toBe(1);
    const watcher = folder.start('runtime launch watcher -- true & launched+=($!)', run('2'), 'watcher');
    await waitUntil('it waits', isWaiting(folder, 'watcher', watcher.pid));
    const sim = folder.start(`runtime launch sim -- ${until('go')} & launched+=($!)`, run('2'), 'sim');
    expect((await watcher.ended).code).toBe(0);
    expect(folder.states('sim')).toEqual(['running']);
    folder.write('run/go', '');
    expect((await sim.ended).code).toBe(0);
    const [seen] = folder.members('watcher');
    const [ran] = folder.members('sim');
    expect((seen?.time ?? '') < (ran?.time ?? '')).toBe(true);
  });

  test('failed and ended: a job by hand takes what was done last', async () => {
    for (const event of ['failed', 'ended'] as const) {
      const folder = new JobFolder(bundle(), twoJobs(event));
      expect((await folder.run('runtime launch sim -- false & launched+=($!)', run('1'), 'sim')).code).toBe(1);
      expect((await folder.run('runtime launch watcher -- true & launched+=($!)', {}, 'watcher')).code).toBe(0);
    }
  });

  test('completed: members that need not run again count', async () => {
    const folder = new JobFolder(bundle(), twoJobs('completed'));
    const sim = 'runtime launch sim -- true & launched+=($!)';
    expect((await folder.run(sim, run('1'), 'sim')).code).toBe(0);
    expect((await folder.run(sim, run('2'), 'sim')).stdout).toContain('completed before');
    expect((await folder.run('runtime launch watcher -- true & launched+=($!)', run('2'), 'watcher')).code).toBe(0);
  });

  test('ended: of a job array not before its last element', async () => {
    const plan = twoJobs('ended', {
      kind: 'ensemble',
      members: { strategy: 'all-perm', axes: [{ name: 'i', values: [0, 1] }], replicas: 1, count: 2 },
    });
    const jobs = plan.jobs.map((job) => (job.name === 'sim' ? { ...job, array: { size: 2, perElement: 1 } } : job));
    const folder = new JobFolder(bundle(), { ...plan, jobs });
    const element = (index: number, line: string) =>
      folder.start(
        `runtime launch sim --member ${index} -- ${line} & launched+=($!)`,
        { ...run('1'), SIMWRIGHT_ARRAY_INDEX: String(index) },
        'sim',
      );
    // The first cannot even be launched; the second comes later, as a throttle has it.
    expect((await element(0, 'no-such-program').ended).code).toBe(127);
    const watcher = folder.start('runtime launch watcher -- true & launched+=($!)', run('1'), 'watcher');
    await waitUntil('it waits', isWaiting(folder, 'watcher', watcher.pid));
    expect((await element(1, 'true').ended).code).toBe(0);
    expect((await watcher.ended).code).toBe(0);
    const [seen] = folder.members('watcher');
    expect((seen?.time ?? '') > (folder.members('sim')[1]?.time ?? '')).toBe(true);
  });

  test('of a job that the scheduler does not start, since what it waits for failed', async () => {
    const plan = makeJobs(
      [
        { name: 'mesh' },
        { name: 'sim', after: [{ job: 'mesh', event: 'completed' }] },
        { name: 'watcher', after: [{ job: 'sim', event: 'ended' }] },
        { name: 'second', after: [{ job: 'sim', event: 'ended' }] },
      ],
      [
        { name: 'mesh', job: 'mesh' },
        { name: 'sim', job: 'sim', after: [{ name: 'mesh', event: 'completed' }] },
        { name: 'watcher', job: 'watcher', after: [{ name: 'sim', event: 'ended' }] },
        { name: 'second', job: 'second', after: [{ name: 'sim', event: 'completed' }] },
      ],
    );
    const folder = new JobFolder(bundle(), plan);
    expect((await folder.run('runtime launch mesh -- false & launched+=($!)', run('1'), 'mesh')).code).toBe(1);
    expect((await folder.run('runtime launch watcher -- true & launched+=($!)', run('1'), 'watcher')).code).toBe(0);
    const second = await folder.run('runtime launch second -- true & launched+=($!)', run('1'), 'second');
    expect(second.stderr).toContain(
      "error[RUN1009]: second is not launched: it waits for 'sim' to have completed, but",
    );
    expect(second.stderr).toContain("job 'sim' is not started, since what it waits for did not come");
  });

  test('a key: the end of its writer in an earlier run is not taken for its absence', async () => {
    const afterStore = [{ job: 'db', event: 'started' as const }];
    const plan = makeJobs(
      [
        { name: 'db', stores: ['store'] },
        { name: 'sim', after: afterStore },
        { name: 'watcher', after: [...afterStore, { job: 'sim', event: 'started' }] },
      ],
      [
        { name: 'sim', job: 'sim', stores: ['store'] },
        { name: 'watcher', job: 'watcher', stores: ['store'], after: [{ name: 'sim', key: 'ready', store: 'store' }] },
      ],
      [{ name: 'store' } as Store],
    );
    const folder = new JobFolder(bundle(), plan);
    folder.write(
      'run/put.mjs',
      `
import { Client, tensor } from 'simwright/client';
import { existsSync } from 'node:fs';
while (!existsSync('../go')) await new Promise((resolve) => setTimeout(resolve, 20));
const client = await Client.connect();
await client.putTensor('ready', tensor([1], [1]));
await client.close();`,
    );
    const hold = 'runtime up store\nruntime hold store & launched+=($!)';
    const first = folder.start(hold, run('1'), 'db');
    const failing = folder.run('runtime launch sim -- false & launched+=($!)', run('1'), 'sim');
    const inVain = await folder.run('runtime launch watcher -- true & launched+=($!)', run('1'), 'watcher');
    expect((await failing).code).toBe(1);
    expect(inVain.stderr).toContain(
      "it waits for key 'ready' in store 'store', and 'sim' has ended without writing it",
    );
    expect((await first.ended).code).toBe(0);

    const second = folder.start(hold, run('2'), 'db');
    const watcher = folder.start('runtime launch watcher -- true & launched+=($!)', run('2'), 'watcher');
    await waitUntil('it waits', isWaiting(folder, 'watcher', watcher.pid));
    folder.write('run/go', '');
    const sim = await folder.run('runtime launch sim -- node ../put.mjs & launched+=($!)', run('2'), 'sim');
    expect(sim.code).toBe(0);
    expect((await watcher.ended).code).toBe(0);
    expect((await second.ended).code).toBe(0);
  });

  test('a key: a launch that is told to end does so though the store does not answer', async () => {
    const afterStore = [{ job: 'db', event: 'started' as const }];
    const plan = makeJobs(
      [
        { name: 'db', stores: ['store'] },
        { name: 'sim', after: afterStore },
        { name: 'watcher', after: [...afterStore, { job: 'sim', event: 'started' }] },
      ],
      [
        { name: 'sim', job: 'sim', stores: ['store'] },
        { name: 'watcher', job: 'watcher', stores: ['store'], after: [{ name: 'sim', key: 'ready', store: 'store' }] },
      ],
      [{ name: 'store' } as Store],
    );
    const folder = new JobFolder(bundle(), plan);
    const db = folder.start('runtime up store\nruntime hold store & launched+=($!)', run('1'), 'db');
    const sim = folder.start(`runtime launch sim -- ${until('go')} & launched+=($!)`, run('1'), 'sim');
    const watcher = folder.start('runtime launch watcher -- true & launched+=($!)', run('1'), 'watcher');
    await waitUntil('sim runs', () => folder.states('sim')[0] === 'running');
    await waitUntil('it waits', isWaiting(folder, 'watcher', watcher.pid));
    const { pid } = JSON.parse(folder.read('run/stores/store/address.json')).nodes[0];
    process.kill(pid, 'SIGSTOP');
    try {
      process.kill(watcher.pid, 'SIGTERM');
      expect((await watcher.ended).code).toBe(143);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    folder.write('run/go', '');
    expect((await sim.ended).code).toBe(0);
    expect((await db.ended).code).toBe(0);
  });
});
