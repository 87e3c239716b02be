import { describe, expect, test } from 'vitest';
import { meanwhile, simwright, startSimwright } from '../helpers/simwright.js';
import { Workspace } from '../helpers/workspace.js';
import { waitUntil } from '../runtime/support/wait-until.js';
import { compiled, patient } from './compiled-jobs.js';

/** Replaces parts that differ from run to run: times, seconds, process ids, the host. */
const plain = (text: string) =>
  text
    .replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC/g, 'TIME')
    .replace(/ after [\d.]+ s/g, ' after S s')
    .replace(/ on \S+; job/g, ' on HOST; job')
    .replace(/\(process \d+\)/g, '(process P)')
    .replace(/job (\S+) \(\d+\)/g, 'job $1 (ID)');

test('a retry that succeeds does not take away what the first attempt had to say', async () => {
  const workspace = new Workspace();
  workspace.write(
    'flaky.sh',
    'if [ ! -e tried ]; then touch tried; echo "FATAL: matrix is singular at step 812" >&2; exit 1; fi\necho second attempt fine\n',
  );
  workspace.workflow(`experiment('retry').ensemble('e', command('sh', 'flaky.sh', '{args}'))
  .params({ A: [1, 2] }, { asArgs: ['A'] }).attach({ copy: ['flaky.sh'] })`);
  await compiled(workspace);
  const before = await simwright(workspace, 'logs', 'out', 'e_0');
  expect(before).toMatchObject({ exitCode: 0, stdout: 'e_0, member 0 of e, in run/e/e_0\nA=1\n\nit has not begun\n' });
  expect((await simwright(workspace, 'submit', 'out', '--retry', '1')).exitCode).toBe(0);
  expect(workspace.read('out/run/e/e_0/e_0.err')).toBe('');
  expect(workspace.read('out/run/e/e_0/e_0.err.1')).toBe('FATAL: matrix is singular at step 812\n');

  const end = await simwright(workspace, 'logs', 'out', 'e_0');
  expect(end).toMatchObject({ exitCode: 0, stderr: '' });
  expect(plain(end.stdout)).toBe(`e_0, member 0 of e, in run/e/e_0
A=1

attempt 1 of 2: failed with exit code 1 after S s on HOST; job retry (ID), begun TIME
  run/e/e_0/e_0.err.1:
    FATAL: matrix is singular at step 812
  run/e/e_0/e_0.out.1 is empty

attempt 2 of 2: completed after S s on HOST; job retry (ID), begun TIME
  run/e/e_0/e_0.err is empty
  run/e/e_0/e_0.out:
    second attempt fine
`);
  const one = await simwright(workspace, 'logs', 'out', 'e_1', '--attempt', '1', '--json');
  expect(JSON.parse(one.stdout)).toMatchObject({
    ok: true,
    name: 'e_1',
    entity: 'e',
    index: 1,
    params: { A: 2 },
    total: 2,
    attempts: [
      {
        attempt: 1,
        state: 'failed',
        exit: 1,
        cause: 'FATAL: matrix is singular at step 812',
        err: { file: 'run/e/e_1/e_1.err.1', lines: ['FATAL: matrix is singular at step 812'], isCut: false },
        out: { file: 'run/e/e_1/e_1.out.1', bytes: 0, lines: [] },
      },
    ],
    storeErrors: [],
  });
  const all = await simwright(workspace, 'logs', 'out');
  expect(all.stdout).toContain('\ne: 2 completed\n  tried more than once: e_0 (2), e_1 (2)\n');
  expect(all.stdout).toContain('\n  retry: logs/retry.out\n');

  expect((await simwright(workspace, 'submit', 'out', '--fresh')).exitCode).toBe(4);
  const fresh = await simwright(workspace, 'logs', 'out', 'e_0');
  expect(fresh.stdout.match(/^attempt \d of 3: \w+/gm)).toEqual([
    'attempt 1 of 3: failed',
    'attempt 2 of 3: completed',
    'attempt 3 of 3: failed',
  ]);
  // The first two wrote into a directory that has been moved aside since.
  expect(fresh.stdout).toContain('  run/aside/e/e_0.1/e_0.err.1:\n    FATAL: matrix is singular at step 812\n');
  expect(fresh.stdout).toContain('  run/aside/e/e_0.1/e_0.out:\n    second attempt fine\n');
  expect(fresh.stdout).toContain('  run/e/e_0/e_0.err:\n    FATAL: matrix is singular at step 812\n');
  // The log of each run is still there.
  expect(workspace.lines('out/logs/retry.out').filter((line) => /^--- retry, \d{4}/.test(line))).toHaveLength(2);
  expect((await simwright(workspace, 'logs', 'out', 'retry')).stdout).toMatch(/e \(2 members\): 2 failed$/m);
});

describe('failures are told by cause', () => {
  test('in run, status and logs; what a Fortran code writes on standard output too', async () => {
    const workspace = new Workspace();
    workspace.write(
      'solver.sh',
      `case $1 in
*=[1-4]) echo "NaN in cell $((10 * \${1#*=}))"; exit 3;;
*=5) echo "mesh of $PWD cannot be read" >&2; exit 4;;
*=6) kill -KILL $$;;
*=7) echo "step 811"; echo "step 812"; exit 5;;
esac
`,
    );
    workspace.workflow(`experiment('causes').ensemble('e', command('sh', 'solver.sh', '{args}'))
  .params({ LEVEL: [0, 1, 2, 3, 4, 5, 6, 7] }, { asArgs: ['LEVEL'] }).attach({ copy: 'solver.sh' })`);
    const end = await simwright(workspace, 'run', 'workflow.ts', '--out', 'out');
    expect(end.exitCode).toBe(4);
    const nan = "4 members of e failed: 'NaN in cell …' (exit code 3): e_1, e_2, e_3, e_4";
    const mesh = `e_5 failed: 'mesh of ${workspace.path('out/run/e/e_5')} cannot be read' (exit code 4)`;
    expect(end.stderr).toContain(`\n${nan}; see out/run/e/e_1/e_1.out\n  NaN in cell 10\n`);
    expect(end.stderr).toContain(`\n${mesh}; see out/run/e/e_5/e_5.err\n  mesh of `);
    expect(end.stderr).toContain('\ne_6 failed: SIGKILL; see out/run/e/e_6/e_6.err\n');

    expect(end.stderr).toContain(
      "\ne_7 failed: 'step 812' (exit code 5); see out/run/e/e_7/e_7.out\n  step 811\n  step 812\n",
    );

    const status = await simwright(workspace, 'status', 'out');
    expect(status.stdout).toContain(`\n${nan}; see run/e/e_1/e_1.out\n${mesh}; see run/e/e_5/e_5.err\n`);
    expect(status.stdout).toContain('\ne_6 failed: SIGKILL; see run/e/e_6/e_6.err\n');
    const json = JSON.parse((await simwright(workspace, 'status', 'out', '--json')).stdout);
    expect(json.entities[0].failures[0]).toMatchObject({ name: 'e_1', exit: 3, line: 'NaN in cell 10' });
    expect(json.entities[0].causes[0]).toEqual({
      cause: "'NaN in cell …' (exit code 3)",
      members: ['e_1', 'e_2', 'e_3', 'e_4'],
      output: 'run/e/e_1/e_1.out',
    });

    const logs = await simwright(workspace, 'logs', 'out');
    expect(logs.stdout).toContain(
      `\ne: 1 completed, 7 failed\n  ${nan}\n    run/e/e_1/e_1.out ends:\n      NaN in cell 10\n`,
    );
    const ensemble = JSON.parse((await simwright(workspace, 'logs', 'out', 'e', '--json')).stdout);
    expect(ensemble.entities).toHaveLength(1);
    expect(ensemble.entities[0].causes.map((cause: { members: string[] }) => cause.members.length)).toEqual([
      4, 1, 1, 1,
    ]);
  });
});

test('what a store has answered a member with an error', async () => {
  const workspace = new Workspace();
  workspace.write(
    'app.mjs',
    `import { Client } from 'simwright/client';
const client = await Client.connect();
for (let time = 0; time < 3; time++) await client.getTensor('velocity').catch(() => undefined);
if (process.env.SIMWRIGHT_NAME === 'e_1') await client.runModel('surrogate', ['velocity'], ['out']);
await client.close();
`,
  );
  workspace.workflow(`experiment('s').orchestrator()
  .ensemble('e', command('node', 'app.mjs', '{args}')).params({ A: [1, 2] }, { asArgs: ['A'] })
  .attach({ copy: 'app.mjs' }).registerIncomingEntity('e')`);
  await compiled(workspace);
  expect((await simwright(workspace, 'submit', 'out')).exitCode).toBe(4);
  const end = await simwright(workspace, 'logs', 'out', 'e_1');
  const said = plain(end.stdout);
  expect(said).toContain('\nstores have answered it with errors:\n');
  expect(said).toContain(
    '\n  TIME orchestrator to e_1 (process P) 3 times: AI.TENSORGET "e_1.velocity": ERR tensor key is empty',
  );
  expect(said).toMatch(/\n {2}TIME orchestrator to e_1 \(process P\): AI\.MODELEXECUTE "(e_1\.)?surrogate" /);
  const { storeErrors } = JSON.parse((await simwright(workspace, 'logs', 'out', '--json')).stdout);
  expect(
    storeErrors.map(({ member, by, times }: Record<string, unknown>) => `${member} ${by} ${times}`).sort(),
  ).toEqual(['e_0 process 3', 'e_1 process 1', 'e_1 process 3']);
  const store = await simwright(workspace, 'logs', 'out', 'orchestrator', '--lines', '1');
  expect(store.stdout).toMatch(
    /^run\/stores\/orchestrator\/\S+\.log, the last 1 line:\n {2}\S+ info saved, and ended$/m,
  );
  expect(store.stdout).toContain('run/stores/orchestrator/launch.log is empty\n');
});

test('--follow shows what a member writes, through its attempts, until it has ended', async () => {
  const workspace = new Workspace();
  workspace.write(
    'app.sh',
    `echo "attempt $(ls | grep -c out)"
until [ -e ${workspace.path('go')}$(ls | grep -c out) ]; do sleep 0.05; done
[ -e m.out.1 ] || { echo "out of luck" >&2; exit 1; }
`,
  );
  workspace.workflow(`experiment('f').model('m', command('sh', 'app.sh')).attach({ copy: 'app.sh' })`);
  await compiled(workspace);
  const submitted = startSimwright(workspace, 'submit', 'out', '--retry', '1');
  await meanwhile(submitted, 'it writes', () => workspace.lines('out/run/m/m.out').length > 0);
  const following = startSimwright(workspace, 'logs', 'out', 'm', '--follow');
  let text = '';
  following.stdout.on('data', (piece) => {
    text += String(piece);
  });
  await meanwhile(following, 'what is there is shown', () => text === '==> run/m/m.out <==\nattempt 1\n');
  workspace.write('go1', '');
  await meanwhile(following, 'the second attempt is shown', () => text.includes('attempt 2'));
  workspace.write('go2', '');
  expect((await submitted).exitCode).toBe(0);
  expect((await following).exitCode).toBe(0);
  expect(
    text
      .split(/\n?==> /)
      .slice(1)
      .sort(),
  ).toEqual(['run/m/m.err <==\nout of luck\n', 'run/m/m.out <==\nattempt 1\n', 'run/m/m.out <==\nattempt 2\n']);
  const again = await simwright(workspace, 'logs', 'out', 'm', '--follow', '--json');
  expect(again.stdout).toBe(`${JSON.stringify({ file: 'run/m/m.out', text: 'attempt 2\n' })}\n`);
});

test('while it runs, and after it was cancelled', async () => {
  const workspace = new Workspace();
  workspace.write('app.mjs', `${patient(workspace)}console.log('working');`);
  workspace.workflow(`experiment('k').model('m', command('node', 'app.mjs')).attach({ copy: 'app.mjs' })`);
  await compiled(workspace);
  const submitted = startSimwright(workspace, 'submit', 'out');
  await meanwhile(submitted, 'it works', () => workspace.lines('out/run/m/m.out').length > 0);
  const during = plain((await simwright(workspace, 'logs', 'out', 'm')).stdout);
  expect(during).toContain('attempt 1 of 1: running, no end is on record on HOST; job k (ID), begun TIME\n');
  expect(during).toContain('  run/m/m.out:\n    working\n');
  const { exitCode } = await simwright(workspace, 'cancel', 'out');
  expect(exitCode).toBe(0);
  await submitted;
  await waitUntil('its end is on record', async () => {
    const { stdout } = await simwright(workspace, 'logs', 'out');
    return stdout.includes('m: 1 interrupted\n  m interrupted: the job got SIGTERM\n') || stdout;
  });
});

test('mistakes are named, with what is there', async () => {
  const workspace = new Workspace();
  workspace.workflow(
    `experiment('x').ensemble('sweep', command('true', '{args}')).params({ A: [1, 2] }, { asArgs: ['A'] })`,
  );
  await compiled(workspace);
  const cases: readonly (readonly [words: readonly string[], message: string, hint: string])[] = [
    [['sweep_2'], "no entity, member, store or job named 'sweep_2'", "the members of 'sweep' are sweep_0 to sweep_1"],
    [['sweeep'], "no entity, member, store or job named 'sweeep'", "did you mean 'sweep'?"],
    [['sweep_0', '--attempt', '1'], '--attempt 1: sweep_0 has no such attempt', 'it has not begun'],
    [['--follow'], '--follow: a member has to be named', 'write: simwright logs DIR MEMBER --follow'],
    [['sweep', '--attempt', '2'], "--attempt: 'sweep' is no member", 'write: simwright logs DIR MEMBER --attempt'],
  ];
  for (const [words, message, hint] of cases) {
    const end = await simwright(workspace, 'logs', 'out', ...words);
    expect(end).toMatchObject({ exitCode: 2, stdout: '' });
    expect(end.stderr).toContain('error[CLI1001]: ');
    expect(end.stderr).toContain(message);
    expect(end.stderr).toContain(`hint: ${hint}`);
  }
  expect(await simwright(workspace, 'logs', 'nowhere')).toMatchObject({ exitCode: 2 });
});
