import { beforeAll, describe, expect, test } from 'vitest';
import { compile, loadSite } from '../../src/compiler/index.js';
import { command, experiment } from '../../src/dsl/index.js';
import { type AuthoredExperiment, authoredExperiment, type Site, type TargetName } from '../../src/ir/index.js';
import { builtInSites } from '../../src/sites/built-in.js';
import { launchers } from '../../src/targets/launchers/index.js';
import { targets } from '../../src/targets/registry.js';

/** What one target says to one case: the lines of its script, or its submit.sh, that matter. */
interface Case {
  readonly name: string;
  readonly experiment: AuthoredExperiment;
  /** Which lines are looked at; each is cut to what matches. */
  readonly lines: RegExp;
  readonly from?: 'submit.sh';
  /** A new target does not compile until it says what it expects. */
  readonly expected: Readonly<Record<TargetName, readonly string[] | ReturnType<typeof notSupported>>>;
}

/** A target cannot do this: the lines are none. */
function notSupported(why: string): { readonly why: string } {
  return { why };
}

const one = (describe: (e: ReturnType<typeof base>) => AuthoredExperiment) => describe(base());
const base = () => experiment('job').model('m', command('app'));
const directive = /^#(?:SBATCH|PBS|BSUB) .*$/;
const without = 'this machine has no scheduler';

const cases: readonly Case[] = [
  {
    name: 'walltime, rounded up to what the scheduler knows',
    experiment: one((e) => e.batch({ walltime: '1-02:30:01' })),
    lines: /^#\S+ (?:--time|-l walltime|-W).*$/,
    expected: {
      local: notSupported(without),
      slurm: ['#SBATCH --time=1-02:30:01'],
      pbs: ['#PBS -l walltime=26:30:01'],
      lsf: ['#BSUB -W 26:31'],
    },
  },
  {
    name: 'who pays, where, and as what',
    experiment: one((e) => e.batch({ account: 'abc', queue: 'long', qos: 'high' })),
    lines: /^#\S+ (?:--account|--partition|--qos|-A|-P|-q|-sla).*$/,
    expected: {
      local: notSupported(without),
      slurm: ['#SBATCH --account=abc', '#SBATCH --partition=long', '#SBATCH --qos=high'],
      pbs: ['#PBS -A abc', '#PBS -q long'],
      lsf: ['#BSUB -P abc', '#BSUB -q long', '#BSUB -sla high'],
    },
  },
  {
    name: 'a reservation',
    experiment: one((e) => e.batch({ reservation: 'R1', queue: 'long' })),
    lines: /^#\S+ (?:--reservation|-q R1|-U).*$/,
    expected: {
      local: notSupported(without),
      slurm: ['#SBATCH --reservation=R1'],
      pbs: ['#PBS -q R1'],
      lsf: ['#BSUB -U R1'],
    },
  },
  {
    name: 'a constraint, quoted',
    experiment: one((e) => e.batch({ constraint: "a&b=='c d'" })),
    lines: /^#\S+ (?:--constraint|.*select).*$/,
    expected: {
      local: notSupported(without),
      slurm: [`#SBATCH --constraint="a&b=='c d'"`],
      pbs: [`#PBS -l "select=1:ncpus=1:mpiprocs=1:a&b=='c d'"`],
      lsf: [`#BSUB -R "select[a&b=='c d']"`],
    },
  },
  {
    name: 'nodes, tasks, CPUs, GPUs and memory',
    experiment: experiment('job').model(
      'm',
      command('app').tasks(8).nodes(2).cpusPerTask(2).gpusPerNode(4).memoryPerNode('1.5G'),
    ),
    lines: /^#\S+ (?:--nodes|--ntasks|--gpus|--mem|-l (?:select|place)|-n|-R|-gpu).*$/,
    expected: {
      local: notSupported(without),
      slurm: ['#SBATCH --nodes=2', '#SBATCH --ntasks-per-node=8', '#SBATCH --gpus-per-node=4', '#SBATCH --mem=1536M'],
      pbs: ['#PBS -l select=2:ncpus=8:mpiprocs=8:ngpus=4:mem=1536mb', '#PBS -l place=scatter'],
      lsf: ['#BSUB -nnodes 2', '#BSUB -R "rusage[mem=1536MB]"'],
    },
  },
  {
    name: 'whole nodes',
    experiment: one((e) => e.batch({ exclusive: true })),
    lines: /^#\S+ (?:--exclusive|--ntasks-per-node|-l (?:select|place)|-x).*$/,
    expected: {
      local: notSupported(without),
      slurm: ['#SBATCH --exclusive'],
      pbs: ['#PBS -l select=1', '#PBS -l place=scatter:excl'],
      lsf: notSupported('-nnodes gives whole nodes anyway'),
    },
  },
  {
    name: 'an array, some at a time, and what its elements are',
    experiment: experiment('job')
      .ensemble('e', command('app', '{args}'))
      .params({ A: [1, 2, 3, 4] }, { asArgs: ['A'] })
      .batch({ mode: 'array', maxConcurrent: 2 }),
    lines: /^(?:#\S+ (?:--array|-J).*|SIMWRIGHT_(?:ARRAY_INDEX|JOB_ID)=.*|runtime launch .* --(?: |$))/,
    expected: {
      local: ['SIMWRIGHT_JOB_ID=$$', 'runtime launch e --at-most 2 -- '],
      slurm: [
        '#SBATCH --array=0-3%2',
        'SIMWRIGHT_JOB_ID=$SLURM_JOB_ID',
        'SIMWRIGHT_ARRAY_INDEX=$SLURM_ARRAY_TASK_ID',
        'runtime launch e --member "$SIMWRIGHT_ARRAY_INDEX" -- ',
      ],
      pbs: [
        '#PBS -J 0-3%2',
        'SIMWRIGHT_JOB_ID=$PBS_JOBID',
        'SIMWRIGHT_ARRAY_INDEX=$PBS_ARRAY_INDEX',
        'runtime launch e --member "$SIMWRIGHT_ARRAY_INDEX" -- ',
      ],
      lsf: [
        '#BSUB -J "e[1-4]%2"',
        `SIMWRIGHT_JOB_ID="\${LSB_JOBID}[\${LSB_JOBINDEX}]"`,
        'SIMWRIGHT_ARRAY_INDEX=$((LSB_JOBINDEX - 1))',
        'runtime launch e --member "$SIMWRIGHT_ARRAY_INDEX" -- ',
      ],
    },
  },
  {
    name: 'an array of one member',
    experiment: experiment('job').ensemble('e', command('app')).batch({ mode: 'array' }),
    lines: /^(?:#\S+ (?:--array|-J).*|runtime launch e(?: --member)?)/,
    expected: {
      local: ['runtime launch e'],
      slurm: ['#SBATCH --array=0-0', 'runtime launch e --member'],
      // A range of one element is refused.
      pbs: ['runtime launch e'],
      lsf: ['#BSUB -J "e[1-1]"', 'runtime launch e --member'],
    },
  },
  {
    name: 'jobs after jobs, by every event',
    experiment: experiment('job')
      .model('a', command('app'))
      .batch({})
      .model('b', command('app'))
      .after('a', 'started')
      .batch({})
      .model('c', command('app'))
      .after('a')
      .after('b', 'ended')
      .batch({})
      .model('d', command('app'))
      .after('a', 'failed')
      .batch({}),
    from: 'submit.sh',
    lines: /^(?:job\d=.*|submit [a-z] .*)$/,
    expected: {
      local: [
        'submit a jobs/a.sh',
        'submit b jobs/b.sh a:started',
        'submit c jobs/c.sh a:completed b:ended',
        'submit d jobs/d.sh a:failed',
      ],
      slurm: [
        'job1=$(submit jobs/a.sbatch)',
        'job2=$(submit "--dependency=after:$job1" --kill-on-invalid-dep=yes jobs/b.sbatch)',
        'job3=$(submit "--dependency=afterok:$job1,afterany:$job2" --kill-on-invalid-dep=yes jobs/c.sbatch)',
        'job4=$(submit "--dependency=afternotok:$job1" --kill-on-invalid-dep=yes jobs/d.sbatch)',
      ],
      pbs: [
        'job1=$(submit jobs/a.pbs)',
        'job2=$(submit -W "depend=after:$job1" jobs/b.pbs)',
        'job3=$(submit -W "depend=afterok:$job1,afterany:$job2" jobs/c.pbs)',
        'job4=$(submit -W "depend=afternotok:$job1" jobs/d.pbs)',
      ],
      lsf: [
        'job1=$(submit jobs/a.lsf)',
        'job2=$(submit -w "started($job1)" jobs/b.lsf)',
        'job3=$(submit -w "done($job1) && ended($job2)" jobs/c.lsf)',
        'job4=$(submit -w "exit($job1)" jobs/d.lsf)',
      ],
    },
  },
  {
    name: 'a launch of several tasks',
    experiment: experiment('job').model('m', command('app', 'x').tasks(4).nodes(2).cpusPerTask(2)),
    lines: /(?:srun|mpirun|mpiexec|jsrun) .*(?= &)/,
    expected: {
      local: ['mpirun -np 4 --oversubscribe app x'],
      slurm: ['srun --nodes=2 --ntasks=4 --ntasks-per-node=2 --cpus-per-task=2 --mem=0 --exact app x'],
      pbs: ["mpiexec -n 4 -ppn 2 -hosts '{hosts}' app x"],
      lsf: ['jsrun --nrs=4 --tasks_per_rs=1 --cpu_per_rs=2 --gpu_per_rs=0 --rs_per_host=2 app x'],
    },
  },
  {
    name: 'a store on each node',
    experiment: experiment('job').model('m', command('app').tasks(2).nodes(2)).colocate({ tcp: true, cpus: 3 }),
    lines: /^runtime up .*$/,
    expected: {
      local: ['runtime up m'],
      slurm: ['runtime up m -- srun --nodes=2 --ntasks=2 --ntasks-per-node=1 --cpus-per-task=3 --mem=0 --overlap'],
      pbs: [`runtime up m -- mpiexec -n 2 -ppn 1 -hosts "\${SIMWRIGHT_HOSTS// /,}"`],
      lsf: ['runtime up m -- jsrun --nrs=2 --tasks_per_rs=1 --cpu_per_rs=3 --gpu_per_rs=0 --rs_per_host=1'],
    },
  },
  {
    name: 'the first lines of a script: no directive after a command',
    experiment: one((e) => e.batch({ modules: ['gcc'], preamble: ['ulimit -s unlimited'] })),
    lines: /^(?:#!.*|cd .*|ulimit.*|module.*)$/,
    expected: {
      local: ['#!/bin/bash -l', `cd "$(dirname -- "\${BASH_SOURCE[0]}")/.."`, 'ulimit -s unlimited', 'module load gcc'],
      slurm: ['#!/bin/bash -l', `cd "\${SLURM_SUBMIT_DIR:?}"`, 'ulimit -s unlimited', 'module load gcc'],
      pbs: ['#!/bin/bash -l', `cd "\${PBS_O_WORKDIR:?}"`, 'ulimit -s unlimited', 'module load gcc'],
      lsf: ['#!/bin/bash -l', `cd "\${LS_SUBCWD:?}"`, 'ulimit -s unlimited', 'module load gcc'],
    },
  },
];

const sites = new Map<TargetName, Site>();
beforeAll(async () => {
  for (const name of Object.keys(targets) as TargetName[]) sites.set(name, await loadSite(name, builtInSites));
});

function scriptOf(authored: AuthoredExperiment, target: TargetName, path?: string): string {
  const { files, plan } = compile(
    { ...authored[authoredExperiment], file: '/nowhere/workflow.ts' },
    sites.get(target) as Site,
  );
  return String(files.find((file) => file.path === (path ?? plan.jobs[0]?.script))?.content);
}

describe.each(Object.keys(targets) as TargetName[])('%s', (target) => {
  test.each(cases)('$name', ({ experiment: authored, lines, from, expected }) => {
    const found = scriptOf(authored, target, from)
      .split('\n')
      .flatMap((line) => lines.exec(line)?.[0] ?? []);
    const wanted = expected[target];
    expect(found).toEqual('why' in wanted ? [] : wanted);
  });

  test('directives stand above every command, one option a line, none with a break in it', () => {
    for (const { experiment: authored } of cases) {
      const script = scriptOf(authored, target).split('\n');
      const firstCommand = script.findIndex((line) => line !== '' && !line.startsWith('#'));
      expect(script.slice(firstCommand).filter((line) => directive.test(line))).toEqual([]);
    }
  });

  test('knows its own launcher, and only launchers that there are', () => {
    expect(targets[target].launchers).toContain(targets[target].defaultLauncher);
    expect(targets[target].launchers.filter((name) => !(name in launchers))).toEqual([]);
  });
});
