import { expect, test } from 'vitest';
import { expectNothingLeft } from '../../helpers/leftovers.js';
import { meanwhile, simwright, startSimwright } from '../../helpers/simwright.js';
import { Workspace } from '../../helpers/workspace.js';

test('simwright run on a folder where another one runs says who holds the member; that one is not disturbed', async () => {
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

  workspace.write('go', '');
  expect(await first).toMatchObject({ exitCode: 0, stdout: 'done\n' });
  expect(workspace.read('out/run/solver/started')).toBe('x\n');
  await expectNothingLeft(workspace.path('out'));
});
