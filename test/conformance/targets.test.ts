import { describe, expect, test } from 'vitest';
import { checkSite, compile } from '../../src/compiler/index.js';
import { WorkflowError } from '../../src/diagnostics/index.js';
import { command, experiment } from '../../src/dsl/index.js';
import { type AuthoredExperiment, authoredExperiment, type Event, type TargetName } from '../../src/ir/index.js';
import { editDirectives } from '../../src/targets/directives.js';
import { launchers } from '../../src/targets/launchers/index.js';
import { targets } from '../../src/targets/registry.js';
import {
  isNotSupported,
  type JobRequest,
  type LaunchProgram,
  namesHosts,
  type Target,
} from '../../src/targets/target.js';
import { allocation, chosenNames, job, program, site } from '../targets/support.js';

/** What each target says to one case, all of it, or only the lines that `lines` lets through. */
interface Case {
  readonly name: string;
  readonly said: (target: Target) => readonly string[];
  readonly lines?: RegExp;
  /** A new target does not compile until it says what it expects. */
  readonly expected: Readonly<Record<TargetName, readonly string[] | ReturnType<typeof notSupported>>>;
}

/** A target says nothing to this. */
function notSupported(why: string): { readonly why: string } {
  return { why };
}

const one = (describe: (e: ReturnType<typeof base>) => AuthoredExperiment) => describe(base());
const base = () => experiment('job').model('m', command('app'));
/** Any directive's line. */
const sentinels = Object.values(targets).flatMap(({ sentinel }) =>
  sentinel === '#' ? [] : sentinel.replace('$', '\\$'),
);
const anyDirective = new RegExp(`^(?:${sentinels.join('|')}) .*$`);
const without = 'this machine has no scheduler';

/** Every experiment of the table. */
const scripted = new Set<AuthoredExperiment>();

/** The lines of the first job's script, or of another file, each cut to what matches; or the refusals. */
const script = (authored: AuthoredExperiment, lines: RegExp, path?: string) => {
  scripted.add(authored);
  return (target: Target): readonly string[] => {
    try {
      return textOf(authored, target, path)
        .split('\n')
        .flatMap((line) => lines.exec(line)?.[0] ?? []);
    } catch (error) {
      if (!(error instanceof WorkflowError)) throw error;
      return error.problems.map(({ message }) => `refused: ${message}`);
    }
  };
};

function textOf(authored: AuthoredExperiment, { name }: Target, path?: string): string {
  const { files, plan } = compile(
    { ...authored[authoredExperiment], file: '/nowhere/workflow.ts' },
    // Cobalt takes no job without a walltime.
    checkSite({ name, target: name, defaults: { walltime: '01:00:00' }, ...chosenNames[name] }, name, undefined),
  );
  return String(files.find((file) => file.path === (path ?? plan.jobs[0]?.script))?.content);
}

const directives = (of: JobRequest) => (target: Target) =>
  editDirectives(
    target,
    target.directives(of, target.defaultLauncher, site({ target: target.name, ...chosenNames[target.name] })),
    of.directives,
  ).flatMap((list, index) => [
    ...(index === 0 || target.componentSeparator === undefined ? [] : [target.componentSeparator]),
    ...list.map((one) => `${target.sentinel} ${target.formatDirective(one)}`),
  ]);

/** The launch line by the target's own launcher, hosts named as that needs; or the refusal. */
const launch =
  (...programs: [LaunchProgram, ...LaunchProgram[]]) =>
  (target: Target) => {
    const hosted = programs.map(({ step, words }) => ({
      words,
      step: { ...step, namesHosts: namesHosts(target, launchers[target.defaultLauncher]) },
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
    name: 'walltime, rounded up to what the scheduler knows',
    said: script(
      one((e) => e.batch({ walltime: '1-02:30:01' })),
      /^#\S+ (?:--time|-l walltime|-l h_rt|-W|-t ).*$/,
    ),
    expected: {
      local: notSupported(without),
      slurm: ['#SBATCH --time=1-02:30:01'],
      pbs: ['#PBS -l walltime=26:30:01'],
      lsf: ['#BSUB -W 26:31'],
      cobalt: ['#COBALT -t 26:30:01'],
      sge: ['#$ -l h_rt=26:30:01'],
    },
  },
  {
    name: 'who pays, and where',
    said: script(
      one((e) => e.batch({ account: 'abc', queue: 'long' })),
      /^#\S+ (?:--account|--partition|-A|-P|-q).*$/,
    ),
    expected: {
      local: notSupported(without),
      slurm: ['#SBATCH --account=abc', '#SBATCH --partition=long'],
      pbs: ['#PBS -A abc', '#PBS -q long'],
      lsf: ['#BSUB -P abc', '#BSUB -q long'],
      cobalt: ['#COBALT -A abc', '#COBALT -q long'],
      sge: ['#$ -P abc', '#$ -q long'],
    },
  },
  {
    name: 'a quality of service',
    said: script(
      one((e) => e.batch({ qos: 'high' })),
      /^#\S+ (?:--qos|-sla).*$/,
    ),
    expected: {
      local: notSupported(without),
      slurm: ['#SBATCH --qos=high'],
      pbs: ["refused: job 'm': pbs has no qos ('high')"],
      lsf: ['#BSUB -sla high'],
      cobalt: ["refused: job 'm': cobalt has no qos ('high')"],
      sge: ["refused: job 'm': sge has no qos ('high')"],
    },
  },
  {
    name: 'a reservation',
    said: script(
      one((e) => e.batch({ reservation: 'R1', queue: 'long' })),
      /^#\S+ (?:--reservation|-q R1|-U|-ar).*$/,
    ),
    expected: {
      local: notSupported(without),
      slurm: ['#SBATCH --reservation=R1'],
      pbs: ['#PBS -q R1'],
      lsf: ['#BSUB -U R1'],
      cobalt: ['#COBALT -q R1'],
      sge: ['#$ -ar R1'],
    },
  },
  {
    name: 'a constraint, quoted',
    said: script(
      one((e) => e.batch({ constraint: "a&b=='c d'" })),
      /^#\S+ (?:--constraint|--attrs|-l "a&|.*select).*$/,
    ),
    expected: {
      local: notSupported(without),
      slurm: [`#SBATCH --constraint="a&b=='c d'"`],
      pbs: ["refused: job 'm': pbs reads a constraint as resources of a chunk, and 'a&b=='c d'' is none"],
      lsf: ["refused: job 'm': the constraint 'a&b=='c d'' cannot stand beside -nnodes, which jobs for jsrun have"],
      cobalt: ["refused: job 'm': cobalt would read the 'a&b=='c d'' of --attrs as several words"],
      sge: [`#$ -l "a&b=='c d'"`],
    },
  },
  {
    name: 'nodes, tasks, CPUs, GPUs and memory',
    said: script(
      experiment('job').model(
        'm',
        command('app').tasks(8).nodes(2).cpusPerTask(2).gpusPerNode(4).memoryPerNode('1.5G'),
      ),
      /^#\S+ (?:--nodes|--ntasks|--gpus|--mem|-l (?:select|place|mem_free|gpu)|-pe|-nnodes|-n \d|-R|-gpu).*$/,
    ),
    expected: {
      local: notSupported(without),
      slurm: ['#SBATCH --nodes=2', '#SBATCH --ntasks-per-node=8', '#SBATCH --gpus-per-node=4', '#SBATCH --mem=1536M'],
      pbs: ['#PBS -l select=2:ncpus=8:mpiprocs=8:ngpus=4:mem=1536mb', '#PBS -l place=scatter'],
      lsf: ['#BSUB -nnodes 2'],
      cobalt: ["refused: job 'job': cobalt has no words for GPUs"],
      sge: ['#$ -pe mpi-8 16', '#$ -l mem_free=1536M', '#$ -l gpu=4'],
    },
  },
  {
    name: 'whole nodes',
    said: script(
      one((e) => e.batch({ exclusive: true })),
      /^#\S+ (?:--exclusive|--ntasks-per-node|-l (?:select|place|exclusive)|-x).*$/,
    ),
    expected: {
      local: notSupported(without),
      slurm: ['#SBATCH --exclusive'],
      pbs: ['#PBS -l select=1:ncpus=1:mpiprocs=1', '#PBS -l place=scatter:excl'],
      lsf: notSupported('-nnodes gives whole nodes anyway'),
      cobalt: notSupported('nodes come whole anyway'),
      sge: ['#$ -l exclusive=true'],
    },
  },
  {
    name: 'an array, some at a time, and what its elements are',
    said: script(
      experiment('job')
        .ensemble('e', command('app', '{args}'))
        .params({ A: [1, 2, 3, 4] }, { asArgs: ['A'] })
        .batch({ mode: 'array', maxConcurrent: 2 }),
      /^(?:#\S+ (?:--array|-J|-t \d|-tc).*|SIMWRIGHT_(?:ARRAY_INDEX|JOB_ID)=.*|runtime launch .* --(?: |$))/,
    ),
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
      cobalt: ["refused: job 'e': cobalt has no job arrays"],
      sge: [
        '#$ -t 1-4',
        '#$ -tc 2',
        'SIMWRIGHT_JOB_ID="$JOB_ID.$SGE_TASK_ID"',
        'SIMWRIGHT_ARRAY_INDEX=$((SGE_TASK_ID - 1))',
        'runtime launch e --member "$SIMWRIGHT_ARRAY_INDEX" -- ',
      ],
    },
  },
  {
    name: 'an array of one member',
    said: script(
      experiment('job').ensemble('e', command('app')).batch({ mode: 'array' }),
      /^(?:#\S+ (?:--array|-J|-t \d).*|runtime launch e(?: --member)?)/,
    ),
    expected: {
      local: ['runtime launch e'],
      slurm: ['#SBATCH --array=0-0', 'runtime launch e --member'],
      // A range of one element is refused.
      pbs: ['runtime launch e'],
      lsf: ['#BSUB -J "e[1-1]"', 'runtime launch e --member'],
      cobalt: ["refused: job 'e': cobalt has no job arrays"],
      sge: ['#$ -t 1-1', 'runtime launch e --member'],
    },
  },
  {
    name: 'jobs after jobs, by every event',
    said: script(
      experiment('job')
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
      /^(?:job\d=.*(?= \|\| refused [a-z]$)|submit [a-z] .*$)/,
      'submit.sh',
    ),
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
        'job2=$(submit -w "started($job1)" -ti jobs/b.lsf)',
        'job3=$(submit -w "done($job1) && ended($job2)" -ti jobs/c.lsf)',
        'job4=$(submit -w "exit($job1)" -ti jobs/d.lsf)',
      ],
      cobalt: [
        "refused: job 'b': cobalt cannot start a job when 'a' has started",
        "refused: job 'c': cobalt cannot start a job when 'b' has ended",
        "refused: job 'd': cobalt cannot start a job when 'a' has failed",
      ],
      sge: ["refused: job 'b': sge cannot start a job when 'a' has started"],
    },
  },
  {
    name: 'a launch of several tasks',
    said: script(
      experiment('job').model('m', command('app', 'x').tasks(4).nodes(2).cpusPerTask(2)),
      /(?:srun|mpirun|mpiexec|jsrun|aprun) .*?(?= &| -x )/,
    ),
    expected: {
      local: ['mpirun -np 4 --bind-to none --oversubscribe app x'],
      slurm: ['srun -J m --nodes=2 --ntasks=4 --ntasks-per-node=2 --cpus-per-task=2 --mem=0 --exact app x'],
      pbs: ["mpiexec -n 4 -ppn 2 -hosts '{hosts}' app x"],
      lsf: ['jsrun --nrs=4 --tasks_per_rs=1 --cpu_per_rs=2 --gpu_per_rs=0 --rs_per_host=2 --bind=packed:2 app x'],
      cobalt: ['aprun -n 4 -N 2 -d 2 -cc depth app x'],
      sge: ["mpirun -np 4 --map-by ppr:2:node --bind-to none --host '{hosts:2}'"],
    },
  },
  {
    name: 'a store on each node',
    said: script(
      experiment('job').model('m', command('app').tasks(2).nodes(2)).colocate({ tcp: true, cpus: 3 }),
      /^runtime up .*|^ {2}srun .*--overlap .*|^ {2}jsrun .*|^ {2}mpirun .*HOSTS.*?(?= -x )/,
    ),
    expected: {
      local: ['runtime up m'],
      slurm: [
        'runtime up m -- \\',
        '  srun -J m --nodes=2 --ntasks=2 --ntasks-per-node=1 --cpus-per-task=3 --mem=0 --overlap --kill-on-bad-exit=1',
      ],
      pbs: [`runtime up m -- mpiexec -n 2 -ppn 1 -hosts "\${SIMWRIGHT_HOSTS// /,}"`],
      lsf: [
        'runtime up m -- \\',
        '  jsrun --nrs=2 --tasks_per_rs=1 --cpu_per_rs=3 --gpu_per_rs=0 --rs_per_host=1 --bind=packed:3 --exit_on_error=1',
      ],
      cobalt: ["refused: 'm': aprun runs nothing beside an application on its nodes, a colocated store neither"],
      sge: [
        'runtime up m -- \\',
        `  mpirun -np 2 --map-by ppr:1:node --bind-to none --host "\${SIMWRIGHT_HOSTS// /,}"`,
      ],
    },
  },
  {
    name: 'the first lines of a script: no directive after a command',
    said: script(
      one((e) => e.batch({ modules: ['gcc'], preamble: ['ulimit -s unlimited'] })),
      /^(?:#!.*|cd .*|ulimit.*|module.*)$/,
    ),
    expected: {
      local: ['#!/bin/bash -l', `cd "$(dirname -- "\${BASH_SOURCE[0]}")/.."`, 'ulimit -s unlimited', 'module load gcc'],
      slurm: ['#!/bin/bash -l', `cd "\${SLURM_SUBMIT_DIR:?}"`, 'ulimit -s unlimited', 'module load gcc'],
      pbs: ['#!/bin/bash -l', `cd "\${PBS_O_WORKDIR:?}"`, 'ulimit -s unlimited', 'module load gcc'],
      lsf: ['#!/bin/bash -l', `cd "\${LS_SUBCWD:?}"`, 'ulimit -s unlimited', 'module load gcc'],
      cobalt: ['#!/bin/bash -l', 'cd "$PWD"', 'ulimit -s unlimited', 'module load gcc'],
      sge: ['#!/bin/bash -l', `cd "\${SGE_O_WORKDIR:?}"`, 'ulimit -s unlimited', 'module load gcc'],
    },
  },
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
      sge: ['#$ -m ea', '#$ -M a@b.org'],
    },
  },
  {
    name: 'a walltime of more than a day',
    said: directives(job({ allocation: allocation({ walltimeSeconds: 93_601 }) })),
    lines: / (--time|-l walltime|-l h_rt|-W|-t )/,
    expected: {
      local: [],
      slurm: ['#SBATCH --time=1-02:00:01'],
      pbs: ['#PBS -l walltime=26:00:01'],
      lsf: ['#BSUB -W 26:01'],
      cobalt: ['#COBALT -t 26:00:01'],
      sge: ['#$ -l h_rt=26:00:01'],
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
      sge: ['#$ -l "hostname=n1|n2"'],
    },
  },
  {
    name: 'an array with a limit of elements at a time',
    said: directives(job({ array: { size: 12, perElement: 1, maxConcurrent: 5 } })),
    lines: /%5|-tc/,
    expected: {
      local: [],
      slurm: ['#SBATCH --array=0-11%5'],
      pbs: ['#PBS -J 0-11%5'],
      lsf: ['#BSUB -J "flow[1-12]%5"'],
      cobalt: [],
      sge: ['#$ -tc 5'],
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
      sge: [],
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
      // Refused before it is printed.
      cobalt: ['#COBALT --x-mine a b'],
      sge: ['#$ --x-mine "a b"'],
    },
  },
  {
    name: 'after two jobs have ended well',
    said: dependency('completed'),
    expected: {
      local: [],
      slurm: ['--dependency=afterok:$job1,afterok:$job2', '--kill-on-invalid-dep=yes'],
      pbs: ['-W', 'depend=afterok:$job1,afterok:$job2'],
      lsf: ['-w', 'done($job1) && done($job2)', '-ti'],
      cobalt: ['--dependencies', '$job1:$job2'],
      sge: ['-hold_jid', '$job1,$job2'],
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
      sge: ['$((SGE_TASK_ID - 1))'],
    },
  },
  {
    name: 'four tasks of three CPUs on two nodes',
    said: launch(program(['./a', '-x'], four)),
    expected: {
      local: ['mpirun -np 4 --bind-to none --oversubscribe ./a -x'],
      slurm: ['srun -J m --nodes=2 --ntasks=4 --ntasks-per-node=2 --cpus-per-task=3 --mem=0 --exact ./a -x'],
      pbs: ['mpiexec -n 4 -ppn 2 -hosts {hosts} ./a -x'],
      lsf: ['jsrun --nrs=4 --tasks_per_rs=1 --cpu_per_rs=3 --gpu_per_rs=0 --rs_per_host=2 --bind=packed:3 ./a -x'],
      cobalt: ['aprun -n 4 -N 2 -d 3 -cc depth ./a -x'],
      sge: ['mpirun -np 4 --map-by ppr:2:node --bind-to none --host {hosts:2} ./a -x'],
    },
  },
  {
    name: 'two programs in one launch',
    said: launch(program(['./a']), program(['./b'], four)),
    expected: {
      local: ['mpirun -np 1 --bind-to none --oversubscribe ./a : -np 4 ./b'],
      slurm: [
        'srun -J m --nodes=1 --ntasks=1 --cpus-per-task=1 --mem=0 --exact ./a : ' +
          '-J m --nodes=2 --ntasks=4 --ntasks-per-node=2 --cpus-per-task=3 --mem=0 --exact ./b',
      ],
      pbs: ['mpiexec -n 1 -hosts {hosts} ./a : -n 4 ./b'],
      lsf: ['jsrun --erf_input=simwright.erf'],
      cobalt: ['aprun -n 1 -N 1 -d 1 ./a : -n 4 -N 2 -d 3 ./b'],
      sge: ['mpirun -np 1 --map-by node --bind-to none --host {hosts:3} ./a : -np 4 --host {hosts:3} ./b'],
    },
  },
  {
    name: 'CPUs by number',
    said: launch(program(['a'], { tasks: 2, tasksPerNode: 2, cpuBind: [0, 8] })),
    expected: {
      local: ['mpirun -np 2 --bind-to cpu-list:ordered --cpu-list 0,8 --oversubscribe a'],
      slurm: [
        'srun -J m --nodes=1 --ntasks=2 --ntasks-per-node=2 --cpus-per-task=1 --mem=0 --exact --cpu-bind=map_cpu:0,8 a',
      ],
      pbs: ['mpiexec -n 2 -ppn 2 -hosts {hosts} -bind-to user:0,8 a'],
      lsf: ['jsrun --erf_input=simwright.erf a'],
      cobalt: ['aprun -n 2 -N 2 -d 1 -cc 0,8 a'],
      sge: ['mpirun -np 2 --map-by ppr:2:node --bind-to cpu-list:ordered --cpu-list 0,8 --host {hosts:2} a'],
    },
  },
  {
    name: 'hosts to keep off, for a step',
    said: launch(program(['a'], { excludeHosts: ['n9'] })),
    expected: {
      local: ['refused: mpirun cannot keep off single hosts'],
      slurm: ['srun -J m --nodes=1 --ntasks=1 --cpus-per-task=1 --mem=0 --exact --exclude=n9 a'],
      pbs: ['refused: mpiexec cannot keep off single hosts'],
      lsf: ['refused: jsrun cannot keep off single hosts'],
      cobalt: ['aprun -n 1 -N 1 -d 1 -E n9 a'],
      sge: ['refused: mpirun cannot keep off single hosts'],
    },
  },
  {
    name: 'an option of the launcher that the line has already',
    said: launch(program(['a'], { launcherArgs: { n: 2 } })),
    expected: {
      local: ['mpirun -n 2 --bind-to none --oversubscribe a'],
      slurm: ['srun -J m --nodes=1 -n 2 --cpus-per-task=1 --mem=0 --exact a'],
      pbs: ['mpiexec -n 2 -ppn 1 -hosts {hosts} a'],
      lsf: ['jsrun -n 2 --tasks_per_rs=1 --cpu_per_rs=1 --gpu_per_rs=0 --rs_per_host=1 a'],
      cobalt: ['aprun -n 2 -N 1 -d 1 a'],
      sge: ['mpirun -n 2 --map-by ppr:1:node --bind-to none --host {hosts} a'],
    },
  },
];

describe.each(Object.values(targets) as Target[])('$name', (target) => {
  test.each(cases)('$name', ({ said, lines = /^/, expected }) => {
    const wanted = expected[target.name];
    expect(said(target).filter((line) => lines.test(line))).toEqual('why' in wanted ? [] : wanted);
  });

  test('directives stand above every command, one option a line, none with a break in it', () => {
    let looked = 0;
    for (const authored of scripted) {
      const lines = script(authored, /^.*$/)(target);
      if (lines[0]?.startsWith('refused: ')) continue;
      const firstCommand = lines.findIndex((line) => line !== '' && !line.startsWith('#'));
      expect(lines.slice(firstCommand).filter((line) => anyDirective.test(line))).toEqual([]);
      looked++;
    }
    expect(looked).toBeGreaterThan(5);
  });

  test('knows its own launcher, and only launchers that there are', () => {
    expect(target.launchers).toContain(target.defaultLauncher);
    for (const name of target.launchers) expect(launchers[name].name).toBe(name);
  });
});
