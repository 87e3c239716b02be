import { describe, expect, test } from 'vitest';
import { checkSite, loadSite } from '../../src/compiler/index.js';
import { type SiteInput, TargetName } from '../../src/ir/index.js';
import { builtInSites } from '../../src/sites/built-in.js';
import { compileIn, problemsIn, problemsOf, shown, source, workspace } from './support/workspace.js';

const small: SiteInput = {
  name: 'small',
  target: 'slurm',
  node: { cores: 8, gpus: 2, memoryMiB: 16_384 },
  maxNodes: 4,
};
const command = (sizes: string) => source(`\n  .model('m', command('true')${sizes})`);

describe('a site that is none', () => {
  test('an unknown name, with a suggestion', async () => {
    expect(shown(await problemsOf(() => loadSite('slrum', builtInSites)), '/none')).toEqual([
      "SITE1001 - there is no site 'slrum' | did you mean 'slurm'? (or name a site's file)",
    ]);
  });

  test('a file that is missing', async () => {
    expect(await problemsIn(command(''), 'none.json')).toEqual(["SITE1001 - the site's file none.json cannot be read"]);
  });

  test('a file that is no JSON', async () => {
    expect(await problemsIn({ 'workflow.ts': command(''), 'site.json': '{ "name": ' }, 'site.json')).toEqual([
      expect.stringMatching(/^SITE1002 site\.json:1:1 site\.json is no JSON: /),
    ]);
  });

  test('every field that is wrong, at once', async () => {
    const site = JSON.stringify({
      name: 'a b',
      target: 'dragon',
      nodes: {},
      defaults: { walltime: '10:30', queue: 'a\nb' },
      python: 'ml/bin/python3',
      directives: { set: { '--comment': 'say "x"' } },
    });
    const problems = await problemsIn({ 'workflow.ts': command(''), 'site.json': site }, 'site.json');
    expect(problems.map((line) => line.replace(/ \(.*/, ''))).toEqual([
      expect.stringMatching(/^SITE1002 site\.json:1:2 site\.json: name: a letter, then letters/),
      expect.stringMatching(/: target: Invalid option: expected one of ("\w+"\|)+"\w+"$/),
      expect.stringMatching(/: directives\.set\.--comment: /),
      expect.stringMatching(/: defaults\.queue: line breaks/),
      expect.stringMatching(/: defaults\.walltime: write hours, minutes and seconds/),
      expect.stringMatching(/: python: an absolute path, or the plain name of a program/),
      expect.stringMatching(/site\.json:1:33 .*: Unrecognized key: "nodes" \| did you mean 'node'\?$/),
    ]);
  });

  test('TypeScript without a default export', async () => {
    const problems = await problemsIn({ 'workflow.ts': command(''), 'site.ts': 'export const site = 1;\n' }, 'site.ts');
    expect(problems[0]).toMatch(/^SITE1002 site\.ts:1:1 /);
  });
});

test.each(['/opt/a b/bin/python3', 'python3.11', undefined])(
  "the site's Python, %s, goes into the plan",
  async (python) => {
    const site: SiteInput = python === undefined ? small : { ...small, python };
    expect((await compileIn(workspace({ 'workflow.ts': command('') }), site)).plan.python).toBe(python);
  },
);

test('a site in TypeScript, with its say over the directives', async () => {
  const folder = workspace({
    'workflow.ts': command(".memoryPerNode('2G')"),
    'site.ts':
      "import { defineSite } from 'simwright';\nexport default defineSite({ name: 'ours', target: 'slurm', directives: { drop: ['--mem', '--output'], set: { '--nodes': '1-1', '--mem-per-cpu': '4G', '--requeue': '' } } });\n",
  });
  const { files } = await compileIn(folder, 'site.ts');
  const script = String(files.find(({ path }) => path === 'jobs/bad.sbatch')?.content);
  expect(script.split('\n').filter((line) => line.startsWith('#SBATCH'))).toEqual([
    '#SBATCH --job-name=bad',
    '#SBATCH --open-mode=append',
    '#SBATCH --nodes=1-1',
    '#SBATCH --ntasks-per-node=1',
    '#SBATCH --mem-per-cpu=4G',
    '#SBATCH --requeue',
  ]);
  // Options that sbatch refuses are refused by srun too.
  expect(script).toContain('srun -J m --nodes=1 --ntasks=1 --cpus-per-task=1 --exact true');
});

describe('more than the site has', () => {
  test.each([
    [
      'CPUs',
      '.tasks(3).nodes(1).cpusPerTask(4)',
      "PLAN1001 workflow.ts:4:15 'm' needs 3 tasks of 4 CPUs on a node, and site 'small' has 8 cores a node | raise .nodes()",
    ],
    [
      'GPUs',
      '.gpusPerNode(3)',
      "PLAN1001 workflow.ts:4:15 'm' needs 3 GPUs a node, and site 'small' has 2 | raise .nodes()",
    ],
    [
      'memory',
      ".memoryPerNode('17G')",
      "PLAN1001 workflow.ts:4:15 'm' needs 17408 MiB on a node, and site 'small' has 16384 | lower .memoryPerNode()",
    ],
    ['nodes', '.nodes(5)', "PLAN1001 workflow.ts:4:4 the job needs 5 nodes, and site 'small' gives at most 4"],
    [
      'nodes without tasks',
      '.tasks(1).nodes(2)',
      "PLAN1001 workflow.ts:4:15 'm' has 1 tasks for 2 nodes | raise .tasks() or lower .nodes()",
    ],
    [
      'tasks than its own nodes hold',
      '.tasks(9).nodes(2).tasksPerNode(4)',
      "PLAN1001 workflow.ts:4:15 'm' has 9 tasks for 2 nodes of 4 tasks | leave out one of .tasks(), .nodes(), .tasksPerNode()",
    ],
  ])('%s', async (_what, sizes, expected) => {
    expect(await problemsIn(command(sizes), small)).toContain(expected);
  });

  test('a store beside an application that fills the node', async () => {
    const workflow = source("\n  .model('m', command('true').tasks(8)).colocate({ uds: true, cpus: 2 })");
    expect(await problemsIn(workflow, small)).toEqual([
      "PLAN1001 workflow.ts:4:4 the job needs 10 CPUs on a node, its stores' included, and site 'small' has 8 | raise .nodes(), or lower cpus of the store",
    ]);
  });

  test('nodes that the job was not given', async () => {
    const workflow = source(".batch({ nodes: 1 })\n  .model('m', command('true').nodes(2))");
    expect(await problemsIn(workflow, small)).toEqual([
      "PLAN1001 workflow.ts:3:34 'm' needs 2 nodes, and its job has 1 | raise nodes in .batch()",
    ]);
  });

  test('elements of an array: each has several members', async () => {
    const workflow = source(
      "\n  .ensemble('e', command('true', '{args}')).params({ A: [1, 2, 3] }, { asArgs: ['A'] }).batch({ mode: 'array' })",
    );
    const tiny = { name: 'tiny', target: 'slurm', maxArraySize: 2 } as const;
    const { plan } = await compileIn(workspace({ 'workflow.ts': workflow }), tiny);
    expect(plan.jobs[0]?.array).toEqual({ size: 2, perElement: 2 });
  });
});

describe('a launch that the site cannot do', () => {
  test('tasks without a launcher', async () => {
    expect(await problemsIn(command('.tasks(2)'), { name: 'bare', target: 'slurm', launcher: 'none' })).toEqual([
      "PLAN1002 workflow.ts:4:15 'm' has 2 tasks, and site 'bare' has no launcher to start them | give the site a launcher, or the command one task",
    ]);
  });

  test("another scheduler's launcher", async () => {
    expect(await problemsIn(command(''), { name: 'odd', target: 'pbs', launcher: 'srun' })).toEqual([
      "PLAN1002 - site 'odd' launches by srun, and pbs jobs cannot | pbs launches by: mpiexec, mpirun, orterun, pals, aprun, none",
    ]);
  });

  test('an array of a model, and of the whole experiment', async () => {
    expect(await problemsIn(source("\n  .model('m', command('true')).batch({ mode: 'array' })"))).toEqual([
      "PLAN1002 workflow.ts:4:32 model 'm' has no members to make a job array of | leave out mode: 'array'",
    ]);
    expect(await problemsIn(source(".batch({ mode: 'array' })\n  .ensemble('m', command('true'))"))).toEqual([
      "PLAN1002 workflow.ts:3:34 the experiment's own job cannot be a job array | describe the ensemble's own job: .ensemble(…).batch({ mode: 'array' })",
    ]);
  });
});

describe('allocations', () => {
  const allocationOf = async (workflow: string, site: SiteInput) => {
    const { plan } = await compileIn(workspace({ 'workflow.ts': workflow }), site);
    return plan.jobs[0]?.allocation;
  };

  test('members that fill nodes of a known shape, by CPUs and by GPUs', async () => {
    const ensemble = (sizes: string) =>
      source(`\n  .ensemble('e', command('true')${sizes}).params({ A: [1, 2, 3, 4, 5, 6] })`);
    expect(await allocationOf(ensemble('.tasks(4)'), small)).toEqual({ nodes: 3, cpusPerNode: 8, exclusive: false });
    expect(await allocationOf(ensemble('.gpusPerTask(1)'), small)).toEqual({
      nodes: 3,
      cpusPerNode: 2,
      exclusive: false,
      gpusPerNode: 2,
    });
    expect(await allocationOf(ensemble('.tasks(8)'), small)).toEqual({ nodes: 4, cpusPerNode: 8, exclusive: false });
  });

  test('whole nodes', async () => {
    const workflow = source(".batch({ exclusive: true })\n  .model('m', command('true'))");
    expect(await allocationOf(workflow, small)).toEqual({ nodes: 1, cpusPerNode: 8, exclusive: true });
    const any: SiteInput = { name: 'any', target: 'slurm' };
    expect(await allocationOf(workflow, any)).toEqual({ nodes: 1, leastCpusPerNode: 1, exclusive: true });
  });

  test('walltime: the longest chain of applications that wait for each other, members in waves', async () => {
    const chain =
      "\n  .ensemble('e', command('true').walltime('00:10:00').tasks(4)).params({ A: [1, 2, 3] })\n  .model('m', command('true').walltime('01:00:00')).after('e')\n  .model('n', command('true').walltime('PT2H'))";
    expect(
      await allocationOf(source(`.batch({ nodes: 1 })${chain}`), { name: 'one', target: 'slurm', node: { cores: 5 } }),
    ).toMatchObject({
      walltimeSeconds: 60 + 7200,
    });
    expect(await allocationOf(source(`.batch({ walltime: '1-12:00:00' })${chain}`), small)).toMatchObject({
      walltimeSeconds: 129_600,
    });
    expect(
      await allocationOf(command(''), { ...small, defaults: { walltime: 'PT90M', queue: 'q', account: 'a' } }),
    ).toMatchObject({
      walltimeSeconds: 5400,
      queue: 'q',
      account: 'a',
    });
  });

  test('walltime: of several programs together, and on whole nodes', async () => {
    const mpmd = "command('true').tasks(2).mpmd(command('true').tasks(4)).walltime('01:00:00')";
    const any: SiteInput = { name: 'any', target: 'slurm' };
    expect(await allocationOf(source(`\n  .model('m', ${mpmd})`), any)).toMatchObject({ walltimeSeconds: 3660 });
    const whole = source(".batch({ exclusive: true })\n  .model('m', command('true').walltime('01:00:00'))");
    expect(await allocationOf(whole, any)).toMatchObject({ nodes: 1, exclusive: true, walltimeSeconds: 3660 });
    const members = ".ensemble('e', command('true').tasks(4).walltime('00:10:00')).replicas(3)";
    const packed = source(`.batch({ exclusive: true, nodes: 1 })\n  ${members}`);
    expect(await allocationOf(packed, small)).toMatchObject({ walltimeSeconds: 60 + 2 * 600 });
  });

  test('nodes of several programs: their own, or the same ones', async () => {
    const both = (launcher: string) =>
      source(
        `\n  .model('m', command('true').tasks(8).nodes(2).mpmd(command('true').tasks(4)).launcher('${launcher}'))`,
      );
    const slurm: SiteInput = { name: 'any', target: 'slurm' };
    expect(await allocationOf(both('srun'), slurm)).toMatchObject({ nodes: 3, cpusPerNode: 4 });
    for (const launcher of ['mpirun', 'mpiexec']) {
      expect(await allocationOf(both(launcher), slurm)).toMatchObject({ nodes: 2, cpusPerNode: 6 });
      // Three nodes of 4 cores could get three tasks of the first program and two of the other.
      const four = { ...slurm, node: { cores: 4 } };
      expect(await allocationOf(both(launcher), four)).toMatchObject({ nodes: 4, cpusPerNode: 3 });
    }
  });
});

test('the built-in sites are sites', () => {
  expect(builtInSites.map((site) => checkSite(site, site.name, undefined).target)).toEqual(TargetName.options);
});
