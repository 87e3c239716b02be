import { existsSync, rmSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { useBundle } from './support/bundle.js';
import { JobFolder } from './support/job-folder.js';
import { makePlan } from './support/make-plan.js';
import { waitUntil } from './support/wait-until.js';

const bundle = useBundle();
const sweep = { name: 'sweep', params: { case: [0, 1, 2] }, asArgs: ['case'] };

describe('members that fail', () => {
  test('an exit code reaches status, members.csv and the script; the other members run', async () => {
    const folder = new JobFolder(bundle(), makePlan([sweep]));
    folder.write('run/app.sh', '[ "$1" != --case=1 ] || exit 3; echo fine');
    const end = await folder.run('runtime launch sweep --at-most 1 -- sh ../../app.sh {args} & launched+=($!)');
    expect(end.code).toBe(3);
    expect(end.stdout).toContain('sweep (3 members): 2 completed, 1 failed');
    expect(folder.states('sweep')).toEqual(['completed', 'failed', 'completed']);
    expect(folder.members('sweep')[1]).toMatchObject({ exit: 3, member: 'sweep_1' });
    expect(folder.read('run/sweep/sweep_2/sweep_2.out')).toBe('fine\n');
    expect(folder.read('run/members.csv')).toContain('\nsweep,1,sweep_1,1,failed,3,');
  });

  test('a second run takes up what has failed and keeps its directory', async () => {
    const folder = new JobFolder(bundle(), makePlan([sweep]));
    folder.write('run/app.sh', '[ "$1" != --case=1 ] || [ -e checkpoint ] || { touch checkpoint; exit 1; }');
    const steps = 'runtime launch sweep -- sh ../../app.sh {args} & launched+=($!)';
    expect((await folder.run(steps)).code).toBe(1);
    const end = await folder.run(steps);
    expect(end.code).toBe(0);
    expect(end.stdout).toContain('sweep (3 members): 1 completed, 2 completed before, skipped');
  });

  test('SIMWRIGHT_RETRY gives a failed member further attempts', async () => {
    const folder = new JobFolder(bundle(), makePlan([sweep]));
    folder.write('run/app.sh', 'echo x >> attempts; [ "$(wc -l < attempts)" -ge 3 ]');
    const end = await folder.run('runtime launch sweep -- sh ../../app.sh & launched+=($!)', { SIMWRIGHT_RETRY: '2' });
    expect(end.code).toBe(0);
    expect(folder.read('run/sweep/sweep_2/attempts')).toBe('x\nx\nx\n');
  });

  test('one that a signal ends has 128 + n', async () => {
    const folder = new JobFolder(bundle(), makePlan([{ name: 'solver' }]));
    const end = await folder.run("runtime launch solver -- sh -c 'kill -KILL $$' & launched+=($!)");
    expect(end.code).toBe(137);
    expect(folder.members('solver')[0]).toMatchObject({ state: 'failed', exit: 137, signal: 'SIGKILL' });
  });

  test('a program that is not there is named', async () => {
    const folder = new JobFolder(bundle(), makePlan([{ name: 'solver' }]));
    const end = await folder.run('runtime launch solver -- ./lbm-of-mine & launched+=($!)');
    expect(end.code).toBe(127);
    expect(end.stderr).toContain("error[RUN1010]: solver: './lbm-of-mine' cannot be started");
    expect(folder.states('solver')).toEqual(['failed']);
  });

  test('an artifact that is missing is named; no half directory stays', async () => {
    const files = [{ kind: 'copy' as const, artifact: 'artifacts/ab/grid.dat', to: 'grid.dat', mode: 0o644 }];
    const folder = new JobFolder(bundle(), makePlan([{ name: 'solver', files }]));
    const end = await folder.run('runtime launch solver -- true & launched+=($!)');
    expect(end.code).toBe(1);
    expect(end.stderr).toContain(
      'error[RUN1007]: artifacts/ab/grid.dat, which becomes grid.dat of solver, is not there',
    );
    expect(folder.states('solver')).toEqual(['none']);
    expect(existsSync(folder.path('run/solver'))).toBe(false);
    expect(folder.halfFiles()).toEqual([]);
  });
});

describe('a member is never run twice at a time', () => {
  test('the second launch says who holds it', async () => {
    const folder = new JobFolder(bundle(), makePlan([{ name: 'solver' }]));
    folder.write('run/app.sh', 'until [ -e ../go ]; do sleep 0.02; done');
    const first = folder.start('runtime launch solver -- sh ../app.sh & launched+=($!)');
    await waitUntil('the first runs', () => folder.states('solver')[0] === 'running');
    const second = await folder.run('runtime launch solver -- sh ../app.sh & launched+=($!)');
    expect(second.code).toBe(1);
    expect(second.stderr).toContain(`error[RUN1008]: solver is being run by job ${first.pid} ('main', process `);
    expect(folder.states('solver')).toEqual(['running']);
    folder.write('run/go', '');
    expect((await first.ended).code).toBe(0);
    expect(folder.states('solver')).toEqual(['completed']);
  });

  test('a lock whose process has gone is broken', async () => {
    const folder = new JobFolder(bundle(), makePlan([{ name: 'solver' }]));
    folder.write('run/app.sh', 'until [ -e ../go ]; do sleep 0.02; done');
    const first = folder.start('runtime launch solver -- sh ../app.sh & launched+=($!)');
    await waitUntil('the first runs', () => folder.states('solver')[0] === 'running');
    folder.killRuntime('launch');
    expect((await first.ended).code).toBe(137);
    expect(existsSync(folder.path('run/solver.lock'))).toBe(true);
    folder.write('run/go', '');
    expect((await folder.run('runtime launch solver -- sh ../app.sh & launched+=($!)')).code).toBe(0);
    expect(folder.halfFiles()).toEqual([]);
  });
});

describe('after', () => {
  const afterSweep = (event: 'started' | 'completed' | 'failed' | 'ended') => ({
    name: 'second',
    after: [{ name: 'sweep', event }],
  });

  test('started: runs beside it', async () => {
    const folder = new JobFolder(bundle(), makePlan([sweep, afterSweep('started')]));
    folder.write('run/app.sh', 'until [ -e ../../go ]; do sleep 0.02; done');
    const end = await folder.run(`
runtime launch second -- touch ../go & launched+=($!)
runtime launch sweep --at-most 3 -- sh ../../app.sh & launched+=($!)`);
    expect(end.code).toBe(0);
    expect(folder.states('sweep')).toEqual(['completed', 'completed', 'completed']);
  });

  test('completed: is not launched when a member fails, and says why', async () => {
    const folder = new JobFolder(bundle(), makePlan([sweep, afterSweep('completed')]));
    const job = folder.start(`
runtime launch second -- true & launched+=($!)
runtime launch sweep -- sh -c 'test "$1" != --case=2' - {args} & launched+=($!)`);
    const end = await job.ended;
    expect(end.code).toBe(1);
    expect(folder.read(`run/status/main.second.${job.pid}.jsonl`)).toContain('"launch":"skipped"');
    expect(end.stderr).toContain(
      "error[RUN1009]: second is not launched: it waits for 'sweep' to have completed, but sweep_2 failed with exit code 1",
    );
    expect(folder.states('second')).toEqual(['none']);
  });

  test('failed and ended: run after a failure', async () => {
    const folder = new JobFolder(
      bundle(),
      makePlan([sweep, afterSweep('failed'), { ...afterSweep('ended'), name: 'third' }]),
    );
    const end = await folder.run(`
runtime launch second -- true & launched+=($!)
runtime launch third -- true & launched+=($!)
runtime launch sweep -- sh -c 'test "$1" != --case=2' - {args} & launched+=($!)`);
    expect(end.code).toBe(1);
    expect([...folder.states('second'), ...folder.states('third')]).toEqual(['completed', 'completed']);
  });

  test('a failure of an earlier run does not count', async () => {
    const folder = new JobFolder(bundle(), makePlan([sweep, afterSweep('completed')]));
    const steps = `
runtime launch second -- true & launched+=($!)
runtime launch sweep -- sh -c 'test -e ../../go' & launched+=($!)`;
    expect((await folder.run(steps)).code).toBe(1);
    folder.write('run/go', '');
    expect((await folder.run(steps)).code).toBe(0);
    expect(folder.states('second')).toEqual(['completed']);
  });

  test('a launch that is killed ends the waiting', async () => {
    const folder = new JobFolder(bundle(), makePlan([sweep, afterSweep('completed')]));
    const job = folder.start(`
runtime launch second -- true & launched+=($!)
runtime launch sweep -- sleep 60 & launched+=($!)`);
    await waitUntil('it runs', () => folder.states('sweep').includes('running'));
    const launches = folder.processes().filter(({ command }) => command.includes('launch sweep'));
    for (const { pid } of launches) process.kill(pid, 'SIGKILL');
    const end = await job.ended;
    expect(end.code).toBe(137);
    expect(end.stderr).toContain('but the launch of sweep has ended before its members');
    expect(folder.processes()).toEqual([]);
  });
});

describe('wrong use', () => {
  test.each([
    ['runtime', 'a verb is expected'],
    ['runtime ascend x', "there is no verb 'ascend'"],
    ['runtime launch solver', 'the launch line is missing'],
    ['runtime launch solver --member x -- true', '--member x: a whole number is expected'],
    ['runtime launch solver --at-most 0 -- true', '--at-most 0: at least 1 is expected'],
    ['runtime launch solver --colour red -- true', "Unknown option '--colour'"],
  ])('%s', async (step, message) => {
    const folder = new JobFolder(bundle(), makePlan([{ name: 'solver' }]));
    const end = await folder.run(step);
    expect(end.code).toBe(2);
    expect(end.stderr).toContain(message);
  });

  test('an entity, a store and a member that are not in the plan', async () => {
    const folder = new JobFolder(bundle(), makePlan([{ name: 'solver' }]));
    expect((await folder.run('runtime launch sovler -- true')).stderr).toContain(
      "error[RUN1012]: plan.json has no model or ensemble 'sovler'\n   hint: did you mean 'solver'?",
    );
    expect((await folder.run('runtime up orchestrator')).stderr).toContain(
      "error[RUN1012]: plan.json has no store 'orchestrator'",
    );
    expect((await folder.run('runtime launch solver --member 1 -- true')).stderr).toContain(
      'error[RUN1013]: solver has no member 1: its members are 0 to 0',
    );
  });

  test.each([
    ['unset SIMWRIGHT_JOB', 'SIMWRIGHT_JOB is not set'],
    ['export SIMWRIGHT_STARTED=noon', 'SIMWRIGHT_STARTED=noon is not a number'],
  ])('variables of the job script: %s', async (step, message) => {
    const folder = new JobFolder(bundle(), makePlan([{ name: 'solver' }]));
    const end = await folder.run(`${step}; runtime launch solver -- true`);
    expect(end.stderr).toContain(`error[RUN1014]: ${message}`);
    expect(end.code).toBe(1);
  });

  test('a folder without plan.json, and a plan of another version', async () => {
    const folder = new JobFolder(bundle(), makePlan([{ name: 'solver' }]));
    folder.write('plan.json', '{"version": 99}');
    expect((await folder.run('runtime launch solver -- true')).stderr).toContain('error[PLAN1004]');
    rmSync(folder.path('plan.json'));
    const end = await folder.run('runtime launch solver -- true');
    expect(end.stderr).toContain('error[RUN1001]: there is no readable plan.json');
    expect(end.code).toBe(1);
  });
});
