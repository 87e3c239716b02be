import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { command, experiment } from '../../../src/index.js';
import type { Entity, Plan } from '../../../src/ir/index.js';
import { memberEnvironment } from '../../../src/runtime/launch/member-environment.js';
import { compileFor, entityOf } from '../../compiler/support/compile-experiment.js';
import { root } from '../../helpers/simwright.js';
import { useBundle } from '../support/bundle.js';
import { JobFolder } from '../support/job-folder.js';
import { makePlan } from '../support/make-plan.js';

const bundle = useBundle();

test('values with commas, blanks, quotes and line ends arrive as they are', async () => {
  const env = { A: 'a,b c', B: 'two\nlines\n', C: '"$HOME" `id` \\', D: '', SR_SOCKET_TIMEOUT: '123' };
  const folder = new JobFolder(
    bundle(),
    makePlan([{ name: 'solver', env, stores: ['orchestrator'] }], [{ name: 'orchestrator' }]),
  );
  const end = await folder.run(`
runtime up orchestrator
runtime launch solver -- node -p 'JSON.stringify({ ...process.env, cwd: process.cwd() })' & launched+=($!)`);
  expect(end.stderr).toBe('');
  expect(JSON.parse(folder.read('run/solver/solver.out'))).toMatchObject({
    ...env,
    cwd: folder.path('run/solver'),
    SIMWRIGHT_DIR: folder.path('run/solver'),
    SIMWRIGHT_NAME: 'solver',
    SIMWRIGHT_MEMBER: '0',
  });
});

test('arguments of a member with blanks are one word each; standard input is empty', async () => {
  const plan = makePlan([{ name: 'sweep', params: { title: ['a b', "it's"] }, asArgs: ['title'] }]);
  const folder = new JobFolder(bundle(), plan);
  const end = await folder.run(
    `runtime launch sweep -- sh -c 'printf "<%s>" "$@"; cat' - {args} {{args}} {name} '*' & launched+=($!)`,
  );
  expect(end.stderr).toBe('');
  expect(folder.read('run/sweep/sweep_1/sweep_1.out')).toBe("<--title=it's><{args}><sweep_1><*>");
  expect(folder.read('run/sweep/sweep_0/sweep_0.out')).toBe('<--title=a b><{args}><sweep_0><*>');
});

test('one member of a job array', async () => {
  const folder = new JobFolder(bundle(), makePlan([{ name: 'sweep', params: { I: [0, 1, 2] } }]));
  const end = await folder.run(
    'runtime launch sweep --member "$SIMWRIGHT_ARRAY_INDEX" -- sh -c "echo $SIMWRIGHT_ARRAY_INDEX" & launched+=($!)',
    { SIMWRIGHT_ARRAY_INDEX: '1' },
  );
  expect(end.stderr).toBe('');
  expect(folder.states('sweep')).toEqual(['none', 'completed', 'none']);
  expect(folder.read('run/sweep/sweep_1/sweep_1.out')).toBe('1\n');
});

test('an ensemble names its members as sources; its own name is the member itself', async () => {
  const plan = makePlan(
    [
      {
        name: 'sweep',
        params: { I: [0, 1] },
        incoming: ['sweep', 'other', 'one_1'],
        stores: ['s'],
        keyPrefixing: true,
      },
      { name: 'other', params: { I: [0, 1] } },
    ],
    [{ name: 's' }],
  );
  const folder = new JobFolder(bundle(), plan);
  const end = await folder.run(`
runtime up s
runtime launch sweep -- sh -c 'echo $SSKEYIN $SSKEYOUT' & launched+=($!)`);
  expect(end.stderr).toBe('');
  expect(folder.read('run/sweep/sweep_1/sweep_1.out')).toBe('sweep_1,other_0,other_1,one_1 sweep_1\n');
});

test('threads of a task are its CPUs in a job, unless the user says otherwise', () => {
  const plan = makePlan([{ name: 'm', size: { nodes: 1, tasks: 2, tasksPerNode: 2, cpusPerTask: 4 } }]);
  const [entity] = plan.entities as [Entity];
  const threads = (target: Plan['target'], env: NodeJS.ProcessEnv, of = entity) =>
    memberEnvironment({ ...plan, target }, of, [], { index: 0, directory: '/x' }, env)['OMP_NUM_THREADS'];
  for (const target of ['slurm', 'pbs', 'lsf', 'cobalt'] as const) {
    expect(threads(target, {})).toBe('4');
    expect(threads(target, { OMP_NUM_THREADS: '3' })).toBeUndefined();
    expect(threads(target, {}, { ...entity, env: { OMP_NUM_THREADS: '2' } })).toBe('2');
  }
  expect(threads('local', {})).toBeUndefined();
});

test('threads of a member added by hand are the CPUs of its own tasks', () => {
  const chain = experiment('e')
    .ensemble('m', command('a'))
    .addModel('thin', command('a').tasks(4))
    .addModel('wide', command('a').cpusPerTask(4));
  const { plan } = compileFor('slurm', chain);
  const threads = [0, 1].map((index) => {
    return memberEnvironment(plan, entityOf(plan, 'm'), [], { index, directory: '/x' }, {})['OMP_NUM_THREADS'];
  });
  expect(threads).toEqual(['1', '4']);
});

test('Python programs find the package simwright, after what they find already', async () => {
  const program = ['-c', '"import simwright, os; print(simwright.__file__, os.environ[\'PYTHONPATH\'])"'].join(' ');
  const folder = new JobFolder(
    bundle(),
    makePlan([{ name: 'plain' }, { name: 'own', env: { PYTHONPATH: '/of/user' } }]),
  );
  const packages = folder.path('runtime/python');
  cpSync(join(root, 'python/simwright'), join(packages, 'simwright'), { recursive: true });
  const end = await folder.run(
    `runtime launch plain -- python3 ${program} & launched+=($!)\nruntime launch own -- python3 ${program} & launched+=($!)`,
    { PYTHONPATH: '/of/job' },
  );
  expect(end.stderr).toBe('');
  const file = join(packages, 'simwright/__init__.py');
  expect(folder.read('run/plain/plain.out')).toBe(`${file} /of/job:${packages}\n`);
  expect(folder.read('run/own/own.out')).toBe(`${file} /of/user:${packages}\n`);
});
