import { describe, expect, it } from 'vitest';
import { launchers } from '../../src/targets/launchers/index.js';
import { isNotSupported } from '../../src/targets/target.js';
import { lineOf, program, refusalOf } from './support.js';

const sized = { nodes: 2, tasks: 8, tasksPerNode: 4, cpusPerTask: 2 };

describe('srun', () => {
  it('names every size, so that none is inherited from the job', () => {
    expect(lineOf('srun', program(['./a', '-x'], sized))).toBe(
      'srun -J m --nodes=2 --ntasks=8 --ntasks-per-node=4 --cpus-per-task=2 --mem=0 --exact ./a -x',
    );
  });
  it('names hosts, hosts to keep off, and CPUs', () => {
    expect(
      lineOf('srun', program(['a'], { ...sized, hosts: ['n1', 'n2'], excludeHosts: ['n9'], cpuBind: [0, 2, 4, 6] })),
    ).toContain('--exact --nodelist=n1,n2 --exclude=n9 --cpu-bind=map_cpu:0,2,4,6 a');
  });
  it('runs on a component of a heterogeneous job', () => {
    expect(lineOf('srun', program(['a'], { component: 1 }))).toMatch(/^srun -J m --het-group=1 --nodes=1 /);
    expect(lineOf('srun', program(['a'], { component: 0 }))).toMatch(/^srun -J m --het-group=0 /);
  });
  it('parts programs by colons, each with sizes, components and options of its own', () => {
    expect(
      lineOf(
        'srun',
        program(['./driver', 'in'], { component: 0, launcherArgs: { mpi: 'pmix' } }),
        program(['./worker'], { ...sized, component: 1 }),
      ),
    ).toBe(
      'srun -J m --het-group=0 --nodes=1 --ntasks=1 --cpus-per-task=1 --mem=0 --exact --mpi=pmix ./driver in : ' +
        '-J m --het-group=1 --nodes=2 --ntasks=8 --ntasks-per-node=4 --cpus-per-task=2 --mem=0 --exact ./worker',
    );
  });
  it('asks for GPUs as the job did', () => {
    const gpus = { gpusPerNode: 4, tasksPerNode: 4, tasks: 4 };
    expect(lineOf('srun', program(['a'], gpus))).toContain('--gpus-per-node=4');
    expect(lineOf('srun', program(['a'], { ...gpus, gpuDialect: 'gres' }))).toContain('--gres=gpu:4');
    expect(lineOf('srun', program(['a'], { gpusPerTask: 2, tasksPerNode: 2, gpuDialect: 'gres' }))).toContain(
      '--gres=gpu:4',
    );
    expect(lineOf('srun', program(['a'], { ...gpus, gpuDialect: 'none' }))).not.toContain('g=4');
    expect(lineOf('srun', program(['a'], { gpusPerTask: 1 }))).toContain('--gpus-per-task=1 --gpus-per-node=1');
  });
  it('names the step, unless the user does', () => {
    expect(lineOf('srun', program(['a'], { name: '{name}' }))).toMatch(/^srun -J \{name\} --nodes=1 /);
    expect(lineOf('srun', program(['a'], { launcherArgs: { 'job-name': 'mine' } }))).toMatch(
      /^srun --job-name=mine --nodes=1 /,
    );
  });
  it('shares its CPUs as a store', () => {
    const line = 'srun -J m --nodes=1 --ntasks=1 --cpus-per-task=1 --mem=0 --overlap';
    expect(lineOf('srun', program([], { overlap: true }))).toBe(line);
    expect(lineOf('srun', program([], { overlap: true, endsTogether: true }))).toBe(`${line} --kill-on-bad-exit=1`);
  });
});

describe('options of a user', () => {
  it('come at the end, one letter with one dash', () => {
    expect(
      lineOf('srun', program(['a'], { launcherArgs: { mpi: 'pmix', exclusive: true, K: true, m: 'block' } })),
    ).toMatch(/ --mpi=pmix --exclusive -K -m block a$/);
  });
  it('take the place of what the line has, by any of its names', () => {
    const line = lineOf(
      'srun',
      program(['a'], { ...sized, launcherArgs: { c: 7, 'mem-per-cpu': '2G', cpu_bind: 'cores', '--ntasks': 4 } }),
    );
    expect(line).toBe(
      'srun -J m --nodes=2 --ntasks=4 --ntasks-per-node=4 -c 7 --mem-per-cpu=2G --exact --cpu_bind=cores a',
    );
  });
  it('take away what the line has by false', () => {
    expect(lineOf('srun', program(['a'], { launcherArgs: { exact: false, nothing: false } }))).toBe(
      'srun -J m --nodes=1 --ntasks=1 --cpus-per-task=1 --mem=0 a',
    );
  });
  it('keep 0 as a value', () => {
    expect(lineOf('srun', program(['a'], { launcherArgs: { wait: 0 } }))).toContain('--wait=0');
  });
  it('keep values with blanks in one word', () => {
    const line = launchers.srun.line([program(['a'], { launcherArgs: { comment: 'a b' } })]);
    expect(isNotSupported(line) ? [] : line.words).toContain('--comment=a b');
  });
});

describe.each(['mpirun', 'orterun'] as const)('%s', (name) => {
  it('binds nothing on one machine, where members share the cores', () => {
    expect(lineOf(name, program(['a'], { tasks: 4, tasksPerNode: 4 }))).toBe(
      `${name} -np 4 --bind-to none --oversubscribe a`,
    );
  });
  it('spreads tasks over the hosts that the runtime names, and hands on variables', () => {
    expect(lineOf(name, program(['a'], { ...sized, namesHosts: true, environment: ['SSDB'] }))).toBe(
      `${name} -np 8 --map-by ppr:4:node --bind-to none --host {hosts:4} -x SSDB a`,
    );
  });
  it('hands on variables to the hosts that the user names', () => {
    expect(lineOf(name, program(['a'], { ...sized, hosts: ['n1', 'n2'], environment: ['SSDB'] }))).toBe(
      `${name} -np 8 --map-by ppr:4:node --bind-to none --host n1:4,n2:4 -x SSDB a`,
    );
  });
  it('binds a step that is alone', () => {
    expect(lineOf(name, program(['a'], { ...sized, namesHosts: true, alone: true }))).toContain(
      '--map-by ppr:4:node:PE=2 --host',
    );
  });
  it('binds to the CPUs given', () => {
    expect(lineOf(name, program(['a'], { cpuBind: [0, 1] }))).toContain('--bind-to cpu-list:ordered --cpu-list 0,1');
  });
  it('gives every program its own tasks and variables, and the whole line its placement', () => {
    expect(
      lineOf(
        name,
        program(['a'], { namesHosts: true, environment: ['A'] }),
        program(['b', 'c'], { ...sized, namesHosts: true, environment: ['A'], launcherArgs: { x: 'B=1' } }),
      ),
    ).toBe(
      `${name} -np 1 --map-by node --bind-to none --host {hosts:5} -x A a : -np 8 --host {hosts:5} -x A -x B=1 b c`,
    );
  });
  it('refuses to keep off hosts', () => {
    expect(refusalOf(name, program(['a'], { excludeHosts: ['n1'] }))).toMatch(/cannot keep off.*\.hosts\(\)/);
  });
});

describe('mpiexec (hydra)', () => {
  it('writes options with one dash', () => {
    expect(
      lineOf('mpiexec', program(['a'], { ...sized, namesHosts: true, launcherArgs: { genv: 'A 1', l: true } })),
    ).toBe('mpiexec -n 8 -ppn 4 -hosts {hosts} -genv A 1 -l a');
  });
  it('takes the hosts of the user, and CPUs', () => {
    expect(lineOf('mpiexec', program(['a'], { hosts: ['n1', 'n2'], cpuBind: [3, 5] }))).toBe(
      'mpiexec -n 1 -ppn 1 -hosts n1,n2 -bind-to user:3,5 a',
    );
  });
  it('lets programs that differ take turns over the hosts', () => {
    expect(
      lineOf('mpiexec', program(['a'], { namesHosts: true }), program(['b'], { ...sized, namesHosts: true })),
    ).toBe('mpiexec -n 1 -hosts {hosts} a : -n 8 b');
  });
});

describe('pals', () => {
  it('names tasks, tasks a node and depth', () => {
    expect(lineOf('pals', program(['a'], { ...sized, namesHosts: true }))).toBe(
      'mpiexec -n 8 --ppn 4 --depth 2 --hosts {hosts} --cpu-bind none a',
    );
  });
  it('binds by depth what is alone, and to the CPUs given', () => {
    expect(lineOf('pals', program(['a'], { ...sized, alone: true }))).toContain('--depth 2 --cpu-bind depth a');
    expect(lineOf('pals', program(['a'], { ...sized, cpuBind: [0, 8, 16, 24] }))).toContain(
      '--cpu-bind list:0:8:16:24',
    );
  });
  it('parts programs by colons', () => {
    expect(lineOf('pals', program(['a']), program(['b'], sized))).toBe(
      'mpiexec -n 1 --ppn 1 --depth 1 --cpu-bind none a : -n 8 --ppn 4 --depth 2 b',
    );
  });
});

describe('aprun', () => {
  it('names tasks, tasks a node and depth, and binds threads', () => {
    expect(lineOf('aprun', program(['a'], sized))).toBe('aprun -n 8 -N 4 -d 2 -cc depth a');
  });
  it('takes node ids, CPUs and memory', () => {
    expect(
      lineOf(
        'aprun',
        program(['a'], {
          hosts: ['3080'],
          excludeHosts: ['3081'],
          cpuBind: [0, 1],
          memoryPerNodeMiB: 1024,
          tasksPerNode: 2,
        }),
      ),
    ).toBe('aprun -n 1 -N 2 -d 1 -m 512m -L 3080 -E 3081 -cc 0,1 a');
  });
  it('parts programs by colons', () => {
    expect(lineOf('aprun', program(['a']), program(['b'], sized))).toBe('aprun -n 1 -N 1 -d 1 a : -n 8 -N 4 -d 2 b');
  });
  it("takes a user's binding, by one dash", () => {
    expect(lineOf('aprun', program(['a'], { ...sized, launcherArgs: { cc: 'numa_node', j: 2 } }))).toBe(
      'aprun -n 8 -N 4 -d 2 -cc numa_node -j 2 a',
    );
  });
  it('refuses a component, and says that nothing runs beside it', () => {
    expect(refusalOf('aprun', program(['a'], { component: 1 }))).toMatch(/differ; give the entity a job of its own/);
    expect(launchers.aprun.sharesNodes).toBe(false);
  });
});

describe('jsrun', () => {
  it('makes a resource set a task', () => {
    expect(lineOf('jsrun', program(['a'], { ...sized, gpusPerTask: 1 }))).toBe(
      'jsrun --nrs=8 --tasks_per_rs=1 --cpu_per_rs=2 --gpu_per_rs=1 --rs_per_host=4 --bind=packed:2 a',
    );
  });
  it('makes sets that both tasks and GPUs divide into', () => {
    expect(lineOf('jsrun', program(['a'], { nodes: 2, tasks: 84, tasksPerNode: 42, gpusPerNode: 6 }))).toBe(
      'jsrun --nrs=12 --tasks_per_rs=7 --cpu_per_rs=7 --gpu_per_rs=1 --rs_per_host=6 a',
    );
    expect(lineOf('jsrun', program(['a'], { tasks: 5, tasksPerNode: 5, gpusPerNode: 6 }))).toBe(
      'jsrun --nrs=1 --tasks_per_rs=5 --cpu_per_rs=5 --gpu_per_rs=6 --rs_per_host=1 a',
    );
  });
  it('takes options of a user in place of its own, by letter or by name', () => {
    expect(lineOf('jsrun', program(['a'], { ...sized, launcherArgs: { b: 'rs', smpiargs: '-gpu' } }))).toBe(
      'jsrun --nrs=8 --tasks_per_rs=1 --cpu_per_rs=2 --gpu_per_rs=0 --rs_per_host=4 -b rs --smpiargs=-gpu a',
    );
  });
  it('tells several programs by an explicit resource file, each with hosts of its own', () => {
    const line = launchers.jsrun.line([
      program(['./driver', '--in', 'a'], { cpusPerTask: 4, gpusPerNode: 1 }),
      program(['./worker'], { nodes: 2, tasks: 3, tasksPerNode: 2, cpusPerTask: 2 }),
    ]);
    expect(line).toEqual({
      words: ['jsrun', '--erf_input=simwright.erf'],
      files: {
        'simwright.erf': [
          'cpu_index_using: logical',
          'overlapping_rs: warn',
          'launch_distribution: packed',
          'app 0: ./driver --in a',
          'app 1: ./worker',
          'rank: 0: { host: 1; cpu: {0-3}; gpu: {0} } : app 0',
          'rank: 1-2: { host: 2; cpu: {0-1},{2-3} } : app 1',
          'rank: 3: { host: 3; cpu: {0-1} } : app 1',
          '',
        ].join('\n'),
      },
    });
  });
  it('tells hosts and CPUs by the file too, and keeps the program on the line', () => {
    const line = launchers.jsrun.line([
      program(['./a', '{args}'], { tasks: 2, tasksPerNode: 2, hosts: ['h1'], cpuBind: [4, 8] }),
    ]);
    expect(line).toMatchObject({ words: ['jsrun', '--erf_input=simwright.erf', './a', '{args}'] });
    expect(isNotSupported(line) ? '' : line.files?.['simwright.erf']).toContain(
      'rank: 0-1: { hostname: h1; cpu: {4},{8} }\n',
    );
  });
  it("leaves placement to a user's own file", () => {
    expect(lineOf('jsrun', program(['a'], { ...sized, launcherArgs: { erf_input: '/x/my.erf' } }))).toBe(
      'jsrun --erf_input=/x/my.erf a',
    );
  });
  it('refuses words that the file cannot hold', () => {
    expect(refusalOf('jsrun', program(['a', 'two words']), program(['b']))).toMatch(/'two words' cannot stand/);
    expect(refusalOf('jsrun', program(['a', '{args}']), program(['b']))).toMatch(/'\{args\}' cannot stand/);
    expect(refusalOf('jsrun', program(['a'], { component: 1 }))).toMatch(/job of its own/);
  });
});

describe('no launcher', () => {
  it('is the program itself', () => {
    expect(lineOf('none', program(['./a', 'b c']))).toBe('./a b c');
  });
  it('refuses what needs one', () => {
    expect(refusalOf('none', program(['a'], { tasks: 4 }))).toMatch(/once, not 4 times; .*\.launcher\(\)/);
    expect(refusalOf('none', program(['a']), program(['b']))).toMatch(/several programs/);
    expect(refusalOf('none', program(['a'], { cpuBind: [0], hosts: ['n1'] }))).toMatch(/hosts, cpuBind need/);
  });
});

describe('an argument that is a colon', () => {
  it.each(['srun', 'mpirun', 'orterun', 'mpiexec', 'pals', 'aprun'] as const)('is refused by %s', (name) => {
    expect(refusalOf(name, program(['a', ':', 'b']))).toMatch(/':' as the end of a program/);
  });
  it.each(['jsrun', 'none'] as const)('is an argument for %s', (name) => {
    expect(lineOf(name, program(['a', ':', 'b']))).toMatch(/a : b$/);
  });
});
