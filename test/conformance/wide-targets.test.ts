import { describe, expect, it } from 'vitest';
import type { Event, Job, TargetName } from '../../src/ir/index.js';
import { editDirectives } from '../../src/targets/directives.js';
import { launchers } from '../../src/targets/launchers/index.js';
import { targets } from '../../src/targets/registry.js';
import { isNotSupported, type LaunchProgram, namesHosts, type Target } from '../../src/targets/target.js';
import { allocation, job, program, site } from '../targets/wide-support.js';

/** What a target says to one case, all of it, or only the lines that `lines` lets through. */
interface Case {
  readonly name: string;
  readonly said: (target: Target) => readonly string[];
  readonly lines?: RegExp;
  /** A new target does not compile until it says what it expects. */
  readonly expected: Readonly<Record<TargetName, readonly string[]>>;
}

const directives = (of: Job) => (target: Target) =>
  editDirectives(target.directives(of, target.defaultLauncher, site({ target: target.name })), of.directives).flatMap(
    (list, index) => [
      ...(index === 0 || target.componentSeparator === undefined ? [] : [target.componentSeparator]),
      ...list.map((one) => `${target.sentinel} ${target.formatDirective(one)}`),
    ],
  );

/** The launch line by the target's own launcher, hosts named as that needs; or the refusal. */
const launch =
  (...programs: [LaunchProgram, ...LaunchProgram[]]) =>
  (target: Target) => {
    const hosted = programs.map(({ step, words }) => ({
      words,
      step: { ...step, namesHosts: namesHosts(target, target.defaultLauncher) },
    }));
    const line = launchers[target.defaultLauncher].line(hosted as [LaunchProgram, ...LaunchProgram[]]);
    return isNotSupported(line) ? [`refused: ${line.notSupported}`] : [line.words.join(' ')];
  };

const dependency = (event: Event) => (target: Target) =>
  target.dependency([
    { id: '$job1', event },
    { id: '$job2', event },
  ]);

const four = { nodes: 2, tasks: 4, tasksPerNode: 2, cpusPerTask: 3 };

const cases: readonly Case[] = [
  {
    name: 'mail at the end and when it fails',
    said: directives(job({ mail: { to: 'a@b.org', events: ['end', 'fail'] } })),
    lines: / (--mail|-m |-M |-B|-N$|-u )/,
    expected: {
      local: [],
      slurm: ['#SBATCH --mail-type=END,FAIL', '#SBATCH --mail-user=a@b.org'],
      pbs: ['#PBS -m ae', '#PBS -M a@b.org'],
      lsf: ['#BSUB -N', '#BSUB -u a@b.org'],
      cobalt: ['#COBALT -M a@b.org'],
    },
  },
  {
    name: 'a walltime of more than a day',
    said: directives(job({ allocation: allocation({ walltimeSeconds: 93_601 }) })),
    lines: / (--time|-l walltime|-W|-t )/,
    expected: {
      local: [],
      slurm: ['#SBATCH --time=1-02:00:01'],
      pbs: ['#PBS -l walltime=26:00:01'],
      lsf: ['#BSUB -W 26:01'],
      cobalt: ['#COBALT -t 26:00:01'],
    },
  },
  {
    name: 'hosts by name',
    said: directives(job({ allocation: allocation({ nodes: 2, hosts: ['n1', 'n2'] }) })),
    lines: /n1/,
    expected: {
      local: [],
      slurm: ['#SBATCH --nodelist=n1,n2'],
      pbs: ['#PBS -l select=1:ncpus=4:mpiprocs=4:host=n1+1:ncpus=4:mpiprocs=4:host=n2'],
      lsf: ['#BSUB -m "n1 n2"'],
      cobalt: ['#COBALT --attrs location=n1,n2'],
    },
  },
  {
    name: 'an array with a limit of elements at a time',
    said: directives(job({ array: { size: 12, perElement: 1, maxConcurrent: 5 } })),
    lines: /%5/,
    expected: {
      local: [],
      slurm: ['#SBATCH --array=0-11%5'],
      pbs: ['#PBS -J 0-11%5'],
      lsf: ['#BSUB -J "flow[1-12]%5"'],
      cobalt: [],
    },
  },
  {
    name: 'nodes of two kinds',
    said: directives(job({ components: [allocation({ nodes: 2, constraint: 'gpu', gpusPerNode: 4 })] })),
    lines: /hetjob|nodes|constraint|gpus|select|-R|#COBALT -n/,
    expected: {
      local: [],
      slurm: [
        '#SBATCH --nodes=1',
        '#SBATCH hetjob',
        '#SBATCH --constraint=gpu',
        '#SBATCH --nodes=2',
        '#SBATCH --gpus-per-node=4',
      ],
      pbs: ['#PBS -l select=1:ncpus=4:mpiprocs=4+2:ncpus=4:mpiprocs=4:ngpus=4:gpu'],
      lsf: ['#BSUB -R "4*{span[ptile=4]} + 8*{select[gpu] rusage[ngpus_physical=4] span[ptile=4]}"'],
      // Refused before it is printed.
      cobalt: ['#COBALT -n 1'],
    },
  },
  {
    name: 'a directive of the user',
    said: directives(job({ directives: { drop: [], set: { '--x-mine': 'a b' } } })),
    lines: /mine/,
    expected: {
      local: [],
      slurm: ['#SBATCH --x-mine="a b"'],
      pbs: ['#PBS --x-mine "a b"'],
      lsf: ['#BSUB --x-mine "a b"'],
      cobalt: ['#COBALT --x-mine "a b"'],
    },
  },
  {
    name: 'after two jobs have ended well',
    said: dependency('completed'),
    expected: {
      local: [],
      slurm: ['--dependency=afterok:$job1,afterok:$job2', '--kill-on-invalid-dep=yes'],
      pbs: ['-W', 'depend=afterok:$job1,afterok:$job2'],
      lsf: ['-w', 'done($job1) && done($job2)'],
      cobalt: ['--dependencies', '$job1:$job2'],
    },
  },
  {
    name: 'the index of an array element, from 0',
    said: ({ variables }) => [variables.arrayIndex],
    expected: {
      local: ['$SIMWRIGHT_ARRAY_INDEX'],
      slurm: ['$SLURM_ARRAY_TASK_ID'],
      pbs: ['$PBS_ARRAY_INDEX'],
      lsf: ['$((LSB_JOBINDEX - 1))'],
      cobalt: ['$SIMWRIGHT_ARRAY_INDEX'],
    },
  },
  {
    name: 'four tasks of three CPUs on two nodes',
    said: launch(program(['./a', '-x'], four)),
    expected: {
      local: ['mpirun -np 4 --bind-to none --oversubscribe ./a -x'],
      slurm: ['srun --nodes=2 --ntasks=4 --ntasks-per-node=2 --cpus-per-task=3 --mem=0 --exact ./a -x'],
      pbs: ['mpiexec -n 4 -ppn 2 -hosts {hosts} ./a -x'],
      lsf: ['jsrun --nrs=4 --tasks_per_rs=1 --cpu_per_rs=3 --gpu_per_rs=0 --rs_per_host=2 --bind=packed:3 ./a -x'],
      cobalt: ['aprun -n 4 -N 2 -d 3 -cc depth ./a -x'],
    },
  },
  {
    name: 'two programs in one launch',
    said: launch(program(['./a']), program(['./b'], four)),
    expected: {
      local: ['mpirun -np 1 --bind-to none --oversubscribe ./a : -np 4 ./b'],
      slurm: [
        'srun --nodes=1 --ntasks=1 --cpus-per-task=1 --mem=0 --exact ./a : ' +
          '--nodes=2 --ntasks=4 --ntasks-per-node=2 --cpus-per-task=3 --mem=0 --exact ./b',
      ],
      pbs: ['mpiexec -n 1 -hosts {hosts} ./a : -n 4 ./b'],
      lsf: ['jsrun --erf_input=simwright.erf'],
      cobalt: ['aprun -n 1 -N 1 -d 1 ./a : -n 4 -N 2 -d 3 ./b'],
    },
  },
  {
    name: 'CPUs by number',
    said: launch(program(['a'], { tasks: 2, tasksPerNode: 2, cpuBind: [0, 8] })),
    expected: {
      local: ['mpirun -np 2 --bind-to cpu-list:ordered --cpu-list 0,8 --oversubscribe a'],
      slurm: [
        'srun --nodes=1 --ntasks=2 --ntasks-per-node=2 --cpus-per-task=1 --mem=0 --exact --cpu-bind=map_cpu:0,8 a',
      ],
      pbs: ['mpiexec -n 2 -ppn 2 -hosts {hosts} -bind-to user:0,8 a'],
      lsf: ['jsrun --erf_input=simwright.erf a'],
      cobalt: ['aprun -n 2 -N 2 -d 1 -cc 0,8 a'],
    },
  },
  {
    name: 'hosts to keep off, for a step',
    said: launch(program(['a'], { excludeHosts: ['n9'] })),
    expected: {
      local: ['refused: mpirun cannot keep off single hosts'],
      slurm: ['srun --nodes=1 --ntasks=1 --cpus-per-task=1 --mem=0 --exact --exclude=n9 a'],
      pbs: ['refused: mpiexec cannot keep off single hosts'],
      lsf: ['refused: jsrun cannot keep off single hosts'],
      cobalt: ['aprun -n 1 -N 1 -d 1 -E n9 a'],
    },
  },
  {
    name: 'an option of the launcher that the line has already',
    said: launch(program(['a'], { launcherArgs: { n: 2 } })),
    expected: {
      local: ['mpirun -n 2 --bind-to none --oversubscribe a'],
      slurm: ['srun --nodes=1 -n 2 --cpus-per-task=1 --mem=0 --exact a'],
      pbs: ['mpiexec -n 2 -ppn 1 -hosts {hosts} a'],
      lsf: ['jsrun -n 2 --tasks_per_rs=1 --cpu_per_rs=1 --gpu_per_rs=0 --rs_per_host=1 a'],
      cobalt: ['aprun -n 2 -N 1 -d 1 a'],
    },
  },
];

describe.each(Object.values(targets) as Target[])('$name', (target) => {
  it.each(cases)('$name', ({ said, lines = /^/, expected }) => {
    expect(said(target).filter((line) => lines.test(line))).toEqual(expected[target.name]);
  });
  it('has its default launcher among its launchers', () => {
    expect(target.launchers).toContain(target.defaultLauncher);
    for (const name of target.launchers) expect(launchers[name].name).toBe(name);
  });
});
