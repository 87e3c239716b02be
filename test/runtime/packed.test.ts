import { existsSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { describe, expect, type TestContext, test, vi } from 'vitest';
import { parentOf } from '../../src/runtime/job/process-identity.js';
import { useBundle } from './support/bundle.js';
import { JobFolder, type RunningJob } from './support/job-folder.js';
import { makePlan } from './support/make-plan.js';
import { waitUntil } from './support/wait-until.js';

vi.setConfig({ maxConcurrency: 2 });
const bundle = useBundle();

/** So many that shells which stay start them. */
const sweep = { name: 'sweep', params: { number: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] }, asArgs: ['number'] };
const steps = 'runtime launch sweep --at-most 2 -- sh ../../app.sh {args} & launched+=($!)';
const sleeper = 'echo $$ > pid; mv pid begun; sleep 300 & wait';

function prepared(app: string, context?: TestContext): JobFolder {
  const folder = new JobFolder(bundle(), makePlan([sweep]), tmpdir(), context);
  folder.write('run/app.sh', app);
  return folder;
}

/** A job of which two members run. */
async function startJob(app: string, env = {}, context?: TestContext): Promise<{ folder: JobFolder; job: RunningJob }> {
  const folder = prepared(app, context);
  const job = folder.start(steps, env);
  await waitUntil('two members have begun', () =>
    [0, 1].every((index) => existsSync(folder.path(`run/sweep/sweep_${index}/begun`))),
  );
  return { folder, job };
}

const pidOf = (folder: JobFolder, index: number) => Number(folder.read(`run/sweep/sweep_${index}/begun`));

/** States of members of which the first two were interrupted, and the others not begun. */
const twoInterrupted = ['interrupted', 'interrupted', ...Array(8).fill('none')];

test('each member has its files, its words, its output and its end', async () => {
  const app = 'echo "$SIMWRIGHT_NAME $PWD $*"; case $1 in *=3) exit 3;; *=4) kill -KILL $$;; *=5) exit 127;; esac';
  const folder = prepared(app);
  const job = folder.start(steps);
  const end = await job.ended;
  expect(end.stderr).toBe('');
  expect(end.code).toBe(137);
  expect(end.stdout).toContain('sweep (10 members): 7 completed, 3 failed');
  expect(folder.members('sweep').map((event) => [event?.state, event?.exit, event?.signal])).toEqual(
    sweep.params.number.map((index) => {
      if (index === 4) return ['failed', 137, 'SIGKILL'];
      return index === 3 || index === 5 ? ['failed', { 3: 3, 5: 127 }[index], undefined] : ['completed', 0, undefined];
    }),
  );
  for (const index of sweep.params.number) {
    const directory = `run/sweep/sweep_${index}`;
    expect(readdirSync(folder.path(directory)).sort()).toEqual([
      'params.json',
      `sweep_${index}.err`,
      `sweep_${index}.out`,
    ]);
    expect(folder.read(`${directory}/sweep_${index}.out`)).toBe(
      `sweep_${index} ${folder.path(directory)} --number=${index}\n`,
    );
  }
  await folder.expectNothingLeft(job);
});

test('a program that is not there is named', async () => {
  const folder = prepared('');
  const end = await folder.run('runtime launch sweep --at-most 2 -- ./lbm-of-mine & launched+=($!)');
  expect(end.code).toBe(127);
  expect(end.stderr).toContain("error[RUN1010]: sweep_9: './lbm-of-mine' cannot be started: ");
  expect(end.stderr).toContain('No such file or directory');
  expect(folder.states('sweep')).toEqual(Array(10).fill('failed'));
});

describe('signals to the script', () => {
  test.each([
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ] as const)('%s ends the applications and leaves nothing', async (signal, code) => {
    const { folder, job } = await startJob(sleeper);
    process.kill(job.pid, signal);
    expect([code, 143]).toContain((await job.ended).code);
    expect(folder.states('sweep')).toEqual(twoInterrupted);
    expect(folder.members('sweep')[0]).toMatchObject({ reason: `the job got ${signal}` });
    await folder.expectNothingLeft(job);
  });

  test('SIGTERM to every process, as a scheduler sends it', async () => {
    const { folder, job } = await startJob(sleeper);
    for (const { pid } of folder.processes()) {
      try {
        process.kill(pid, 'SIGTERM');
      } catch {
        // It has ended at the news that another brought.
      }
    }
    expect((await job.ended).code).toBe(143);
    expect(folder.states('sweep')).toEqual(twoInterrupted);
    await folder.expectNothingLeft(job);
  });

  test('an application that ignores SIGTERM is killed after a while', async () => {
    const { folder, job } = await startJob(`trap '' TERM; ${sleeper.replace('& wait', '')}`, {
      SIMWRIGHT_KILL_AFTER: '0.5',
    });
    process.kill(job.pid, 'SIGTERM');
    await job.ended;
    expect(folder.members('sweep')[0]).toMatchObject({ state: 'interrupted', signal: 'SIGKILL', exit: 137 });
    await folder.expectNothingLeft(job);
  });

  test('SIGUSR1 is passed on, and the applications go on', async () => {
    const { folder, job } = await startJob(
      "trap 'touch ../warned' USR1; echo $$ > begun; until [ -e ../warned ]; do sleep 0.02; done; exit 0",
    );
    process.kill(job.pid, 'SIGUSR1');
    expect((await job.ended).code).toBe(0);
    expect(folder.states('sweep')).toEqual(Array(10).fill('completed'));
  });
});

test.concurrent.for([0, 200, 400, 600])(
  'SIGTERM %i ms after the first member has begun leaves nothing',
  async (delayMs, context) => {
    const { folder, job } = await startJob('touch begun; sleep 0.1', {}, context);
    await new Promise((resolve) => setTimeout(resolve, delayMs));
    job.child.kill('SIGTERM');
    expect([0, 143, null]).toContain((await job.ended).code);
    await folder.expectNothingLeft(job);
  },
);

describe('kill -9', () => {
  test('of a shell that starts members: its member is interrupted, the others run', async () => {
    const { folder, job } = await startJob('[ -e ../go ] || { echo $$ > pid; mv pid begun; sleep 300 & wait; }');
    folder.write('run/sweep/go', '');
    process.kill(parentOf(pidOf(folder, 0)) ?? 0, 'SIGKILL');
    await waitUntil('the first has ended', () => folder.states('sweep')[0] === 'interrupted');
    process.kill(-pidOf(folder, 1), 'SIGKILL');
    const end = await job.ended;
    expect(end.code).toBe(137);
    expect(folder.states('sweep')).toEqual(['interrupted', 'failed', ...Array(8).fill('completed')]);
    expect(folder.members('sweep')[0]).toMatchObject({ reason: 'the shell that started it has gone' });
    await folder.expectNothingLeft(job);
  });

  test('of the launch: down ends the applications and the shells', async () => {
    const { folder, job } = await startJob(sleeper);
    folder.killRuntime('launch');
    expect((await job.ended).code).toBe(137);
    await waitUntil('no process is left', () => folder.processes().length === 0);
  });

  test('of the script: everything ends by itself', async () => {
    const { folder, job } = await startJob(sleeper);
    process.kill(job.pid, 'SIGKILL');
    await job.ended;
    await folder.expectNothingLeft(job);
    expect(folder.states('sweep')).toEqual(twoInterrupted);
  });

  test('of the script and the launch: a shell ends with its application', async () => {
    const { folder, job } = await startJob(sleeper);
    process.kill(job.pid, 'SIGKILL');
    folder.killRuntime('launch');
    for (const index of [0, 1]) process.kill(-pidOf(folder, index), 'SIGKILL');
    await waitUntil('no process is left', () => folder.processes().length === 0 || JSON.stringify(folder.processes()));
  });
});
