import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { describe, expect, test, vi } from 'vitest';
import { useBundle } from './support/bundle.js';
import { startedSoThat, withDeadline } from './support/deadline.js';
import { JobFolder, type RunningJob } from './support/job-folder.js';
import { makePlan } from './support/make-plan.js';
import { waitUntil } from './support/wait-until.js';

vi.setConfig({ maxConcurrency: 2 });
const bundle = useBundle();
const sweep = { name: 'sweep', params: { I: [0, 1, 2] }, stores: ['orchestrator'] };
const steps = `
runtime up orchestrator
runtime launch sweep --at-most 2 -- sh ../../app.sh & launched+=($!)`;

/** A job with a store, two members running and one waiting its turn. */
async function startJob(app: string, job = {}, env = {}): Promise<{ folder: JobFolder; job: RunningJob }> {
  const folder = new JobFolder(bundle(), makePlan([sweep], [{ name: 'orchestrator' }], job));
  folder.write('run/app.sh', app);
  const running = folder.start(steps, env);
  await waitUntil('two members have begun', () => {
    return [0, 1].every((index) => existsSync(folder.path(`run/sweep/sweep_${index}/begun`)));
  });
  return { folder, job: running };
}

const sleeper = 'touch begun; sleep 300 & wait';

describe('signals to the script', () => {
  test.each([
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ] as const)('%s ends the applications and leaves nothing', async (signal, code) => {
    const { folder, job } = await startJob(sleeper);
    process.kill(job.pid, signal);
    const end = await job.ended;
    expect([code, 143]).toContain(end.code);
    expect(folder.states('sweep')).toEqual(['interrupted', 'interrupted', 'none']);
    expect(folder.members('sweep')[0]).toMatchObject({ reason: `the job got ${signal}` });
    expect(folder.read('run/members.csv')).toMatch(/sweep,2,sweep_2,2,pending,,,\n$/);
    await folder.expectNothingLeft(job);
  });

  test('SIGINT to the whole group, as Ctrl-C sends it', async () => {
    const { folder, job } = await startJob(sleeper);
    process.kill(-job.pid, 'SIGINT');
    await job.ended;
    expect(folder.states('sweep')).toEqual(['interrupted', 'interrupted', 'none']);
    await folder.expectNothingLeft(job);
  });

  test('SIGUSR2 to all processes, as LSF sends it at the run limit', async () => {
    const plan = { ...makePlan([sweep], [{ name: 'orchestrator' }]), target: 'lsf' as const };
    const folder = new JobFolder(bundle(), plan);
    folder.write('run/app.sh', "trap 'echo saved > state; exit 0' TERM; trap '' USR2; touch begun; sleep 300 & wait");
    const job = folder.start(`trap 'pass_on USR2' USR2\n${steps}`);
    await waitUntil('two members have begun', () =>
      [0, 1].every((index) => existsSync(folder.path(`run/sweep/sweep_${index}/begun`))),
    );
    process.kill(-job.pid, 'SIGUSR2');
    expect((await job.ended).code).toBe(124);
    expect(folder.read('run/sweep/sweep_1/state')).toBe('saved\n');
    expect(folder.states('sweep')).toEqual(['interrupted', 'interrupted', 'none']);
    await folder.expectNothingLeft(job);
  });

  test('SIGTERM reaches an application that saves its state and exits 0: it is unfinished all the same', async () => {
    const { folder, job } = await startJob("trap 'echo saved > state; exit 0' TERM; touch begun; sleep 300 & wait");
    process.kill(job.pid, 'SIGTERM');
    expect((await job.ended).code).toBe(143);
    expect(folder.read('run/sweep/sweep_1/state')).toBe('saved\n');
    expect(folder.states('sweep')).toEqual(['interrupted', 'interrupted', 'none']);
  });

  test('an application that the scheduler has ended a little before the script is interrupted, not failed', async () => {
    const { folder, job } = await startJob('echo $$ > pid; mv pid begun; sleep 300 & wait');
    process.kill(-Number(folder.read('run/sweep/sweep_0/begun')), 'SIGTERM');
    process.kill(job.pid, 'SIGTERM');
    expect((await job.ended).code).toBe(143);
    expect(folder.states('sweep')).toEqual(['interrupted', 'interrupted', 'none']);
  });

  test('an application that ignores SIGTERM is killed after a while, its children too', async () => {
    const { folder, job } = await startJob(
      "trap '' TERM; touch begun; sleep 300; sleep 300",
      {},
      { SIMWRIGHT_KILL_AFTER: '0.5' },
    );
    process.kill(job.pid, 'SIGTERM');
    await job.ended;
    expect(folder.members('sweep')[0]).toMatchObject({ state: 'interrupted', signal: 'SIGKILL', exit: 137 });
    await folder.expectNothingLeft(job);
  });

  test('SIGUSR1 is passed on, and the applications go on', async () => {
    const app =
      "trap 'touch warned' USR1; touch begun; until [ -e warned ] || [ -e ../sweep_1/warned ]; do sleep 0.02; done; exit 0";
    const { folder, job } = await startJob(app);
    process.kill(job.pid, 'SIGUSR1');
    expect((await job.ended).code).toBe(0);
    expect(existsSync(folder.path('run/sweep/sweep_0/warned'))).toBe(true);
    expect(folder.states('sweep')).toEqual(['completed', 'completed', 'completed']);
  });

  test('the deadline comes before the walltime is over', async () => {
    await withDeadline(async (seconds) => {
      const allocation = { nodes: 1, exclusive: false, walltimeSeconds: 3600 };
      const plan = makePlan([sweep], [{ name: 'orchestrator' }], { allocation, graceSeconds: 60 });
      const folder = new JobFolder(bundle(), plan);
      folder.write('run/app.sh', sleeper);
      const started = startedSoThat(seconds, 3600 - 60);
      const job = folder.start(steps, { SIMWRIGHT_STARTED: started });
      const end = await job.ended;
      expect(end.code).toBe(124);
      await folder.expectNothingLeft(job);
      if (![0, 1].every((index) => existsSync(folder.path(`run/sweep/sweep_${index}/begun`)))) return false;
      expect(folder.states('sweep')).toEqual(['interrupted', 'interrupted', 'none']);
      const [member] = folder.members('sweep');
      expect(member).toMatchObject({ state: 'interrupted', reason: 'the walltime is about to be over' });
      expect(Date.parse(member?.time ?? '')).toBeLessThan((Number(started) + 3600) * 1000);
      return true;
    });
  }, 360_000);
});

test.concurrent.for([0, 150, 300, 450, 600, 750, 900, 1050])(
  'SIGTERM %i ms after the start leaves nothing',
  async (delayMs, context) => {
    const folder = new JobFolder(bundle(), makePlan([sweep], [{ name: 'orchestrator' }]), tmpdir(), context);
    folder.write('run/app.sh', 'sleep 1');
    const job = folder.start(steps);
    await new Promise((resolve) => setTimeout(resolve, delayMs));
    job.child.kill('SIGTERM');
    const end = await job.ended;
    expect([143, null]).toContain(end.code);
    await folder.expectNothingLeft(job);
  },
);

describe('kill -9', () => {
  test.concurrent.for([100, 140, 180, 220, 260, 300])(
    'of up %i ms after the start: nothing stays',
    async (delayMs, context) => {
      const folder = new JobFolder(bundle(), makePlan([], [{ name: 'orchestrator' }]), tmpdir(), context);
      const job = folder.start('runtime up orchestrator & up=$!; until [ -e run/go ]; do sleep 0.02; done');
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      folder.killRuntime('up');
      const verbs = ['up', 'supervise', 'store'];
      await waitUntil('its processes have gone', () =>
        verbs.every((verb) => folder.runtimeProcesses(verb).length === 0),
      );
      folder.write('run/go', '');
      await job.ended;
      await folder.expectNothingLeft(job);
    },
  );

  test('of the store: the applications are told, the job fails with the reason', async () => {
    const { folder, job } = await startJob(sleeper);
    const [store] = folder.runtimeProcesses('store');
    process.kill(store ?? 0, 'SIGKILL');
    const end = await job.ended;
    expect(end.code).toBe(143);
    expect(end.stderr).toContain("error[RUN1005]: store 'orchestrator' died");
    expect(end.stderr).toContain('SIGKILL');
    expect(folder.states('sweep')).toEqual(['interrupted', 'interrupted', 'none']);
    await folder.expectNothingLeft(job);
  });

  test('of the supervisor: its store ends, the job fails with the reason', async () => {
    const { folder, job } = await startJob(sleeper);
    const [supervisor] = folder.runtimeProcesses('supervise');
    process.kill(supervisor ?? 0, 'SIGKILL');
    const end = await job.ended;
    expect(end.code).toBe(143);
    expect(end.stderr).toContain('error[RUN1005]: the supervisor of this job has gone');
    await folder.expectNothingLeft(job);
  });

  test('of the script: everything ends by itself', async () => {
    const { folder, job } = await startJob(sleeper);
    process.kill(job.pid, 'SIGKILL');
    await job.ended;
    await folder.expectNothingLeft(job);
    expect(folder.states('sweep')).toEqual(['interrupted', 'interrupted', 'none']);
    expect(folder.members('sweep')[0]).toMatchObject({ reason: 'the script of the job has gone' });
  });

  test('of a launch: down ends the applications that it has left behind', async () => {
    const { folder, job } = await startJob(sleeper);
    folder.killRuntime('launch');
    expect((await job.ended).code).toBe(137);
    await waitUntil('no process is left', () => folder.processes().length === 0);
  });

  test('of everything at once but the applications and down', async () => {
    const { folder, job } = await startJob(sleeper);
    for (const verb of ['launch', 'supervise', 'store']) {
      folder.killRuntime(verb);
    }
    expect((await job.ended).code).toBe(137);
    await waitUntil('no process is left', () => folder.processes().length === 0);
    expect(existsSync(`/tmp/simwright-${process.getuid?.()}-${job.pid}`)).toBe(false);
  });
});

test('an application that leaves its group is ended by down', async () => {
  const folder = new JobFolder(bundle(), makePlan([{ name: 'solver' }]));
  const job = folder.start("runtime launch solver -- sh -c 'setsid sleep 300 & exit 0' & launched+=($!)");
  expect((await job.ended).code).toBe(0);
  await folder.expectNothingLeft(job);
});

test('a signal to down does not end the cleaning up', async () => {
  const folder = new JobFolder(bundle(), makePlan([{ ...sweep, stores: [] }]));
  folder.write('run/escaped.sh', "trap 'touch told' TERM; touch begun; while :; do sleep 0.05; done");
  folder.write('run/app.sh', 'setsid sh ../../escaped.sh & until [ -e begun ]; do sleep 0.05; done');
  const job = folder.start('runtime launch sweep --at-most 3 -- sh ../../app.sh & launched+=($!)');
  await waitUntil('down is at work', () => existsSync(folder.path('run/sweep/sweep_0/told')));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    for (const pid of folder.runtimeProcesses('down')) process.kill(pid, signal);
  }
  expect((await job.ended).code).toBe(0);
  expect(folder.read('run/members.csv')).toContain('sweep,2,sweep_2,2,completed');
  await folder.expectNothingLeft(job);
});

test('down may be called any number of times', async () => {
  const folder = new JobFolder(bundle(), makePlan([{ name: 'solver' }], [{ name: 'orchestrator' }]));
  const job = folder.start('runtime up orchestrator\nruntime down\nruntime down');
  const end = await job.ended;
  expect(end.stderr).toBe('');
  expect(end.code).toBe(0);
  await folder.expectNothingLeft(job);
});

test('a script whose background function puts a shell in front of launch is cleaned up too', async () => {
  const folder = new JobFolder(bundle(), makePlan([sweep], [{ name: 'orchestrator' }]));
  folder.write('run/app.sh', sleeper);
  const behind = 'behind_a_shell() { node runtime/simwright.mjs "$@"; }';
  const job = folder.start(behind + steps.replace('runtime launch sweep', 'runtime launch sweep'));
  await waitUntil('members have begun', () => existsSync(folder.path('run/sweep/sweep_1/begun')));
  process.kill(job.pid, 'SIGTERM');
  expect((await job.ended).code).toBe(143);
  expect(folder.states('sweep')).toEqual(['interrupted', 'interrupted', 'none']);
  await folder.expectNothingLeft(job);
});
