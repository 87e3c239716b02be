import { join } from 'node:path';
import { expect, test } from 'vitest';
import { command, experiment } from '../../src/dsl/index.js';
import { compileFor, scriptOf } from './support/compile-experiment.js';
import { compileFile, root, textsOf } from './support/compile-fixture.js';
import { onPath } from './support/on-path.js';
import { sbatchOptions } from './support/sbatch-options.js';

/** What sbatch reads from a fixture's job script, without what it says of itself. */
async function optionsOf(fixture: string, job: string) {
  const compiled = await compileFile(join(root, 'fixtures/workflows', fixture, 'workflow.ts'), 'slurm');
  const script = textsOf(compiled).find(([path]) => path === `jobs/${job}.sbatch`)?.[1] ?? '';
  const { verbose: _verbose, 'test-only': _testOnly, ...options } = sbatchOptions(script);
  return options;
}

test.skipIf(!onPath('sbatch'))('the real sbatch reads what is meant (skipped where sbatch is missing)', async () => {
  expect(await optionsOf('chained-jobs', 'simulation')).toEqual({
    account: 'abc123',
    exclusive: 'exclusive',
    'job-name': 'simulation',
    mem: '64G',
    mincpus: '32',
    nodes: '2',
    'open-mode': 'a',
    output: expect.stringMatching(/\/logs\/simulation-%j\.out$/),
    partition: 'big',
    reservation: 'maintenance-1',
    time: '12:00:00',
  });
  expect(await optionsOf('job-array', 'sweep')).toEqual({
    array: '0-19%4',
    'job-name': 'sweep',
    nodes: '1',
    'ntasks-per-node': '1',
    'open-mode': 'a',
    output: expect.stringMatching(/\/logs\/sweep-%A_%a\.out$/),
    time: '1-02:30:00',
  });
  const set = { '-C': 'P100', '-S': 8, '-N': 3, '-t': '20', '--mem-per-cpu': '2G' };
  const edited = experiment('e').batch({ walltime: '01:00:00', directives: { set } });
  const model = edited.model('m', command('app').memoryPerNode('4G'));
  const { verbose: _v, 'test-only': _t, ...read } = sbatchOptions(scriptOf(compileFor('slurm', model), 'e'));
  expect(read).toMatchObject({
    constraint: 'P100',
    'core-spec': '8',
    nodes: '3',
    time: '00:20:00',
    'mem-per-cpu': '2G',
  });
  expect(read).not.toHaveProperty('mem');
  expect(await optionsOf('mpi-with-gpus', 'mpi-with-gpus')).toMatchObject({
    'gpus-per-node': '4',
    nodes: '2',
    'ntasks-per-node': '8',
    time: '01:31:00',
  });
});
