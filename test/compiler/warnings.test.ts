import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { compile, loadSite, loadWorkflow } from '../../src/compiler/index.js';
import { WorkflowError } from '../../src/diagnostics/index.js';
import type { SiteInput } from '../../src/ir/index.js';
import { builtInSites } from '../../src/sites/built-in.js';
import { oneOperator } from '../runtime/orchestrator/support/onnx.js';
import { fixtures, root, targetNames } from './support/compile-fixture.js';
import { compileIn, type Files, shown, source, workspace } from './support/workspace.js';

const examples = readdirSync(join(root, 'examples'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .flatMap(({ name }) => ['workflow.ts', 'colocated.ts'].map((file) => join(root, 'examples', name, file)))
  .filter((file) => existsSync(file));
const workflows = [...fixtures.map(({ folder }) => join(folder, 'workflow.ts')), ...examples];

/** Warnings of a workflow for each target that takes it, as `CODE message`, each once. */
async function warningsOf(file: string): Promise<string[]> {
  const loaded = await loadWorkflow(file);
  const found = new Set<string>();
  for (const target of targetNames) {
    try {
      const { warnings } = compile(loaded, await loadSite(target, builtInSites));
      for (const { code, message } of warnings) found.add(`${code} ${message}`);
    } catch (error) {
      if (!(error instanceof WorkflowError)) throw error;
    }
  }
  return [...found].sort();
}

test('fixtures and examples have no warnings but those that are meant', async () => {
  const found: Record<string, string[]> = {};
  for (const file of workflows) {
    const warnings = await warningsOf(file);
    if (warnings.length > 0) found[file.slice(root.length)] = warnings;
  }
  expect(found).toEqual({});
}, 300_000);

/** Warnings of a workflow's chain with files beside it, as lines. */
async function warned(chain: string, files: Files = {}, site: SiteInput | string = 'slurm'): Promise<string[]> {
  const folder = workspace({ 'workflow.ts': source(chain), ...files });
  return shown((await compileIn(folder, site)).warnings, folder);
}

const net = oneOperator('Neg', 1, ['n', 2], true);
const addNet = ".addMlModel('net', mlFile('net.onnx'), { backend: 'ONNX' })";

describe('what this version does not run', () => {
  test('a store that each node would reach by another address', async () => {
    const hint = 'the scripts can be looked at; to run, use the embedded engine, in one piece';
    expect(
      await warned(
        ".model('m', command('true').tasks(2).nodes(2))\n  .colocate({ tcp: true, interface: 'ib0' })",
        {},
        { name: 's', target: 'slurm', engine: 'redisai' },
      ),
    ).toEqual([
      `STORE1010 workflow.ts:4:4 store 'm': a colocated store on interface 'ib0' of 2 nodes is not there yet, so its job will fail | ${hint}`,
    ]);
  });

  test('models on a store that runs none (STORE1006)', async () => {
    const chain = (engine: string) =>
      `\n  .orchestrator({ engine: '${engine}' })\n  .model('m', command('true'))\n    ${addNet}`;
    const files = { 'net.onnx': net };
    await expect(warned(chain('data'), files)).rejects.toThrow(
      "store 'orchestrator' is of the engine 'data', which runs no models and scripts, and is to load 'net'",
    );
    expect(await warned(chain('redis'), files)).toEqual([]);
  });

  test('a colocated store on an interface of several nodes', async () => {
    const chain = (nodes: number) =>
      `\n  .model('m', command('true').tasks(2).nodes(${nodes}))\n    .colocate({ tcp: true, interface: 'ib0' })`;
    expect(await warned(chain(2))).toEqual([
      expect.stringMatching(
        /^STORE1010 workflow\.ts:5:6 store 'm': a colocated store on interface 'ib0' of 2 nodes is not there yet/,
      ),
    ]);
    expect(await warned(chain(1))).toEqual([]);
  });
});

describe('a parameter that nothing uses', () => {
  test.each([
    ['a program that reads params.json', 'json.load(open("params.json"))', false],
    ['a Python program that asks simwright', 'import simwright\nprint(simwright.run.params["A"])', false],
    ['a Python program that imports run', 'from simwright import run\n\nA = run.param("A", int)', false],
    ['another program', 'print("parameters: see params.jsonl")\nrun.param("A")', true],
  ])('%s', async (_name, program, isWarned) => {
    const chain = `.ensemble('e', command('python3', 'p.py')).params({ A: [1, 2] })\n    .attach({ copy: ['p.py'] })`;
    const found = await warned(chain, { 'p.py': Buffer.from(program) });
    expect(found.map((line) => line.slice(0, 8))).toEqual(isWarned ? ['TMPL1002'] : []);
  });
});

describe('keys that cannot be found', () => {
  const files = { 'net.onnx': net };

  test('an ensemble that uses a model and does not read its own keys', async () => {
    const chain = (more: string) =>
      `.orchestrator()\n  .ensemble('e', command('true')).replicas(2)\n    ${addNet}${more}`;
    expect(await warned(chain(''), files)).toEqual([
      "REF1010 workflow.ts:5:6 'e' puts its name before the keys it writes and reads none so named, so 'net' will find no input | add .registerIncomingEntity('e') to read its own keys, or .disableKeyPrefixing()",
    ]);
    expect(await warned(chain(".registerIncomingEntity('e')"), files)).toEqual([]);
    expect(await warned(chain('.disableKeyPrefixing()'), files)).toEqual([]);
  });

  test('a model that puts no prefix, and one that reads the keys of another', async () => {
    expect(await warned(`.orchestrator()\n  .model('m', command('true'))${addNet}`, files)).toEqual([]);
    const reader = `.orchestrator()\n  .model('w', command('true')).enableKeyPrefixing()\n  .ensemble('e', command('true'))${addNet}.registerIncomingEntity('w')`;
    expect(await warned(reader, files)).toEqual([]);
  });

  test('a reader that does not see the store of the writer', async () => {
    const chain = (more: string) =>
      `\n  .model('w', command('true')).colocate({ uds: true })\n  .model('r', command('true'))\n    .registerIncomingEntity('w')${more}`;
    expect(await warned(chain(''))).toEqual([
      "REF1011 workflow.ts:6:6 .registerIncomingEntity('w'): 'r' sees none of the stores that 'w' puts its keys into | add .sharesNodesWith('w') to see its colocated store, or open one for both with .orchestrator()",
    ]);
    expect(await warned(chain(".sharesNodesWith('w')"))).toEqual([]);
    expect(await warned(`.orchestrator({ name: 'both' })${chain('')}`)).toEqual([]);
  });

  test('a writer without any store', async () => {
    const chain =
      "\n  .ensemble('w', command('true')).replicas(2)\n  .model('r', command('true')).registerIncomingEntity('w_1')";
    expect(await warned(chain)).toEqual([
      "REF1011 workflow.ts:5:32 .registerIncomingEntity('w_1'): 'r' cannot read its keys: 'w' sees no store to put them into | open one with .orchestrator(), or give it one with .colocate()",
    ]);
  });
});

describe('files that commands name', () => {
  const beside = { 'a.py': '', 'in.nml': '', 'tools/run.sh': '', 'pkg/__main__.py': '', README: '', 'out.csv': '' };
  const of = (command: string, more = '') => warned(`\n  .model('m', ${command})${more}`, beside);
  const line = (word: string, program: string) =>
    `FILE1010 workflow.ts:4:15 command('${program}', …): ${word} lies beside the workflow, and not in the directory of 'm', where it is looked for`;

  test.each([
    ["command('python3', 'a.py')", "'a.py'", 'python3', "add .attach({ copy: ['a.py'] })"],
    ["command('python3.11', '-u', './a.py', '--n=1')", "'./a.py'", 'python3.11', "add .attach({ copy: ['a.py'] })"],
    [
      "command('bash', 'tools/run.sh')",
      "'tools/run.sh'",
      'bash',
      "add .attach({ copy: ['tools/run.sh'] }) and write 'run.sh', or write its absolute path on the cluster",
    ],
    [
      "command('python3', '-m', 'pkg')",
      '-m pkg (pkg/__main__.py)',
      'python3',
      "add .attach({ copy: ['**/pkg/**'] }), a glob that keeps its folder, or set PYTHONPATH by .env()",
    ],
    ["command('lbm', 'in.nml')", "'in.nml'", 'lbm', "add .attach({ copy: ['in.nml'] })"],
    ["command('lbm', '--input=in.nml')", "'in.nml'", 'lbm', "add .attach({ copy: ['in.nml'] })"],
    ["command('sh', 'README')", "'README'", 'sh', "add .attach({ copy: ['README'] })"],
  ])('%s', async (command, word, program, hint) => {
    expect(await of(command)).toEqual([`${line(word, program)} | ${hint}`]);
  });

  test('one that is attached, at the top of the directory', async () => {
    expect(await of("command('python3', 'a.py')", ".attach({ copy: '*.py' })")).toEqual([]);
    expect(await of("command('python3', './in.nml')", ".attach({ symlink: 'in.nml' })")).toEqual([]);
    expect(await of("command('python3', '-m', 'pkg')", ".attach({ copy: '**/pkg/**' })")).toEqual([]);
    expect(await of("command('bash', 'tools/run.sh')", ".attach({ copy: 'tools/run.sh' })")).toEqual([
      `${line("'tools/run.sh'", 'bash')} | attached files come to the top of that directory: write 'run.sh'`,
    ]);
  });

  test.each([
    ['what is written', "command('lbm', '-o', 'out.csv', '--output=out.csv')"],
    ['a word that may be none', "command('lbm', 'README')"],
    ['a text of the interpreter', "command('sh', '-c', 'a.py')"],
    ['one that is not there', "command('python3', 'b.py')"],
    ['an absolute path', "command('python3', '/opt/a.py')"],
    ['a module that is found elsewhere', "command('python3', '-m', 'pkg').env({ PYTHONPATH: '/opt' })"],
    [
      'a container with a directory of its own',
      "command('python3', 'a.py').container(apptainer('/i.sif', { pwd: '/w' }))",
    ],
  ])('no warning of %s', async (_what, command) => {
    const chain = `\n  .model('m', ${command})`;
    const folder = { ...beside, 'workflow.ts': source(chain, "import { apptainer } from 'simwright';") };
    expect(await warned('', folder)).toEqual([]);
  });

  test('no warning of one that the setup brings', async () => {
    expect(await of("command('python3', 'a.py')", ".setup({ commands: ['cp $HOME/a.py .'] })")).toEqual([]);
  });
});

describe('nodes and CPUs', () => {
  const nodes = (chain: string) => warned(`\n  .batch({ nodes: 4, walltime: '01:00:00' })${chain}`);
  const unused = (most: number) =>
    `PLAN1010 workflow.ts:4:4 the job has 4 nodes, and what runs in it at a time uses at most ${most} | lower nodes in .batch(), or spread the tasks with .nodes() of the command`;

  test('nodes that nothing uses', async () => {
    expect(await nodes("\n  .model('m', command('true').tasks(64))")).toEqual([unused(1)]);
    expect(
      await nodes("\n  .model('a', command('true'))\n  .model('b', command('true').tasks(4).nodes(2)).after('a')"),
    ).toEqual([unused(2)]);
    expect(
      await nodes(
        "\n  .model('a', command('true'))\n  .model('b', command('true').tasks(4).nodes(2)).after('a', 'started')",
      ),
    ).toEqual([unused(3)]);
    expect(await nodes("\n  .orchestrator()\n  .ensemble('e', command('true')).replicas(2)")).toEqual([unused(3)]);
  });

  test('nodes that are used', async () => {
    expect(await nodes("\n  .model('m', command('true').tasks(8).nodes(4))")).toEqual([]);
    expect(await nodes("\n  .ensemble('e', command('true')).replicas(9)")).toEqual([]);
    expect(await nodes("\n  .ensemble('e', command('true').tasks(4).nodes(2)).replicas(9)")).toEqual([]);
  });

  test('in an element of an array: those of its members', async () => {
    const array = (count: number, nodesOfOne: number) =>
      warned(
        `\n  .ensemble('e', command('true').tasks(2).nodes(${nodesOfOne})).replicas(${count})\n    .batch({ nodes: 2, mode: 'array', walltime: '01:00:00' })`,
      );
    expect(await array(10, 1)).toEqual([
      expect.stringMatching(/^PLAN1010 workflow\.ts:5:6 the job has 2 nodes, .* at most 1 \|/),
    ]);
    expect(await array(10, 2)).toEqual([]);
    // More than the 1001 elements that Slurm takes: two members in each.
    expect(await array(2000, 1)).toEqual([]);
  });

  test('a walltime that does not count', async () => {
    const said = (more: string) => warned(`${more}\n  .model('a', command('true').walltime('01:00:00'))`);
    expect(await said("\n  .model('b', command('true'))")).toEqual([
      "PLAN1012 workflow.ts:5:15 the walltime of 'a' does not count: 'b' has none, and job 'bad' runs both | give every command one, or give the job one with .batch({ walltime: '02:00:00' })",
    ]);
    const whole = "\n  .batch({ exclusive: true })\n  .ensemble('s', command('true').walltime('01:00:00')).replicas(2)";
    expect(await said(whole)).toEqual([
      expect.stringMatching(/^PLAN1012 .*'s' does not count: site .* does not say how many members of 's' its nodes/),
    ]);
    expect(await said("\n  .batch({ walltime: '02:00:00' })\n  .model('b', command('true'))")).toEqual([]);
  });

  test('a pin beyond the job, or the node', async () => {
    const pin = (cpu: number, site?: SiteInput) =>
      warned(
        `\n  .model('m', command('true').tasks(4))\n    .colocate({ uds: true, cpus: 2, pin: [0, ${cpu}] })`,
        {},
        site,
      );
    expect(await pin(5)).toEqual([]);
    expect(await pin(6)).toEqual([
      'PLAN1011 workflow.ts:5:6 .colocate({ pin }): there is no CPU 6: the job has 6 on a node, counted from 0 | lower the numbers, or ask for more CPUs a node',
    ]);
    expect(await pin(6, { name: 'local', target: 'local' })).toEqual([]);
  });

  test('a binding beyond the step, or the node', async () => {
    const bind = (site?: SiteInput) =>
      warned("\n  .model('m', command('true').tasks(4).cpuBind([0, 1, 2, 8]))", {}, site);
    const hint = 'lower the numbers, or raise .cpusPerTask() or .tasksPerNode()';
    expect(await bind()).toEqual([
      `PLAN1011 workflow.ts:4:15 .cpuBind(): there is no CPU 8 for 'm': the step has 4 on a node, counted from 0 | ${hint}`,
    ]);
    expect(await bind({ name: 'p', target: 'pbs', launcher: 'mpirun', node: { cores: 8 } })).toEqual([
      `PLAN1011 workflow.ts:4:15 .cpuBind(): there is no CPU 8 for 'm': a node of site 'p' has 8, counted from 0 | ${hint}`,
    ]);
    expect(await bind({ name: 'p', target: 'pbs', launcher: 'mpirun', node: { cores: 16 } })).toEqual([]);
    expect(await bind({ name: 'p', target: 'pbs', launcher: 'mpirun' })).toEqual([]);
  });
});

test('inputs and outputs of types that no client has', async () => {
  const types = async (type: number, shape: readonly (number | string)[]) =>
    warned(`.orchestrator()\n  .model('m', command('true'))\n    ${addNet}`, {
      'net.onnx': oneOperator('Neg', type, shape),
    });
  expect(await types(1, ['n', 2])).toEqual([]);
  expect(await types(10, ['n', 2])).toEqual([
    "ML1005 workflow.ts:5:6 .addMlModel('net'): its output 'y' is of type float16, which no client can read | export the model with a Cast, such as to float, at this place",
  ]);
  expect(await types(1, [])).toEqual([
    "ML1005 workflow.ts:5:6 .addMlModel('net'): its output 'y' is a scalar, which no client can read | tensors have at least one dimension: export the model with a Reshape to [1]",
  ]);
  const sequence = readFileSync(join(root, 'test/runtime/orchestrator/models/sequence.onnx'));
  expect(await warned(`.orchestrator()\n  .model('m', command('true'))${addNet}`, { 'net.onnx': sequence })).toEqual([
    expect.stringMatching(
      /^ML1005 .*: its output 'pair' is no tensor \(a sequence, a map\), which no client can read \|/,
    ),
  ]);
});
