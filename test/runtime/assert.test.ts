import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Job, Plan } from '../../src/ir/index.js';
import { checkAllocation, visibleGpus } from '../../src/runtime/assert/allocation.js';
import { checkNodeVersion } from '../../src/runtime/assert/node-version.js';
import { queriesOf } from '../../src/targets/schedulers.js';
import { useBundle } from './support/bundle.js';
import { JobFolder } from './support/job-folder.js';
import { makeModel, makePlan } from './support/make-plan.js';
import { takenPort } from './support/taken-port.js';

const bundle = useBundle();

const allocation = { nodes: 3, cpusPerNode: 8, gpusPerNode: 2, exclusive: false };
const onSlurm = { SIMWRIGHT_CPUS_PER_NODE: '4', CUDA_VISIBLE_DEVICES: '0' };
const model = makeModel({ name: 'cnn', artifact: 'artifacts/cc/cnn.onnx' });
const errorsIn = (text: string) => text.split('\n').filter((line) => /^(error|warning)\[/.test(line));

describe('a job whose store starts', () => {
  test('says the whole difference at once, before anything is started', async () => {
    const port = await takenPort();
    const plan = {
      ...makePlan(
        [{ name: 'solver', stores: ['store', 'solver'], files: [copied('grid.dat')] }],
        [
          { name: 'store', port, mlModels: [model] },
          {
            name: 'solver',
            kind: 'colocated',
            transport: { kind: 'uds', socket: `/${'x'.repeat(120)}`, permissions: 0 },
          },
        ],
        { allocation },
      ),
      target: 'slurm' as const,
    };
    const folder = new JobFolder(bundle(), plan);
    rmSync(folder.path('runtime/node_modules'), { recursive: true });
    const job = folder.start('runtime up store -- no-such-launcher\nruntime up solver', {
      ...onSlurm,
      SIMWRIGHT_HOME: '/opt/nowhere',
      SIMWRIGHT_PYTHON: '/no/python',
    });
    const end = await job.ended;
    expect(end.code).toBe(1);
    expect(errorsIn(end.stderr)).toEqual([
      "error[RUN1020]: job 'main' has 1 node, and its plan needs 3",
      "error[RUN1020]: job 'main' has 4 CPUs a node, and its plan needs 8",
      "error[RUN1020]: job 'main' has 1 GPU a node, and its plan needs 2",
      "error[RUN1007]: artifacts/cc/cnn.onnx, which is ML model 'cnn' of store 'store', is not there",
      'error[RUN1007]: artifacts/ab/grid.dat, which becomes grid.dat of solver, is not there',
      "error[RUN1010]: no-such-launcher, which starts store 'store', is not on the PATH of the job",
      `error[RUN1003]: 127.0.0.1:${port} is taken by another process, and store 'store' is to listen there`,
      `error[STORE1002]: the socket path /${'x'.repeat(120)} has 121 bytes; the limit is 107`,
      'error[RUN1002]: the ML models need onnxruntime-node, which is in none of these places:',
    ]);
    // No supervisor: nothing has begun. That the entity is not launched is on record, for those in other jobs who wait for it.
    expect(readdirSync(folder.path('run'))).toEqual(['status']);
    const [record = ''] = readdirSync(folder.path('run/status'));
    expect(JSON.parse(folder.read(`run/status/${record}`))).toMatchObject({ entity: 'solver', launch: 'skipped' });
    await folder.expectNothingLeft(job);
  });

  test('that the library of ONNX Runtime does not load is said, and that it has no CUDA', async () => {
    const onGpu = { ...model, name: 'big', device: 'GPU' };
    const folder = new JobFolder(bundle(), makePlan([], [{ name: 'store', mlModels: [model, onGpu] }]));
    folder.write(model.artifact, '');
    expect(errorsIn((await folder.run('runtime up store', { SIMWRIGHT_PYTHON: '/no/python' })).stderr)).toEqual([
      `error[RUN1002]: ML model 'big' is for a GPU, and ONNX Runtime in ${folder.path('runtime/node_modules/onnxruntime-node')} has no CUDA, and /no/python has no onnxruntime`,
    ]);
    const home = folder.path('home/node_modules/onnxruntime-node');
    mkdirSync(`${home}/bin/napi-v6/linux/x64`, { recursive: true });
    writeFileSync(`${home}/package.json`, '{}');
    writeFileSync(`${home}/bin/napi-v6/linux/x64/onnxruntime_binding.node`, 'no library');
    const end = await folder.run('runtime up store', { SIMWRIGHT_HOME: folder.path('home') });
    expect(end.stderr).toContain(`error[RUN1002]: ONNX Runtime in ${home} cannot be loaded here: `);
    expect(end.stderr).toContain('onnxruntime_binding.node');
  });

  test('a second store of the job does not compare again', async () => {
    const user = { name: 'solver', files: [copied('grid.dat')] };
    const folder = new JobFolder(bundle(), makePlan([user], [{ name: 'first' }, { name: 'second' }]));
    folder.write('artifacts/ab/grid.dat', '');
    const end = await folder.run('runtime up first\nrm artifacts/ab/grid.dat\nruntime up second');
    expect(end).toMatchObject({ code: 0, stderr: '' });
  });
});

describe('a job without stores', () => {
  const two = [{ name: 'a' }, { name: 'b', after: [{ name: 'a', event: 'completed' as const }] }];
  const launches = `
runtime launch a -- touch ../a-ran & launched+=($!)
runtime launch b -- touch ../b-ran & launched+=($!)`;

  test('fails in one of its launches with the difference; the others say where it is', async () => {
    const folder = new JobFolder(bundle(), { ...makePlan(two, [], { allocation }), target: 'slurm' });
    const end = await folder.run(launches, onSlurm);
    expect(end.code).toBe(1);
    const [refused = ''] = readdirSync(folder.path('run/status')).filter((name) => name.endsWith('.refused'));
    const difference = [
      "error[RUN1020]: job 'main' has 1 node, and its plan needs 3",
      "error[RUN1020]: job 'main' has 4 CPUs a node, and its plan needs 8",
      "error[RUN1020]: job 'main' has 1 GPU a node, and its plan needs 2",
    ];
    expect(errorsIn(end.stderr).sort()).toEqual(
      [
        ...difference,
        `error[RUN1020]: job 'main' does not have what its plan needs: see ${folder.path('run/status', refused)}`,
      ].sort(),
    );
    expect(errorsIn(folder.read(`run/status/${refused}`))).toEqual(difference);
    expect(folder.states('a')).toEqual(['none']);
    expect(readdirSync(folder.path('run')).sort()).toEqual(['status']);
  });

  test('a launcher that is missing is said at once, not when the wait is over', async () => {
    const folder = new JobFolder(bundle(), makePlan([{ name: 'a' }, { name: 'b', after: two[1]?.after ?? [] }]));
    folder.write('run/app.sh', 'until [ -e ../go ]; do sleep 0.02; done');
    // b has said so while a, which it waits for, still runs: a ends only then.
    const end = await folder.run(`
runtime launch a -- sh ../app.sh & launched+=($!)
PATH=\${PATH//*/$(dirname "$(command -v node)"):/empty} && runtime launch b -- aprun ./x & pid=$!
launched+=($pid)
wait "$pid" || touch run/go`);
    expect(end.code).toBe(1);
    expect(end.stderr).toContain("error[RUN1010]: aprun, which starts 'b', is not on the PATH of the job");
    expect(folder.states('a')).toEqual(['completed']);
  });

  test('on local a workflow of any size runs: fewer CPUs are a note', async () => {
    const folder = new JobFolder(bundle(), makePlan([{ name: 'a' }], [], { allocation: { ...allocation, nodes: 4 } }));
    const end = await folder.run('runtime launch a -- true & launched+=($!)', onSlurm);
    expect(end.code).toBe(0);
    expect(errorsIn(end.stderr)).toEqual(["warning[RUN1020]: job 'main' has 4 CPUs, and its plan needs 8"]);
  });

  test.skipIf(process.getuid?.() !== 0)('a full disk and a read-only one are said with everything else', async () => {
    const folder = new JobFolder(bundle(), makePlan([{ name: 'a', files: [copied('grid.dat')] }]));
    mkdirSync(folder.path('run'));
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16k', 'tmpfs', folder.path('run')]);
    try {
      // The page of the folder itself, and three of this file.
      execFileSync('sh', ['-c', 'head -c 65536 /dev/zero > "$1" || true', '-', folder.path('run/filling')]);
      const full = await folder.run('runtime launch a -- true & launched+=($!)');
      expect(errorsIn(full.stderr).slice(0, 2)).toEqual([
        `error[OUT1002]: ${folder.path('run')} cannot be written: ENOSPC: no space left on device, write`,
        'error[RUN1007]: artifacts/ab/grid.dat, which becomes grid.dat of a, is not there',
      ]);
      execFileSync('mount', ['-o', 'remount,ro', folder.path('run')]);
      const readOnly = await folder.run('runtime launch a -- true & launched+=($!)');
      expect(readOnly.stderr).toContain(`error[OUT1002]: ${folder.path('run')} cannot be written: EROFS`);
    } finally {
      execFileSync('umount', [folder.path('run')]);
    }
  });
});

function copied(to: string) {
  return { kind: 'copy' as const, artifact: `artifacts/ab/${to}`, to, mode: 0o644 };
}

describe('what the scheduler gave', () => {
  const hosts = (count: number) => Array.from({ length: count }, (_, index) => `n${index + 1}`);
  const plan = (target: Plan['target'], job: Partial<Job> = { allocation }) => ({
    ...makePlan(
      [
        { name: 'solver', group: 0 },
        {
          name: 'trainer',
          group: 1,
          launch: { lines: [{ words: ['a'], breaks: [], hosts: ['n2', 'n9'] }] },
          size: { nodes: 2, tasks: 2, tasksPerNode: 1, cpusPerTask: 1 },
        },
      ].slice(0, job.groups === undefined ? 1 : 2),
      [],
      { name: 'j', ...job },
    ),
    target,
  });
  const messages = (given: Plan, got: Parameters<typeof checkAllocation>[2], program: string) =>
    checkAllocation(given, given.jobs[0] as Job, got, program).map((one) => one.message);

  test('enough, or more than enough, is no problem; nor is what is not known', () => {
    const nothing = { hosts: hosts(3), cpusPerNode: undefined, gpusPerNode: undefined };
    expect(messages(plan('slurm'), { hosts: hosts(3), cpusPerNode: 128, gpusPerNode: 4 }, 'srun')).toEqual([]);
    expect(messages(plan('slurm'), nothing, 'srun')).toEqual([]);
  });

  test('a launcher whose script runs on a node apart: only the number of nodes is known', () => {
    const got = { hosts: hosts(1), cpusPerNode: 1, gpusPerNode: 0 };
    expect(messages(plan('lsf'), got, 'jsrun')).toEqual(["job 'j' has 1 node, and its plan needs 3"]);
    expect(messages(plan('pbs'), got, 'aprun')).toEqual([]);
  });

  test('nodes that differ, nodes of several groups, hosts that a user has named', () => {
    const job = {
      allocation,
      components: [{ nodes: 2, cpusPerNode: 16, exclusive: false }],
      groups: [
        { component: 0, first: 0, nodes: 3 },
        { component: 1, first: 0, nodes: 2 },
      ],
    };
    const got = { hosts: hosts(5), cpusPerNode: 8, gpusPerNode: 2 };
    const missing = "job 'j' has not n9, which its plan names for trainer";
    expect(messages(plan('slurm', job), { ...got, hostCpus: [8, 8, 8, 16, 16] }, 'srun')).toEqual([missing]);
    expect(messages(plan('slurm', job), { ...got, hostCpus: [8, 8, 4, 16, 15] }, 'srun')).toEqual([
      "job 'j' has 4 CPUs a node, and its plan needs 8: too few for solver",
      "job 'j' has 15 CPUs a node, and its plan needs 16: too few for trainer",
      missing,
    ]);
    expect(messages(plan('slurm', job), { ...got, hosts: hosts(4), hostCpus: [8, 8, 8, 16] }, 'srun')).toEqual([
      "job 'j' has 4 nodes, and its plan needs 5: too few for trainer",
      missing,
    ]);
    expect(messages(plan('slurm', job), { ...got, hosts: ['n1', 'n2.x', 'n3', 'n4', 'n9.x'] }, 'srun')).toEqual([]);
  });

  test.each([
    [{ SLURM_JOB_CPUS_PER_NODE: '4(x2),8' }, [4, 4, 8]],
    [
      {
        SLURM_HET_SIZE: '2',
        SLURM_JOB_CPUS_PER_NODE: '2',
        SLURM_JOB_CPUS_PER_NODE_HET_GROUP_0: '2',
        SLURM_JOB_CPUS_PER_NODE_HET_GROUP_1: '4(x3)',
      },
      [2, 4, 4, 4],
    ],
    [{}, []],
  ])('CPUs of each host: %j', (env, cpus) => {
    expect(queriesOf.slurm?.hostCpus?.(env)).toEqual(cpus);
  });

  test('CPUs of each host of a heterogeneous job of LSF, the launch node among them', () => {
    const cpusOf = (pairs: string) => queriesOf.lsf?.hostCpus?.({ LSB_MCPU_HOSTS: pairs });
    expect([cpusOf('n1 4 n2 4 n7 16'), cpusOf('batch 1 n1 42')]).toEqual([
      [4, 4, 16],
      [1, 42],
    ]);
  });

  test.each([
    [{ SLURM_GPUS_ON_NODE: '4', CUDA_VISIBLE_DEVICES: '0' }, 4],
    [{ CUDA_VISIBLE_DEVICES: '0,3' }, 2],
    [{ CUDA_VISIBLE_DEVICES: 'GPU-8f1b,MIG-02' }, 2],
    [{ CUDA_VISIBLE_DEVICES: 'NoDevFiles' }, 0],
    [{ CUDA_VISIBLE_DEVICES: '' }, 0],
    [{ ROCR_VISIBLE_DEVICES: '0,1,2' }, 3],
    [{}, undefined],
  ])('GPUs of %j: %s', (env, gpus) => {
    expect(visibleGpus('slurm', env)).toBe(gpus);
  });

  test.each(['18.20.4', '20.18.3'])('Node.js %s is too old', (version) => {
    expect(checkNodeVersion(version)).toMatchObject([
      { code: 'RUN1021', message: `this job runs with Node.js ${version}, and needs 20.19 or newer` },
    ]);
  });

  test.each(['20.19.0', '22.1.0'])('Node.js %s is new enough', (version) => {
    expect(checkNodeVersion(version)).toEqual([]);
  });
});
