import { describe, expect, test } from 'vitest';
import { apptainer, command, experiment } from '../../src/index.js';
import type { AuthoredExperiment } from '../../src/ir/index.js';
import {
  compileFor,
  entityOf,
  lint,
  messagesOf,
  runtimeLines,
  scriptOf,
  textsOf,
} from './support/compile-experiment.js';

const line = (site: Parameters<typeof compileFor>[0], open: Parameters<typeof compileFor>[1]) =>
  runtimeLines(scriptOf(compileFor(site, open), 'e')).at(-1) ?? '';

describe('several programs of one launch', () => {
  const both = experiment('e').model(
    'm',
    command('driver', '-a')
      .tasks(1)
      .env({ A: 1 })
      .mpmd(command('worker').tasks(4).cpusPerTask(2).env({ B: 2 })),
  );

  test('stand on one line, each with its sizes', () => {
    expect(line('slurm', both)).toMatch(/srun .*--ntasks=1 .* driver -a : .*--ntasks=4 .* worker & launched/);
    const { plan } = compileFor('slurm', both);
    expect(entityOf(plan, 'm').size).toMatchObject({ nodes: 2, tasks: 5 });
    expect(entityOf(plan, 'm').env).toEqual({ A: '1', B: '2' });
    expect(plan.jobs[0]?.allocation.nodes).toBe(2);
  });

  test('are all on one machine at home', () => {
    expect(line('local', both)).toMatch(/mpirun .*-np 1 .*driver -a : .*-np 4 .*worker/);
    expect(compileFor('local', both).plan.jobs[0]?.allocation.nodes).toBe(1);
  });

  test('are files that a launcher reads, staged into the directory', () => {
    const compiled = compileFor('lsf', both);
    const [file] = entityOf(compiled.plan, 'm').files;
    expect(file).toMatchObject({ kind: 'copy', to: 'simwright.erf', mode: 0o644 });
    expect(line('lsf', both)).toContain('--erf_input=simwright.erf');
    expect(compiled.files.some(({ path }) => file?.kind === 'copy' && path === file.artifact)).toBe(true);
    expect(lint(compiled)).toBe('');
  });

  test('share an environment', () => {
    const two = experiment('e').model(
      'm',
      command('a')
        .env({ A: 1 })
        .mpmd(command('b').env({ A: 2 })),
    );
    expect(messagesOf('slurm', two)).toEqual([
      "PLAN1002 .mpmd(): the programs of 'm' share an environment, and A has two values",
    ]);
  });

  test('have to be attached, each of them', () => {
    const two = experiment('e').model('m', command('a').mpmd(command('./b')));
    expect(messagesOf('slurm', two)).toEqual([
      "FILE1002 command('./b'): a relative executable has to be attached to 'm'",
    ]);
  });
});

describe('a container', () => {
  test('stands in front of the program', () => {
    const image = apptainer('/images/lbm.sif', { bind: ['/data:/input'], args: ['--nv'], pwd: '/work' });
    const inside = experiment('e').model('m', command('lbm', '-x').container(image));
    expect(line('slurm', inside)).toContain(
      '--exact apptainer exec --bind /data:/input --pwd /work --nv /images/lbm.sif lbm -x & launched',
    );
  });

  test('of a relative image has to be attached', () => {
    const inside = experiment('e').model('m', command('lbm').container(apptainer('lbm.sif')));
    expect(messagesOf('slurm', inside)).toEqual([
      "FILE1002 apptainer('lbm.sif'): a relative image has to be attached to 'm'",
    ]);
  });
});

test('parameters are arguments of every member added by hand: where its line says so, else at its end', () => {
  const open = experiment('e')
    .ensemble('s', command('base'))
    .params({ Z: 1 }, { asArgs: ['Z'] })
    .addModel('one', command('p1'))
    .addModel('two', command('p2', '{args}', 'last'))
    .addModel('three', command('p3').mpmd(command('p4', '{args}')));
  const lines = runtimeLines(scriptOf(compileFor('slurm', open), 'e'));
  expect(lines.map((text) => text.replace(/.* (?=p\d)/, '').replaceAll("'", ''))).toEqual([
    'p1 {args} & launched+=($!)',
    'p2 {args} last & launched+=($!)',
    'p4 {args} & launched+=($!)',
  ]);
});

describe('hosts, bindings and options', () => {
  const chosen = command('x').tasks(2).hosts(['n1', 'n2']).excludeHosts(['n3']).launcherArgs({ mpi: 'pmix' });

  test('reach the launcher and the job', () => {
    const open = experiment('e').model('m', chosen.nodes(2).cpuBind([0, 1]));
    expect(line('slurm', open)).toMatch(/--nodelist=n1,n2 --exclude=n3 --cpu-bind=map_cpu:0,1 --mpi=pmix x/);
    expect(compileFor('slurm', open).plan.jobs[0]?.allocation).toMatchObject({
      nodes: 2,
      hosts: ['n1', 'n2'],
      excludeHosts: ['n3'],
    });
  });

  test('are those of a cluster: at home nobody asks for them', () => {
    expect(line('local', experiment('e').model('m', chosen.launcher('srun')))).toMatch(/mpirun -np 2 .*x & launched/);
  });

  test('that a launcher cannot take are refused with its hint', () => {
    const open = experiment('e').model('m', command('x').launcher('none').launcherArgs({ a: 1 }));
    expect(messagesOf('slurm', open)).toEqual(["PLAN1002 'm': launcherArgs need a launcher to be told"]);
    expect(messagesOf('slurm', experiment('e').model('m', command('x').launcher('jsrun')))).toEqual([
      "PLAN1002 .launcher('jsrun') of 'm': slurm jobs cannot launch by it",
    ]);
  });

  test('Open MPI is told the variables that are set, and no others', () => {
    const open = (more: (e: ReturnType<typeof start>) => AuthoredExperiment) => {
      const compiled = compileFor('pbs', more(start()));
      return [scriptOf(compiled, 'e'), runtimeLines(scriptOf(compiled, 'e')).at(-1) ?? ''] as const;
    };
    const start = () =>
      experiment('e')
        .orchestrator()
        .model('m', command('x').tasks(2).nodes(2).launcher('mpirun').env({ MINE: '1' }));
    const always = 'SIMWRIGHT_DIR SIMWRIGHT_NAME SIMWRIGHT_MEMBER SIMWRIGHT_JOB SIMWRIGHT_JOB_ID PATH LD_LIBRARY_PATH';
    const told = (line: string) => [...line.matchAll(/ -x (\S+)/g)].map(([, name]) => name).join(' ');
    const [script, plain] = open((e) => e);
    expect(told(plain)).toBe(`SSDB SR_DB_TYPE SR_SOCKET_TIMEOUT OMP_NUM_THREADS MINE ${always}`);
    expect(plain).not.toContain('oversubscribe');
    expect(script).toContain(`\nLD_LIBRARY_PATH="\${LD_LIBRARY_PATH-}"\n`);
    const [, keyed] = open((e) => e.enableKeyPrefixing().registerIncomingEntity('m'));
    expect(told(keyed)).toContain('SR_SOCKET_TIMEOUT SSKEYIN SSKEYOUT OMP_NUM_THREADS');
  });

  test('a store that Open MPI starts elsewhere knows its job', () => {
    const site = { name: 'p', target: 'pbs', launcher: 'mpirun' } as const;
    const colocated = experiment('e').model('m', command('x').tasks(2).nodes(2)).colocate({ uds: true });
    const [up = ''] = runtimeLines(scriptOf(compileFor(site, colocated), 'e'));
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the shell's
    expect(up).toContain('--host "${SIMWRIGHT_HOSTS// /,}" -x SIMWRIGHT_JOB -x SIMWRIGHT_JOB_ID -x SIMWRIGHT_HOSTS');
    expect(up).toMatch(/ -x PATH -x LD_LIBRARY_PATH$/);
  });

  test('a launcher that does not share nodes starts as many members as there are nodes', () => {
    const open = experiment('e')
      .batch({ nodes: 4, walltime: '01:00:00' })
      .ensemble('s', command('x').tasks(2).nodes(2))
      .replicas(10);
    expect(line('cobalt', open)).toContain('runtime launch s --at-most 2 -- aprun');
    const beside = experiment('e').model('m', command('x').walltime('01:00:00')).colocate({ uds: true });
    expect(messagesOf('cobalt', beside)[0]).toContain('aprun runs nothing beside an application on its nodes');
  });
});

test('the plan and the scripts come from the same input to the byte', () => {
  const open = experiment('e')
    .model('m', command('x'))
    .setup({ commands: ['export A=1'] });
  expect(textsOf(compileFor('pbs', open))).toEqual(textsOf(compileFor('pbs', open)));
});
