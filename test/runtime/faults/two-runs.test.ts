import { execa } from 'execa';
import { expect, test } from 'vitest';
import { expectNothingLeft } from '../../helpers/leftovers.js';
import { meanwhile, simwright, startSimwright } from '../../helpers/simwright.js';
import { Workspace } from '../../helpers/workspace.js';

const submitScript = (workspace: Workspace, ...words: readonly string[]) =>
  execa(workspace.path('out/submit.sh'), words, { reject: false });

test('simwright run, submit and submit.sh on a folder where another one runs say who holds the member; that one is not disturbed', async () => {
  const workspace = new Workspace();
  workspace.write('app.sh', 'echo x >> started; until [ -e ../../../go ]; do sleep 0.02; done; echo done');
  workspace.workflow("experiment('twice').model('solver', command('sh', 'app.sh')).attach({ copy: 'app.sh' })");
  const words = ['run', 'workflow.ts', '--out', 'out'];
  const first = startSimwright(workspace, ...words);
  await meanwhile(first, 'the solver has started', () => workspace.has('out/run/solver/started'));
  const [line = ''] = workspace.lines('out/run/jobs.tsv');
  const job = line.split('\t')[1];

  const refused = await simwright(workspace, ...words);
  expect(refused.exitCode).toBe(1);
  expect(refused.stderr).toContain(`error[OUT1003]: jobs of ${workspace.path('out')} run or wait`);
  expect(refused.stderr).toContain(`twice (${job}, RUNNING)`);

  const second = await simwright(workspace, ...words, '--force');
  expect(second.exitCode).toBe(4);
  expect(second.stderr).toContain(`error[RUN1008]: solver is being run by job ${job} ('twice', process `);

  for (const submit of [() => submitScript(workspace), () => simwright(workspace, 'submit', 'out')]) {
    const end = await submit();
    expect(end.exitCode).toBe(1);
    expect(end.stderr).toContain(`error[OUT1003]: jobs of ${workspace.path('out')} run or wait`);
    expect(end.stderr).toContain(`twice (${job}, RUNNING)`);
    expect(end.stderr).not.toContain('solver: ');
  }
  // A race that is lost all the same: it says that the member runs, and what to do.
  const third = await submitScript(workspace, '--force');
  expect(third.exitCode).toBe(1);
  expect(third.stderr).toBe('solver: running');
  const log = workspace.read('out/logs/twice.out');
  expect(log).toContain('solver: running\n');
  expect(log).not.toContain('interrupted');
  expect(log).toContain('hint: it runs once, there: submit again when that job has ended, for what it has left;');

  workspace.write('go', '');
  expect(await first).toMatchObject({ exitCode: 0, stdout: 'done\n' });
  expect(workspace.read('out/run/solver/started')).toBe('x\n');
  await expectNothingLeft(workspace.path('out'));
});
