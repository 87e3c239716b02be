import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, type TestContext, test } from 'vitest';
import type { Entity, Job, Plan, Store } from '../../src/ir/index.js';
import { AttemptTable } from '../../src/runtime/status/index.js';
import { parseStatusLine } from '../../src/runtime/status/status-event.js';
import { useBundle } from './support/bundle.js';
import { JobFolder, type RunningJob } from './support/job-folder.js';
import { makeModel, makePlan } from './support/make-plan.js';
import { waitUntil } from './support/wait-until.js';

const bundle = useBundle();

/** Starts the program on this host, whatever hosts it is told, as real launchers do with a shell's words. */
const launcher = `#!/bin/bash
while [[ $1 = -* ]]; do shift 2; done
exec "$@"
`;

/** Says when it begins and ends, on which hosts and GPUs, and goes on until a file is there. */
const app = `hosts=$1
cd "$ROOT"
say() { echo "$1 $SIMWRIGHT_NAME $hosts \${CUDA_VISIBLE_DEVICES-none}" >>log; }
say begin
until [ -e "go-$2" ]; do sleep 0.02; done
say end
`;

type Members = Partial<Entity> & { readonly name: string; readonly cpus: number; readonly count?: number };

/** Models and ensembles of tasks of one CPU each on every node, in a job of nodes of four CPUs and two GPUs. */
function planOf(entities: readonly Members[], job: Partial<Job> = {}, stores: readonly Store[] = []): Plan {
  const made = entities.map(({ cpus, count = 1, size, ...entity }) => ({
    params: count === 1 ? {} : { i: Array.from({ length: count }, (_, index) => index) },
    ...entity,
    size: { nodes: 1, tasks: cpus, tasksPerNode: cpus, cpusPerTask: 1, ...size } as Entity['size'],
  }));
  const plan = makePlan(made, stores, { allocation: { nodes: 2, exclusive: false, gpusPerNode: 2 }, ...job });
  return { ...plan, target: 'pbs' };
}

class PoolJob {
  readonly folder: JobFolder;
  readonly #plan: Plan;
  job: RunningJob | undefined;

  constructor(plan: Plan, context?: TestContext) {
    this.#plan = plan;
    this.folder = new JobFolder(bundle(), plan, tmpdir(), context);
    this.folder.write('bin/mpirun', launcher, 0o755);
    this.folder.write('app.sh', app);
    this.folder.write('log', '');
  }

  /** Launches the entities, each once there is a file `start-NAME`, or at once. */
  start(late: readonly string[] = [], hosts = 'n1 n2', env: Record<string, string> = {}): void {
    const lines = this.#plan.entities.map(({ name }) => {
      const wait = late.includes(name) ? `until [ -e start-${name} ]; do sleep 0.02; done; ` : '';
      const line = `mpirun -np 1 --host {hosts} sh ${this.folder.path('app.sh')} {hosts} ${name}`;
      return `(${wait}exec node runtime/simwright.mjs launch ${name} -- ${line}) & launched+=($!)`;
    });
    const steps = [`export SIMWRIGHT_HOSTS="${hosts}" SIMWRIGHT_CPUS_PER_NODE=4`, ...lines].join('\n');
    this.job = this.folder.start(steps, {
      ROOT: this.folder.dir,
      PATH: `${this.folder.path('bin')}:${process.env['PATH']}`,
      ...env,
    });
  }

  go(...names: readonly string[]): void {
    for (const name of names) this.folder.write(`go-${name}`, '');
  }

  log(): { what: string; name: string; hosts: string[]; gpus: string }[] {
    return this.folder
      .read('log')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.split(' '))
      .map(([what = '', name = '', hosts = '', gpus = '']) => ({ what, name, hosts: hosts.split(','), gpus }));
  }

  hostOf(name: string): string | undefined {
    return this.log().find((one) => one.name === name)?.hosts[0];
  }

  began(name: string): boolean {
    return this.log().some((one) => one.what === 'begin' && one.name === name);
  }

  /** Most CPUs that were taken on one host at a time. */
  mostCpus(): number {
    const taken = new Map<string, number>();
    let most = 0;
    for (const { what, name, hosts } of this.log()) {
      const size = this.#plan.entities.find((one) => one.name === name.replace(/_\d+$/, ''))?.size;
      for (const host of hosts) {
        const now = (taken.get(host) ?? 0) + (what === 'begin' ? 1 : -1) * (size?.tasksPerNode ?? 0);
        taken.set(host, now);
        most = Math.max(most, now);
      }
    }
    return most;
  }

  async end(code = 0): Promise<void> {
    const end = await (this.job as RunningJob).ended;
    expect(end.code, end.stderr).toBe(code);
    await this.folder.expectNothingLeft(this.job as RunningJob);
  }
}

test('entities that run at the same time get different hosts, and no host more than it has', async () => {
  const job = new PoolJob(
    planOf([
      { name: 'a', cpus: 3 },
      { name: 'b', cpus: 3 },
      { name: 'many', cpus: 1, count: 12 },
    ]),
  );
  job.start(['many']);
  await waitUntil('both run', () => job.began('a') && job.began('b'));
  expect(
    job
      .log()
      .map(({ hosts }) => hosts[0])
      .sort(),
  ).toEqual(['n1', 'n2']);
  job.go('many');
  job.folder.write('start-many', '');
  await waitUntil(
    'those that fit beside have ended',
    () => job.log().filter(({ what }) => what === 'end').length === 12,
  );
  job.go('a', 'b');
  await job.end();
  expect(job.mostCpus()).toBe(4);
  expect(job.folder.members('a')[0]).toMatchObject({ state: 'completed', host: job.hostOf('a') });
});

test('a wide member gets its turn before small ones that came later', async () => {
  const wide = { name: 'wide', cpus: 4, size: { nodes: 2, tasks: 8, tasksPerNode: 4, cpusPerTask: 1 } };
  const job = new PoolJob(planOf([{ name: 'small', cpus: 2, count: 30 }, wide]));
  job.start(['wide']);
  job.go('wide');
  await waitUntil('the small ones run', () => job.log().length === 4);
  job.folder.write('start-wide', '');
  // Its name is in the books before the small ones go on.
  const books = `/tmp/simwright-${process.getuid?.()}-${job.job?.pid}/.hosts`;
  expect(existsSync(books)).toBe(true);
  await waitUntil('it waits', () => latest(books).includes('"entity":"wide"'));
  job.go('small');
  await job.end();
  const order = job
    .log()
    .filter(({ what }) => what === 'begin')
    .map(({ name }) => name);
  expect(order.indexOf('wide')).toBeLessThan(12);
  expect(order).toHaveLength(31);
  expect(job.mostCpus()).toBe(4);
});

test('a launch that is killed gives back its hosts; who waits says so', async () => {
  const job = new PoolJob(
    planOf([
      { name: 'dies', cpus: 4 },
      { name: 'also', cpus: 4 },
      { name: 'next', cpus: 2 },
    ]),
  );
  job.start(['next']);
  await waitUntil('two run', () => job.log().length === 2);
  job.folder.write('start-next', '');
  await waitUntil('it says that it waits', () => (job.folder.members('next')[0]?.reason ?? '') !== '');
  expect(job.folder.members('next')[0]).toMatchObject({
    state: 'staged',
    reason: expect.stringMatching(/^waits for 1 node of 2 CPUs: (dies|also) holds n[12], (dies|also) holds n[12]$/),
  });
  const [launch] = job.folder.processes().filter(({ command }) => command.includes('launch dies'));
  process.kill(launch?.pid ?? 0, 'SIGKILL');
  await waitUntil('the next one runs', () => job.began('next'));
  expect(job.hostOf('next')).toBe(job.hostOf('dies'));
  job.go('next', 'also', 'dies');
  const end = await (job.job as RunningJob).ended;
  expect(end.code, end.stderr).toBe(137);
  expect(end.stderr).toMatch(/^simwright: next waits for 1 node of 2 CPUs: /m);
  const attempts = new AttemptTable();
  for (const line of job.folder.statusFiles().join('').split('\n')) {
    const event = parseStatusLine(line);
    if (event !== undefined) attempts.add(event);
  }
  expect(attempts.of('next', 0)).toHaveLength(1);
});

test('a stop request reaches a member that waits', async () => {
  const allocation = { nodes: 1, exclusive: false };
  const job = new PoolJob(
    planOf(
      [
        { name: 'a', cpus: 4 },
        { name: 'b', cpus: 4 },
      ],
      { allocation },
    ),
  );
  job.start(['b'], 'n1');
  await waitUntil('one runs', () => job.log().length === 1);
  job.folder.write('start-b', '');
  await waitUntil('the other one waits', () => job.folder.states('b')[0] === 'staged');
  process.kill(job.job?.pid ?? 0, 'SIGTERM');
  await job.end(143);
  expect(job.folder.members('b')[0]).toMatchObject({ state: 'interrupted', reason: 'the job got SIGTERM' });
});

test('a member that fits no host runs alone', async () => {
  const job = new PoolJob(
    planOf(
      [
        { name: 'large', cpus: 8 },
        { name: 'small', cpus: 1, count: 3 },
      ],
      { allocation: { nodes: 1, exclusive: false } },
    ),
  );
  job.start([], 'n1');
  job.go('large', 'small');
  await job.end();
  expect(job.folder.states('large')).toEqual(['completed']);
  expect(job.folder.states('small')).toEqual(['completed', 'completed', 'completed']);
});

describe('GPUs', () => {
  const gpus = (gpusPerNode: number) => ({
    size: { nodes: 1, tasks: 1, tasksPerNode: 1, cpusPerTask: 1, gpusPerNode },
  });

  test.each([
    [{}, ['0', '1']],
    [{ CUDA_VISIBLE_DEVICES: 'GPU-aa,GPU-bb' }, ['GPU-aa', 'GPU-bb']],
  ] as const)(
    'of a host are shared out: %o',
    async (env, expected) => {
      const job = new PoolJob(
        planOf(
          [
            { name: 'a', cpus: 1, ...gpus(1) },
            { name: 'b', cpus: 1, ...gpus(1) },
            { name: 'c', cpus: 1, ...gpus(2) },
          ],
          {
            allocation: { nodes: 1, exclusive: false, gpusPerNode: 2 },
          },
        ),
      );
      job.start(['c'], 'n1', env);
      await waitUntil('two run', () => job.log().length === 2);
      expect(
        job
          .log()
          .map((one) => one.gpus)
          .sort(),
      ).toEqual(expected);
      job.go('a', 'b', 'c');
      job.folder.write('start-c', '');
      await job.end();
      expect(job.log().find(({ name }) => name === 'c')?.gpus).toBe(expected.join(','));
    },
    60_000,
  );

  test('of stores are theirs; a user says otherwise', async () => {
    const store = {
      name: 'db',
      kind: 'standalone',
      mlModels: [makeModel({ name: 'm', artifact: 'm', device: 'GPU' })],
    };
    const job = new PoolJob(
      planOf(
        [
          { name: 'a', cpus: 1, ...gpus(1) },
          { name: 'b', cpus: 1, ...gpus(1), env: { ROCR_VISIBLE_DEVICES: '7' } },
        ],
        { allocation: { nodes: 1, exclusive: false, gpusPerNode: 3 } },
        [store as Store],
      ),
    );
    job.start([], 'n1');
    await waitUntil('two run', () => job.log().length === 2);
    expect(job.log().find(({ name }) => name === 'a')?.gpus).toMatch(/^[12]$/);
    expect(job.log().find(({ name }) => name === 'b')?.gpus).toBe('none');
    job.go('a', 'b');
    await job.end();
  });
});

/** The newest version of the books. */
function latest(books: string): string {
  try {
    const highest = Math.max(0, ...readdirSync(books).map(Number).filter(Number.isFinite));
    return readFileSync(join(books, String(highest)), 'utf8');
  } catch {
    return '';
  }
}
