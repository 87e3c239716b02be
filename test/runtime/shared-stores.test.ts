import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { describe, expect, test } from 'vitest';
import type { Job, Store } from '../../src/ir/index.js';
import { parseNpy } from '../../src/runtime/npy/npy.js';
import { useBundle } from './support/bundle.js';
import { startedSoThat, withDeadline } from './support/deadline.js';
import { JobFolder, type RunningJob } from './support/job-folder.js';
import { makeJobs } from './support/make-jobs.js';
import { waitUntil } from './support/wait-until.js';

const bundle = useBundle();
const run = { SIMWRIGHT_RUN: 'run-1' };
const afterStore = [{ job: 'db', event: 'started' as const }];

/** A store in the job `db`, and models in jobs of their names that use it. */
function meeting(store: Partial<Store> = {}, users: readonly string[] = ['writer'], db: Partial<Job> = {}) {
  return makeJobs(
    [{ name: 'db', stores: ['store'], ...db }, ...users.map((name) => ({ name, after: afterStore }))],
    users.map((name) => ({ name, job: name, stores: ['store'] })),
    [{ name: 'store', ...store } as Store],
  );
}

const client = (body: string) => `
import { Client, tensor } from 'simwright/client';
import { existsSync } from 'node:fs';
const client = await Client.connect();
${body}
await client.close();
`;

const put = client("await client.putTensor('flow', tensor(Float64Array.of(1, 2, 3), [3]));");
const read = client(
  "await client.pollTensor('flow', { intervalMs: 20, attempts: 500 });\nconsole.log((await client.getTensor('flow')).data.join());",
);
/** Puts, says so, and lives until it is told to end. */
const stay = client(`
process.on('SIGTERM', () => { console.log('told'); process.exit(0); });
await client.putTensor('flow', tensor(Float64Array.of(1, 2, 3), [3]));
console.log('ready');
await new Promise(() => setInterval(() => {}, 1000));`);

const holdStore = 'runtime up store\nruntime hold store & launched+=($!)';
const launchOf = (name: string, script: string) => `runtime launch ${name} -- node ../${script} & launched+=($!)`;

function folderWith(plan: ReturnType<typeof meeting>, scripts: Record<string, string> = {}): JobFolder {
  const folder = new JobFolder(bundle(), plan);
  for (const [name, text] of Object.entries({ 'put.mjs': put, 'read.mjs': read, 'stay.mjs': stay, ...scripts })) {
    folder.write(`run/${name}`, text);
  }
  return folder;
}

const outputOf = (folder: JobFolder, path: string) => (existsSync(folder.path(path)) ? folder.read(path) : '');
const isUp = (folder: JobFolder) => existsSync(folder.path('run/stores/store/address.json'));

/** Kills a job as a node does that loses its power: everything at once. */
function killJob(folder: JobFolder, job: RunningJob): void {
  const marks = `SIMWRIGHT_JOB_ID=${job.pid}`;
  for (const { pid } of [...folder.processes(), { pid: job.pid }]) {
    try {
      const isOfJob = pid === job.pid || readFileSync(`/proc/${pid}/environ`, 'utf8').includes(marks);
      if (isOfJob) process.kill(pid, 'SIGKILL');
    } catch {
      // It has just ended.
    }
  }
}

describe('a store with a job of its own', () => {
  test('is waited for, shared by two jobs, and ends when both have, leaving what it was told to', async () => {
    const folder = folderWith(meeting({ kind: 'standalone', saveAtEnd: ['fl*'] }, ['writer', 'reader']));
    const writer = folder.start(launchOf('writer', 'put.mjs'), run, 'writer');
    await waitUntil('the launch says what it waits for', () =>
      outputOf(folder, `run/status/writer.writer.${writer.pid}.jsonl`).includes(
        `"launch":"waiting","reason":"waits for store 'store' of job 'db' until 20`,
      ),
    );
    const store = folder.start(holdStore, run, 'db');
    const reader = folder.start(launchOf('reader', 'read.mjs'), run, 'reader');
    const [wrote, readEnd, held] = await Promise.all([writer.ended, reader.ended, store.ended]);
    expect(wrote.stderr).toMatch(
      /^simwright: writer waits for store 'store' of job 'db' until \S+Z \(it has no address yet\)\n$/,
    );
    expect([wrote.code, readEnd.code]).toEqual([0, 0]);
    expect(folder.read('run/reader/reader.out')).toBe('1,2,3\n');
    expect(held).toMatchObject({ code: 0, stderr: '' });
    expect(held.stdout).toContain('store: all that use it have ended\n');
    const saved = readFileSync(folder.path('run/stores/store/saved/flow.npy'));
    const { dtype, shape, dataAt } = parseNpy(saved);
    expect([dtype, shape]).toEqual(['DOUBLE', [3]]);
    expect([0, 1, 2].map((index) => saved.readDoubleLE(dataAt + index * 8))).toEqual([1, 2, 3]);
    expect(isUp(folder)).toBe(false);
    await folder.expectNothingLeft(store);
  });

  test('when its job dies, applications in other jobs are told, and their jobs fail with the reason', async () => {
    const folder = folderWith(meeting());
    const store = folder.start(holdStore, run, 'db');
    const writer = folder.start(launchOf('writer', 'stay.mjs'), run, 'writer');
    await waitUntil('the application runs', () => outputOf(folder, 'run/writer/writer.out').includes('ready'));
    killJob(folder, store);
    const end = await writer.ended;
    expect(end.code).toBe(1);
    expect(end.stderr).toContain(
      `error[RUN1005]: store 'store' of job 'db' (${store.pid}) has gone: it does not answer any more`,
    );
    expect(folder.read('run/writer/writer.out')).toBe('ready\ntold\n');
    expect(folder.states('writer')).toEqual(['interrupted']);
    // The address that a dead job has left deceives nobody, whoever listens there now.
    expect(isUp(folder)).toBe(true);
    const squatter = createServer((socket) => socket.end('-ERR no store\r\n'));
    const [, port = ''] = /:(\d+)"/.exec(folder.read('run/stores/store/address.json')) ?? [];
    await new Promise<void>((resolve) => squatter.listen(Number(port), '127.0.0.1', resolve));
    const late = await folder.run(launchOf('writer', 'put.mjs'), { ...run, SIMWRIGHT_UP_TIMEOUT: '1' }, 'writer');
    squatter.close();
    expect(late.code).toBe(1);
    expect(late.stderr).toContain(
      "error[RUN1004]: writer needs store 'store' of job 'db', which did not answer within 1 s",
    );
  });

  test('that does not come up is not waited for in vain', async () => {
    const taken = createServer();
    const port = await new Promise<number>((resolve) => {
      taken.listen(0, '127.0.0.1', () => resolve((taken.address() as { port: number }).port));
    });
    const folder = folderWith(meeting({ kind: 'standalone', port }));
    const store = await folder.run(holdStore, run, 'db');
    taken.close();
    expect(store.stderr).toContain('error[RUN1003]');
    const writer = await folder.run(launchOf('writer', 'put.mjs'), run, 'writer');
    expect(writer.code).toBe(1);
    expect(writer.stderr).toContain(
      `error[RUN1004]: writer needs store 'store' of job 'db', which does not run: 127.0.0.1:${port} is taken by another process`,
    );
  });

  test('ends before its walltime is over, and its users learn it', async () => {
    const allocation = { nodes: 1, exclusive: false, walltimeSeconds: 1000 };
    await withDeadline(async (seconds) => {
      const folder = folderWith(meeting({}, ['writer'], { allocation, graceSeconds: 100 }));
      const started = startedSoThat(seconds, 1000 - 100);
      const store = folder.start(holdStore, { ...run, SIMWRIGHT_STARTED: started }, 'db');
      const writer = folder.start(launchOf('writer', 'stay.mjs'), run, 'writer');
      const [held, end] = await Promise.all([store.ended, writer.ended]);
      if (!outputOf(folder, 'run/writer/writer.out').includes('ready')) return false;
      expect(held.code).toBe(124);
      expect(held.stderr).toContain(
        "simwright: store 'store' ends before writer, since its walltime is about to be over",
      );
      expect(end.code).toBe(1);
      expect(end.stderr).toContain('has gone: its job has ended');
      return true;
    });
  }, 360_000);

  test('does not wait for a job that the scheduler never starts', async () => {
    const plan = meeting({}, ['writer', 'reader']);
    const jobs = plan.jobs.map((job) =>
      job.name === 'reader' ? { ...job, after: [...job.after, { job: 'writer', event: 'completed' as const }] } : job,
    );
    const folder = folderWith({ ...plan, jobs });
    const store = folder.start(holdStore, run, 'db');
    expect((await folder.run('runtime launch writer -- sh -c "exit 3" & launched+=($!)', run, 'writer')).code).toBe(3);
    expect((await store.ended).code).toBe(0);
  });

  test('what an earlier run left is not taken for the end of its users', async () => {
    const folder = folderWith(meeting());
    const first = folder.start(holdStore, run, 'db');
    expect((await folder.run(launchOf('writer', 'put.mjs'), run, 'writer')).code).toBe(0);
    expect((await first.ended).code).toBe(0);
    const again = { SIMWRIGHT_RUN: 'run-2' };
    const second = folder.start(holdStore, again, 'db');
    await waitUntil('it holds', () => isUp(folder) && folder.runtimeProcesses('hold').length > 0);
    const writer = await folder.run(launchOf('writer', 'put.mjs'), again, 'writer');
    expect(writer.stdout).toContain('1 completed before, skipped');
    expect((await second.ended).code).toBe(0);
  });

  test('is not run twice at a time', async () => {
    const folder = folderWith(meeting());
    const first = folder.start(holdStore, run, 'db');
    await waitUntil('it is up', () => isUp(folder));
    const second = await folder.run(holdStore, { SIMWRIGHT_RUN: 'run-2' }, 'db');
    expect(second.code).toBe(1);
    expect(second.stderr).toContain(`error[RUN1008]: store 'store' is being run by job ${first.pid} ('db' on `);
    expect(isUp(folder)).toBe(true);
    process.kill(first.pid, 'SIGTERM');
    expect((await first.ended).code).toBe(143);
    await folder.expectNothingLeft(first);
  });

  test('that is started again is found again by those who use it', async () => {
    const folder = folderWith(meeting({ kind: 'standalone', restart: true }), {
      'again.mjs': client(`
await client.putTensor('flow', tensor(Float64Array.of(1, 2, 3), [3]));
await client.save();
console.log('ready');
while (!existsSync('../go')) await new Promise((resolve) => setTimeout(resolve, 20));
console.log((await client.getTensor('flow')).data.join());`),
    });
    const store = folder.start(holdStore, run, 'db');
    const writer = folder.start(launchOf('writer', 'again.mjs'), run, 'writer');
    await waitUntil('it has saved', () => outputOf(folder, 'run/writer/writer.out').includes('ready'));
    const runId = () => /"runId": "(\w+)"/.exec(outputOf(folder, 'run/stores/store/address.json'))?.[1];
    const before = runId();
    folder.killRuntime('store');
    await waitUntil('another store is there', () => runId() !== before);
    folder.write('run/go', '');
    const end = await writer.ended;
    expect(end.code).toBe(0);
    expect(end.stderr).not.toContain('error');
    expect(folder.read('run/writer/writer.out')).toBe('ready\n1,2,3\n');
    expect((await store.ended).code).toBe(0);
  });
});
