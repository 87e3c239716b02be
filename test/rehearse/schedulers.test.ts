import { describe, expect, it, test } from 'vitest';
import { cobalt } from '../../src/rehearse/schedulers/cobalt/index.js';
import { lsf } from '../../src/rehearse/schedulers/lsf/index.js';
import { pbs } from '../../src/rehearse/schedulers/pbs/index.js';
import { sgeStandIn } from '../../src/rehearse/schedulers/sge/index.js';
import type { Answer, Job, Run, RunState, SchedulerStandIn } from '../../src/rehearse/standins.js';
import { queriesOf } from '../../src/targets/schedulers.js';
import { callOf, emptyCluster, nodesOf, request } from './truth/asked.js';

const sge = sgeStandIn();

/** Answer to a submission of that script, with those words before it. */
function submitted(
  scheduler: SchedulerStandIn,
  script: string,
  words = '',
  env: Readonly<Record<string, string>> = {},
) {
  const machine = emptyCluster(4, 4, 2);
  const submit = scheduler.name === 'lsf' ? 'bsub' : 'qsub';
  const line = submit === 'bsub' ? `bsub ${words}` : `qsub ${words} job.sh`;
  const call = callOf(line, {
    env: { HOME: '/home/me', ...env },
    cwd: '/work',
    stdin: submit === 'bsub' ? script : undefined,
    readFile: (path) => (path === 'job.sh' ? script : undefined),
    isDirectory: (path) => path === 'logs',
  });
  const answer = scheduler.commands[submit]?.(call, machine) as Answer;
  return { answer, job: machine.jobs[0] };
}

const scriptOf = (lines: string) => `#!/bin/bash\n${lines.replaceAll('\\n', '\n')}\ntrue\n`;

/** Lines that a real OpenPBS 23.06 took (`true`) and refused, with its exit codes. */
const pbsLines: readonly (readonly [string, number, string?])[] = [
  ['#PBS -N ok', 0],
  ['#PBS -N two words', 1],
  ['#PBS -N 9x', 0],
  ['#PBS -N -x', 0],
  ['#PBS -N a:b', 2],
  ['#PBS -l select=1:ncpus=1:fast', 166],
  ['#PBS -l select=1:ncpus=1\\n#PBS -l nodes=2', 6],
  ['#PBS -l select=1:walltime=5', 4],
  ['#PBS -q debug\\n#PBS -q work', 0],
  ['#PBS -q debug # mine', 1],
  ['#PBS -J 1,3', 2],
  ['#PBS -J 1-1', 2],
  ['#PBS -J 0-3', 0],
  ['#PBS -J 0-3%2', 0],
  ['#PBS -J 0-9:3', 0],
  ['#PBS -J 3-1', 2],
  ['#PBS -J 0-20000', 3],
  ['#PBS -l walltime=5', 0],
  ['#PBS -l walltime=00:05:00', 0],
  ['#PBS -l walltime=5m', 166],
  ['#PBS -l walltime=1:2:3:4', 166],
  ['#PBS -l walltime=90:61:00', 0],
  ['#PBS -l select=9:ncpus=4', 0],
  ['#PBS -l select=1:ncpus=x', 166],
  ['#PBS -l select=0:ncpus=1', 166],
  ['#PBS -l select=1:mem=4gb', 0],
  ['#PBS -l select=1:mem=4G', 0],
  ['#PBS -l select=1:mem=4 gb', 1],
  ['#PBS -l place=scatter:excl', 7],
  ['#PBS -l place=foo', 166],
  ['#PBS -l place=scatter:foo', 166],
  ['#PBS -l select=1:ncpus=1+2:ncpus=2:ngpus=1', 0],
  ['#PBS -z', 0],
  ['#PBS -Q', 1],
  ['#PBS --foo', 1],
  ['#PBS foo', 1],
  ['#PBS -j oe', 0],
  ['#PBS -j xx', 2],
  ['#PBS -o logs/', 0],
  ['#PBS -m abe', 0],
  ['#PBS -m q', 2],
  ['#PBS -r y', 0],
  ['#PBS -A "a b"', 0],
  ['#PBS -W depend=afterok:99', 0],
  ['#PBS -W depend=afterok:foo', 2],
  ['#PBS -W depend=aftr:1', 2],
  ['#PBS -W umask=022', 0],
  ['#PBS -v A=1,B', 1],
  ['#PBS -v A="x y"', 0],
  ['true\\n#PBS -Q', 0],
  ['##PBS -Q', 0],
  ['# PBS -Q', 0],
  [' #PBS -Q', 1],
  ['#PBS', 0],
  ['#PBS-N x', 0],
  ['#PBS -N x -l walltime=5', 0],
  ['#PBS -N', 1],
  ['#PBS -k doe', 0],
  ['#PBS -k zz', 2],
  ['#PBS -p 5', 0],
  ['#PBS -p 5000', 2],
  ['#PBS -l ncpus=1\\n#PBS -l select=1', 5],
  ['#PBS -N x', 166, '-l walltime=foo'],
  ['#PBS -N scr', 0, '-N cmd'],
  ['true', 0, '-W depend=afterany:0'],
  ['true', 2, '-Q'],
];

describe('qsub of PBS', () => {
  it.each(pbsLines.map(([lines, code, words = '']) => [lines, code, words] as const))(
    'answers to %j with %i',
    (lines, code, words) => {
      expect(submitted(pbs, scriptOf(lines), words).answer).toMatchObject({ code });
    },
  );

  it('reads chunks as nodes, a place, and what the command line says before all', () => {
    const script = scriptOf(
      '#PBS -l select=2:ncpus=4:mpiprocs=2:mem=2gb+1:ncpus=2:ngpus=1\\n#PBS -l place=scatter:excl\\n#PBS -l walltime=1:00:00\\n#PBS -o logs',
    );
    const { answer, job } = submitted(pbs, script, '-N mine -v A=1,B -l walltime=30', { B: 'two' });
    expect(answer.stdout).toBe('1.login\n');
    expect(job?.request).toMatchObject({
      name: 'mine',
      walltimeSeconds: 30,
      out: 'logs/',
      startsIn: '/home/me',
      env: { A: '1', B: 'two', PBS_O_WORKDIR: '/work' },
      components: [
        { nodes: 2, cpusPerNode: 4, gpusPerNode: 0, memoryMiB: 2048, exclusive: true, tasksPerNode: 2 },
        { nodes: 1, cpusPerNode: 2, gpusPerNode: 1 },
      ],
    });
    expect(job?.request.env).not.toHaveProperty('HOME');
  });

  it('shares nodes among chunks without a place', () => {
    const { job } = submitted(pbs, scriptOf('#PBS -l select=3:ncpus=2'));
    expect(job?.request.components).toMatchObject([{ nodes: 2, cpusPerNode: 4 }]);
  });
});

/** Lines that LSF's manuals take and refuse. */
const lsfLines: readonly (readonly [string, boolean])[] = [
  ['#BSUB -J a', true],
  ['#BSUB -J "two words"   # x', true],
  ['#BSUB -W 10', true],
  ['#BSUB -W 10:30', true],
  ['#BSUB -W 10:30:00', false],
  ['#BSUB -W x', false],
  ['#BSUB -n 4 -R "span[ptile=2]"', true],
  ['#BSUB -n 4\\n#BSUB -R "select[fast] rusage[mem=64MB] span[ptile=2]"', true],
  ['#BSUB -R "span[ptile=2"', false],
  ['#BSUB -R "2*{select[a] span[ptile=1]} + 2*{span[ptile=2]}"', true],
  ['#BSUB -R "1*{span[ptile=1]}"\\n#BSUB -R "select[a]"', false],
  ['#BSUB -nnodes 2', true],
  ['#BSUB -nnodes 2 -R "select[a]"', false],
  ['#BSUB -nnodes 2 -m "a b"', false],
  ['#BSUB -nnodes 0', false],
  ['#BSUB -n x', false],
  ['#BSUB -n 64', false],
  ['#BSUB -n 1 -gpu "num=2/host:mode=shared"', true],
  ['#BSUB -gpu "two"', false],
  ['#BSUB -x', true],
  ['#BSUB -J "a[1-3]%2"', true],
  ['#BSUB -J "a[0-3]"', false],
  ['#BSUB -J "a[1-3,7,10-20:2]"', true],
  ['#BSUB -J "a[1-2000]"', false],
  ['#BSUB -w "done(99)"', false],
  ['#BSUB -wa USR1 -wt 5', true],
  ['#BSUB -wa USR1', false],
  ['#BSUB -y', false],
  ['#BSUB -q', false],
  ['#BSUB --time=5', false],
  ['true\\n#BSUB -W x', false],
  ['##BSUB -W x', true],
  [' #BSUB -W x', true],
  ['#BSUB -csm y -R "1*{select[LN]} + 4*{select[CN] span[ptile=4]}"', true],
];

describe('bsub', () => {
  it.each(lsfLines)('takes %j: %j', (lines, taken) => {
    const { answer } = submitted(lsf, scriptOf(lines));
    expect(answer.code, answer.stderr).toBe(taken ? 0 : 255);
    expect(answer.stdout).toMatch(taken ? /^Job <1> is submitted to default queue <normal>\.\n$/ : /^$/);
  });

  it('reads directives anywhere, and none where there is a command instead of a script', () => {
    const late = submitted(lsf, scriptOf('#BSUB -J a -P x\\ntrue\\n#BSUB -P y'), '-q long');
    expect(late.job?.request).toMatchObject({ name: 'a', account: 'y', queue: 'long', startsIn: '/work' });
    expect(submitted(lsf, scriptOf('#BSUB -J a'), 'job.lsf').job?.request.name).not.toBe('a');
  });

  it('gives whole nodes and a launch node to jsrun, slots to others', () => {
    expect(submitted(lsf, scriptOf('#BSUB -nnodes 2')).job?.request).toMatchObject({
      onLaunchNode: true,
      components: [{ nodes: 2, cpusPerNode: 4, exclusive: true }],
    });
    const slots = submitted(lsf, scriptOf('#BSUB -n 6 -R "select[hname!=\'node1\'] rusage[mem=1GB] span[ptile=3]"'));
    expect(slots.job?.request).toMatchObject({
      onLaunchNode: false,
      components: [{ nodes: 2, cpusPerNode: 3, memoryMiB: 1024, notOn: ['node1'] }],
    });
    const expert = submitted(lsf, scriptOf('#BSUB -csm y -R "1*{select[LN]} + 8*{select[CN] span[ptile=4]}"'));
    expect(expert.job?.request).toMatchObject({ onLaunchNode: true, components: [{ nodes: 2, cpusPerNode: 4 }] });
  });
});

const cobaltLines: readonly (readonly [string, boolean])[] = [
  ['#COBALT -n 2 -t 10', true],
  ['#COBALT --nodecount=2\\n#COBALT --time=00:10:00', true],
  ['#COBALT -n2 -t10', true],
  ['#COBALT --nodec 2 -t 10', true],
  ['# a comment\\n#COBALT -n 2 -t 10', false],
  ['\\n#COBALT -n 2 -t 10', false],
  ['#COBALT -n 2', false],
  ['#COBALT -t 10', false],
  ['#COBALT -n 2 -t ten', false],
  ['#COBALT -n x -t 10', false],
  ['#COBALT -n 2 -t 10 --attrs "a b"', false],
  ['#COBALT -n 2 -t 10 --nodes=2', false],
  ['#COBALT -n 9 -t 10', false],
  ['#COBALT -n 2 -t 10 --dependencies 1:2', true],
  ['#COBALT -n 2 -t 10 --dependencies a', false],
  ['#COBALT -n 2 -t 10 --attrs mcdram=cache:numa=quad -q debug -A p', true],
];

describe('qsub of Cobalt', () => {
  it.each(cobaltLines)('takes %j: %j', (lines, taken) => {
    const { answer } = submitted(cobalt, scriptOf(lines));
    expect(answer.code, answer.stderr).toBe(taken ? 0 : 1);
  });

  it('tells directives that it does not read', () => {
    const { job } = submitted(cobalt, scriptOf('#COBALT -n 2 -t 10\\n# then\\n#COBALT -q debug'));
    expect(job?.request.ignored).toEqual([
      { line: 4, text: '#COBALT -q debug', why: 'it does not stand directly under #!' },
    ]);
  });
});

const run = (state: RunState, more: Partial<Run> = {}): Run => ({
  index: undefined,
  ownId: '1',
  state,
  waitsFor: undefined,
  exitCode: undefined,
  signal: undefined,
  restarts: 0,
  startedAt: state === 'pending' || state === 'held' ? undefined : 0,
  endedAt: undefined,
  nodes: [],
  components: [],
  host: 'node1',
  ...more,
});

const ended = { endedAt: 7 };
const shown: readonly (readonly [Run, string, string, string, string])[] = [
  // PBS, LSF, SGE, Cobalt
  [run('pending', { waitsFor: 'resources' }), 'PENDING', 'PENDING', 'PENDING', 'PENDING'],
  [run('pending', { waitsFor: 'dependency' }), 'PENDING', 'PENDING', 'PENDING', 'PENDING'],
  [run('running'), 'RUNNING', 'RUNNING', 'RUNNING', 'RUNNING'],
  [run('completed', { exitCode: 0, ...ended }), 'COMPLETED', 'COMPLETED', 'COMPLETED', 'COMPLETED'],
  [run('failed', { exitCode: 3, ...ended }), 'FAILED', 'FAILED', 'FAILED', 'FAILED'],
  [run('cancelled', { exitCode: 143, ...ended }), 'CANCELLED', 'CANCELLED', 'CANCELLED', 'CANCELLED'],
  [run('timeout', { exitCode: 143, ...ended }), 'TIMEOUT', 'TIMEOUT', 'TIMEOUT', 'TIMEOUT'],
];

/** State of a job as the runtime reads it from what the stand-in's commands print. */
function stateSeen(scheduler: SchedulerStandIn, seen: Run): string | undefined {
  const job: Job = {
    id: '1',
    request: { ...request, out: 'logs/a.output', walltimeSeconds: 7 },
    submittedAt: 0,
    runs: [seen],
  };
  const machine = { ...emptyCluster(4, 4), jobs: [job], now: () => 7 };
  const queries = queriesOf[scheduler.name as 'pbs'];
  for (const query of queries?.states ?? []) {
    const [name = '', ...argv] = query.command(['1']);
    const answer = scheduler.commands[name]?.({ ...callOf(name), argv }, machine);
    const reports = answer === undefined ? [] : query.read({ ...answer, exitCode: answer.code });
    const found = reports?.find(({ id }) => /^1(\.|$)/.test(id));
    if (found !== undefined) return found.state;
  }
  const [log] = Object.values(scheduler.afterEnd?.(job, seen) ?? {});
  return log === undefined ? undefined : queries?.endLog?.read(log)?.state;
}

describe('states', () => {
  test.each(shown)('%j are what the runtime reads of the stand-ins', (seen, ...wanted) => {
    expect([pbs, lsf, sge, cobalt].map((one) => stateSeen(one, seen))).toEqual(wanted);
  });
});

describe('environment of a job', () => {
  const nodes = nodesOf(2);
  const job = (words: string, scheduler: SchedulerStandIn): Job => ({
    ...(submitted(scheduler, scriptOf(words)).job as Job),
    runs: [],
  });
  const seen = run('running', { nodes, components: [nodes.map(({ name }) => name)] });
  const environmentOf = (words: string, scheduler: SchedulerStandIn, index?: number) =>
    scheduler.environment(job(words, scheduler), { ...seen, index }, emptyCluster(4, 4), '/run');

  it('has the files and variables of PBS', () => {
    const { env, files } = environmentOf('#PBS -l select=2:ncpus=4:mpiprocs=2:ompthreads=2\\n#PBS -J 0-3', pbs, 2);
    expect(files).toEqual({ '/run/nodefile': 'node1\nnode1\nnode2\nnode2\n' });
    expect(env).toMatchObject({
      PBS_JOBID: '1[2].login',
      PBS_ARRAY_INDEX: '2',
      PBS_NODEFILE: '/run/nodefile',
      NCPUS: '2',
      OMP_NUM_THREADS: '2',
    });
  });

  it('has those of LSF, the launch node first', () => {
    expect(environmentOf('#BSUB -nnodes 2', lsf).env).toMatchObject({ LSB_MCPU_HOSTS: 'launch 1 node1 4 node2 4' });
    const { env, files } = environmentOf('#BSUB -n 8 -R "span[ptile=4]"\\n#BSUB -J "a[1-3]"', lsf, 3);
    expect(env).toMatchObject({ LSB_MCPU_HOSTS: 'node1 4 node2 4', LSB_JOBINDEX: '3', LS_SUBCWD: '/work' });
    expect(files['/run/hostfile']?.split('\n').length).toBe(9);
  });

  it('has those of Grid Engine and Cobalt', () => {
    const { env, files } = environmentOf('#$ -pe mpi-4 8', sge);
    expect(files[env['PE_HOSTFILE'] ?? '']).toBe('node1 4 all.q@node1 UNDEFINED\nnode2 4 all.q@node2 UNDEFINED\n');
    expect(env).toMatchObject({ NSLOTS: '8', SGE_TASK_ID: 'undefined' });
    expect(environmentOf('#COBALT -n 2 -t 5\\naprun -n 2 a', cobalt).env).toMatchObject({ COBALT_PARTNAME: '1-2' });
    const cluster = environmentOf('#COBALT -n 2 -t 5', cobalt);
    expect(cluster.files[cluster.env['COBALT_NODEFILE'] ?? '']).toBe('node1\nnode2\n');
  });
});
