import { command, experiment } from 'simwright';
import { compileForTest } from 'simwright/testing';
import { expect, test } from 'vitest';
import { problemsOf } from '../compiler/support/workspace.js';

const hello = experiment('hello').model('greeter', command('echo', 'hello')).params({ UNUSED: 1 });

test('an experiment by value, a file by path and by URL, give their text files and warnings', async () => {
  const byValue = await compileForTest(hello, 'slurm');
  expect([...byValue.files.keys()]).toEqual(['jobs/hello.sbatch', 'plan.json', 'submit.sh']);
  expect(byValue.warnings).toEqual(["TMPL1002 nothing of 'greeter' uses the parameter UNUSED"]);
  const url = new URL('../../fixtures/workflows/hello-world/workflow.ts', import.meta.url);
  const [byUrl, byPath] = [await compileForTest(url, 'pbs'), await compileForTest(url.pathname, 'pbs')];
  expect([...byUrl.files]).toEqual([...byPath.files]);
});

test('a site by value is checked', async () => {
  const { files } = await compileForTest(hello, { name: 'ours', target: 'lsf', launcher: 'mpiexec' });
  expect(files.get('jobs/hello.lsf')).toContain('#BSUB -n 1\n#BSUB -R "span[ptile=1]"\n');
  const problems = await problemsOf(() => compileForTest(hello, { name: 'ours', target: 'condor' as never }));
  expect(problems.map(({ code }) => code)).toEqual(['SITE1002']);
});
