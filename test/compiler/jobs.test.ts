import { mkdirSync, mkdtempSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { execaSync } from 'execa';
import { describe, expect, test } from 'vitest';
import { command, experiment } from '../../src/index.js';
import {
  compileFor,
  entityOf,
  lint,
  messagesOf,
  runtimeLines,
  scriptOf,
  targetNames,
  textsOf,
} from './support/compile-experiment.js';

const count = (n: number) => Array.from({ length: n }, (_, index) => index);

describe('a job array above the limit of its size', () => {
  const huge = experiment('e')
    .ensemble('sweep', command('lbm').walltime('00:01:00'))
    .params({ A: count(100), B: count(1000) }, { asArgs: ['A', 'B'] })
    .batch({ mode: 'array', maxConcurrent: 20 });

  test('runs several members an element', () => {
    const compiled = compileFor('slurm', huge);
    expect(compiled.plan.jobs[0]?.array).toEqual({ size: 1000, perElement: 100, maxConcurrent: 20 });
    const script = scriptOf(compiled, 'sweep');
    expect(script).toContain('#SBATCH --array=0-999%20\n');
    expect(runtimeLines(script)[0]).toContain('runtime launch sweep --element "$SIMWRIGHT_ARRAY_INDEX" -- srun');
    // One after the other, and a minute to start.
    expect(compiled.plan.jobs[0]?.allocation.walltimeSeconds).toBe(60 + 100 * 60);
    expect(textsOf(compiled)['plan.json']?.length).toBeLessThan(40_000);
  });

  test('takes the site at its word', () => {
    const site = { name: 's', target: 'slurm' as const, maxArraySize: 100_000 };
    expect(compileFor(site, huge).plan.jobs[0]?.array).toEqual({ size: 100_000, perElement: 1, maxConcurrent: 20 });
  });
});

describe('an ensemble whose members are submitted one by one', () => {
  const separate = experiment('e')
    .ensemble('sweep', command('lbm'))
    .params({ A: [1, 2, 3] }, { asArgs: ['A'] })
    .batch({ mode: 'separate', walltime: '01:00:00' })
    .model('last', command('report'))
    .after('sweep')
    .batch({ walltime: '01:00:00' });

  test.each(targetNames)('is one script for %s, submitted with the index', (target) => {
    const compiled = compileFor(target, separate);
    expect(compiled.plan.jobs.map(({ name, separate: times }) => [name, times])).toEqual([
      ['sweep', 3],
      ['last', undefined],
    ]);
    const script = scriptOf(compiled, 'sweep');
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the shell's
    expect(script).toContain('SIMWRIGHT_ARRAY_INDEX="${SIMWRIGHT_ARRAY_INDEX:?}"\n');
    expect(runtimeLines(script)[0]).toContain('runtime launch sweep --member "$SIMWRIGHT_ARRAY_INDEX" -- ');
    const submit = textsOf(compiled)['submit.sh'] ?? '';
    expect(submit).toContain('for ((index = 0; index < 3; index++)); do\n');
    expect(submit).toContain('SIMWRIGHT_ARRAY_INDEX=$index submit');
    expect(lint(compiled)).toBe('');
  });

  test('is warned of a limit that nobody keeps', () => {
    const limited = experiment('e')
      .ensemble('s', command('x'))
      .replicas(3)
      .batch({ mode: 'separate', maxConcurrent: 2 });
    expect(compileFor('slurm', limited).warnings.map(({ message }) => message)).toEqual([
      "'s': jobs that are submitted one by one know no maxConcurrent",
    ]);
  });

  test('a model has none', () => {
    expect(messagesOf('slurm', experiment('e').model('m', command('x')).batch({ mode: 'separate' }))).toEqual([
      "PLAN1002 model 'm' has no members to submit one by one",
    ]);
  });
});

describe('members added by hand', () => {
  const hand = experiment('e')
    .ensemble('pair', command('unused'))
    .addModel('small', command('a', '-v').tasks(2).env({ Q: 1 }), { params: { X: 1 } })
    .addModel('big', command('b').tasks(4).env({ Q: 2 }), { params: { X: 2 } })
    .model('after', command('c'))
    .after('big', 'started')
    .registerIncomingEntity('small');

  test('have each their own line, size and environment', () => {
    const compiled = compileFor('slurm', hand);
    const lines = runtimeLines(scriptOf(compiled, 'e'));
    expect(lines[0]).toMatch(/^runtime launch pair --member 0 -- srun .*--ntasks=2 .* a -v & launched\+=\(\$!\)$/);
    expect(lines[1]).toMatch(/^runtime launch pair --member 1 -- srun .*--ntasks=4 .* b & launched\+=\(\$!\)$/);
    const pair = entityOf(compiled.plan, 'pair');
    expect(pair.members).toEqual({ strategy: 'explicit', assignments: [{ X: 1 }, { X: 2 }], replicas: 1, count: 2 });
    expect(pair.memberEnv).toEqual([{ Q: '1' }, { Q: '2' }]);
    expect(compiled.plan.jobs[0]?.allocation.cpusPerNode).toBe(2 + 4 + 1);
  });

  test('are named NAME_i in the plan', () => {
    const after = entityOf(compileFor('slurm', hand).plan, 'after');
    expect(after.after).toEqual([{ name: 'pair_1', event: 'started' }]);
    expect(after.incoming).toEqual(['pair_0']);
  });

  test('as a job array have a case an element', () => {
    const array = experiment('e')
      .ensemble('pair', command('unused'))
      .addModel('small', command('a'))
      .addModel('big', command('b').tasks(4))
      .batch({ mode: 'array' });
    const compiled = compileFor('slurm', array);
    const script = scriptOf(compiled, 'pair');
    expect(script).toContain('case $SIMWRIGHT_ARRAY_INDEX in\n  0)\n    runtime launch pair --member 0 --');
    expect(lint(compiled)).toBe('');
  });

  test('take no lists', () => {
    const both = experiment('e')
      .ensemble('p', command('x'))
      .params({ X: [1, 2] })
      .addModel('a', command('y'));
    expect(messagesOf('slurm', both)).toContain(
      "DSL1008 .params(): X is a list, and the members of 'p' were added by hand",
    );
  });
});

describe('entities that require different nodes', () => {
  const mixed = experiment('e')
    .model('sim', command('sim').tasks(8).nodes(2))
    .requires({ constraint: 'cpu' })
    .model('train', command('train').gpusPerNode(2))
    .requires({ constraint: 'gpu', queue: 'gpus', memory: '64G' })
    .model('watch', command('watch'));

  test('make a heterogeneous job; what requires nothing is on the first component', () => {
    const compiled = compileFor('slurm', mixed);
    const [job] = compiled.plan.jobs;
    expect(job?.allocation).toEqual({ nodes: 1, cpusPerNode: 1, exclusive: false });
    expect(job?.components).toEqual([
      { nodes: 2, cpusPerNode: 4, exclusive: false, constraint: 'cpu' },
      {
        nodes: 1,
        cpusPerNode: 1,
        exclusive: false,
        gpusPerNode: 2,
        memoryPerNodeMiB: 65536,
        queue: 'gpus',
        constraint: 'gpu',
      },
    ]);
    expect(['sim', 'train', 'watch'].map((name) => entityOf(compiled.plan, name).group)).toEqual([1, 2, 0]);
    const script = scriptOf(compiled, 'e');
    expect(script.match(/#SBATCH hetjob\n/g)).toHaveLength(2);
    expect(runtimeLines(script).map((line) => /--het-group=\d/.exec(line)?.[0])).toEqual([
      '--het-group=1',
      '--het-group=2',
      '--het-group=0',
    ]);
    expect(lint(compiled)).toBe('');
  });

  test('are chunks on PBS', () => {
    const one = experiment('e')
      .model('sim', command('sim').tasks(8).nodes(2))
      .model('train', command('train').gpusPerNode(2))
      .requires({ gpusPerNode: 2 });
    const script = scriptOf(compileFor('pbs', one), 'e');
    expect(script).toContain('select=2:ncpus=4:mpiprocs=4+1:ncpus=1:mpiprocs=1:ngpus=2');
  });

  test('are refused where nodes are of one kind', () => {
    const one = experiment('e').model('a', command('x')).model('b', command('y')).requires({ constraint: 'big' });
    expect(messagesOf('cobalt', one)).toEqual([
      "PLAN1002 'b' requires other nodes than 'a', and a job on site 'cobalt' has nodes of one kind",
    ]);
  });

  test('are one machine at home', () => {
    const [job] = compileFor('local', mixed).plan.jobs;
    expect(job?.components).toEqual([]);
  });

  test('alike are one kind', () => {
    const alike = experiment('e')
      .model('a', command('x'))
      .requires({ constraint: 'big' })
      .model('b', command('y'))
      .requires({ constraint: 'big' });
    const [job] = compileFor('slurm', alike).plan.jobs;
    expect([job?.allocation.constraint, job?.components]).toEqual(['big', []]);
  });

  test('count together against the nodes that the job was given', () => {
    const small = experiment('e')
      .batch({ nodes: 2 })
      .model('a', command('x').tasks(2).nodes(2))
      .model('b', command('y'))
      .requires({ constraint: 'big' });
    expect(messagesOf('slurm', small)).toContain("PLAN1001 'a' needs 2 nodes, and its job has 1");
  });
});

describe('entities that share nodes', () => {
  test('run on one component, and see the colocated store', () => {
    const shared = experiment('e')
      .model('sim', command('sim').tasks(4))
      .requires({ constraint: 'gpu' })
      .colocate({ uds: true, cpus: 2 })
      .model('watch', command('watch').cpusPerTask(3))
      .sharesNodesWith('sim')
      .model('other', command('other'));
    const { plan } = compileFor('slurm', shared);
    const watch = entityOf(plan, 'watch');
    expect([watch.group, watch.sharesNodesWith, watch.stores]).toEqual([1, 'sim', ['sim']]);
    expect(entityOf(plan, 'other').stores).toEqual([]);
    expect(plan.jobs[0]?.components[0]?.cpusPerNode).toBe(4 + 3 + 2);
  });

  test('go into the job of a model that has its own', () => {
    const shared = experiment('e')
      .model('sim', command('sim'))
      .batch({ nodes: 1 })
      .model('watch', command('watch'))
      .sharesNodesWith('sim');
    expect(compileFor('slurm', shared).plan.jobs.map(({ name, entities }) => [name, entities])).toEqual([
      ['sim', ['sim', 'watch']],
    ]);
  });

  test('are refused across jobs, in circles, and with elements of an array', () => {
    const base = experiment('e').model('sim', command('sim'));
    expect(messagesOf('slurm', base.model('w', command('w')).sharesNodesWith('sim').batch({}))).toEqual([
      "PLAN1006 .sharesNodesWith('sim'): 'w' is a job of its own, so it has other nodes",
    ]);
    const circle = experiment('e')
      .model('a', command('a'))
      .apply((open) => open.sharesNodesWith('b' as 'a'))
      .model('b', command('b'))
      .sharesNodesWith('a');
    expect(messagesOf('slurm', circle)[0]).toBe(
      "PLAN1006 none of them has nodes of its own: 'a' shares nodes with 'b' shares nodes with 'a'",
    );
    const array = experiment('e')
      .ensemble('s', command('s'))
      .replicas(3)
      .batch({ mode: 'array' })
      .model('w', command('w'))
      .sharesNodesWith('s');
    expect(messagesOf('slurm', array)).toEqual([
      "PLAN1006 .sharesNodesWith('s'): every member of 's' is a job of its own",
    ]);
    const choosy = base.model('w', command('w')).sharesNodesWith('sim').requires({ constraint: 'gpu' });
    expect(messagesOf('slurm', choosy)).toEqual([
      "PLAN1006 .sharesNodesWith('sim'): 'w' requires other nodes than 'sim'",
    ]);
  });
});

describe('mail and directives', () => {
  test('of the user come after those of the site', () => {
    const site = {
      name: 's',
      target: 'slurm' as const,
      directives: { drop: ['--mem'], set: { '--comment': 'site', '--licenses': 'a' } },
    };
    const own = experiment('e')
      .batch({ memory: '2G', mail: 'a@b.org', directives: { drop: '--licenses', set: { '--comment': 'mine' } } })
      .model('m', command('x'));
    const script = scriptOf(compileFor(site, own), 'e');
    expect(script).toContain('#SBATCH --mail-user=a@b.org\n');
    expect(script).toContain('#SBATCH --comment=mine\n');
    expect(script).not.toContain('--licenses');
    expect(script).not.toContain('#SBATCH --mem');
  });
});

describe('submit.sh of jobs that are submitted once a member', () => {
  const separate = experiment('e')
    .ensemble('sweep', command('lbm'))
    .replicas(3)
    .batch({ mode: 'separate' })
    .model('last', command('report'))
    .after('sweep')
    .batch({});
  const submitted = {
    slurm: { program: 'sbatch', says: 'echo "$n"', dependency: '--dependency=afterok:1:2:3' },
    pbs: { program: 'qsub', says: 'echo "$n"', dependency: 'depend=afterok:1:2:3' },
    lsf: {
      program: 'bsub',
      says: 'echo "Job <$n> is submitted to queue <normal>."',
      dependency: 'done(1) && done(2) && done(3)',
    },
  } as const;

  test.each(['slurm', 'pbs', 'lsf'] as const)('hands each its index and chains the next after all, on %s', (target) => {
    const { program, says, dependency } = submitted[target];
    const folder = mkdtempSync(join(tmpdir(), 'simwright-submit-'));
    for (const [path, text] of Object.entries(textsOf(compileFor(target, separate)))) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    const stub = `#!/bin/bash\nn=$(($(cat ../count 2>/dev/null || echo 0) + 1))\necho $n >../count\necho "\${SIMWRIGHT_ARRAY_INDEX-none} $*" >>../calls\n${says}\n`;
    const plan = join(folder, 'plan');
    mkdirSync(plan);
    for (const path of ['plan.json', 'submit.sh', 'jobs']) renameSync(join(folder, path), join(plan, path));
    writeFileSync(join(folder, program), stub, { mode: 0o755 });
    const { stdout } = execaSync('bash', [join(plan, 'submit.sh')], {
      env: { PATH: `${folder}:${process.env['PATH']}`, SIMWRIGHT_ARRAY_INDEX: '99' },
    });
    expect(stdout).toBe('sweep\t1\nsweep\t2\nsweep\t3\nlast\t4');
    const calls = readFileSync(join(folder, 'calls'), 'utf8').trimEnd().split('\n');
    expect(calls.map((call) => call.split(' ')[0])).toEqual(['0', '1', '2', 'none']);
    expect(calls.at(-1)).toContain(dependency);
  });
});
