import { readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { describe, expect, test, vi } from 'vitest';
import { expectLearned } from '../examples/online-training.js';
import { expectRightFriction } from '../examples/wall-model.js';
import { root, simwright } from '../helpers/simwright.js';
import type { Workspace } from '../helpers/workspace.js';
import { frameworksPython } from '../runtime/orchestrator/support/python.js';
import { waitUntil } from '../runtime/support/wait-until.js';
import { useCluster, whyNoSlurm } from './cluster.js';
import { compileForSlurm, log, nothingLeft, sharedWorkspace } from './workspaces.js';

const why = whyNoSlurm();
const frameworks = await frameworksPython();
const noFrameworks = 'missing' in frameworks ? ` (skipped: ${frameworks.missing})` : '';
const nodes = ['node1', 'node2', 'node3', 'node4'];
const double = fileURLToPath(new URL('../runtime/orchestrator/models/double.onnx', import.meta.url));

// A busy machine takes its time: what is tested here is not how long.
vi.setConfig({ testTimeout: 180_000 });

describe.skipIf(why !== '')(`a real Slurm${why === '' ? '' : ` (skipped: ${why})`}`, () => {
  const cluster = useCluster();

  /** Compiles workflow.ts of the workspace to `out`. */
  async function compile(workspace: Workspace, ...words: readonly string[]): Promise<string> {
    await compileForSlurm(workspace, ...words);
    return workspace.path('out');
  }

  /** Expects that a job has left no process anywhere, and nothing under /tmp of any node. */
  async function expectNothingLeft(folder: string, id: string): Promise<void> {
    await nothingLeft(folder);
    await Promise.all(
      nodes.map(async (node) => {
        const there = await cluster().on(node, 'sh', '-c', 'ps -eo args; ls /tmp');
        expect(there, node).not.toMatch(/simwright\.mjs|app\.mjs|solver\.mjs/);
        expect(there, node).not.toContain(`simwright-0-${id}`);
      }),
    );
  }

  test('the flagship gives the same results as on this machine', async () => {
    const workspace = sharedWorkspace();
    const workflow = join(root, 'examples/cavity/workflow.ts');
    const local = await simwright(workspace, 'run', workflow, '--out', 'local');
    expect(local.exitCode).toBe(0);
    const compiled = ['compile', workflow, '--site', 'slurm', '--with-onnxruntime', '--out', 'slurm'];
    expect((await simwright(workspace, ...compiled)).exitCode).toBe(0);
    const { cavity: id = '' } = await cluster().submit(workspace.path('slurm'));
    expect(workspace.read('slurm/run/jobs.tsv')).toBe(`cavity\t${id}\n`);
    await waitUntil(
      'it runs',
      async () => (await cluster().queued(id))[0] === 'RUNNING None' || cluster().queued(id),
      60,
    );
    const [job] = await cluster().ended(id, 1, 400);
    const output = workspace.read(`slurm/logs/cavity-${id}.out`);
    expect(job, output).toMatchObject({ id, state: 'COMPLETED', exitCode: '0:0' });
    expect(await cluster().ask('scontrol', 'show', 'job', id)).toMatch(/JobState=COMPLETED .*\n.*ExitCode=0:0/s);

    const all = await cluster().steps(id);
    const steps = all.filter(({ name }) => name !== 'orchestrator');
    expect(all).toHaveLength(steps.length + 1);
    const members = [0, 1, 2, 3, 4, 5].map((index) => `cavity_${index}`);
    expect(steps.map(({ name }) => name).sort()).toEqual(['analysis', ...members, 'simwright-allow']);
    expect(
      new Set(steps.flatMap(({ name, nodes: list }) => (members.includes(name) ? [list] : []))).size,
    ).toBeGreaterThan(1);
    for (const step of steps) expect(step).toMatchObject({ state: 'COMPLETED', exitCode: '0:0' });

    const table = workspace.read('slurm/run/analysis/analysis.out');
    expect(table).toBe(workspace.read('local/run/analysis/analysis.out'));
    expect(local.stdout).toBe(table);
    for (const result of ['cavity.json', 'cavity.svg']) {
      const bytes = readFileSync(workspace.path('slurm/run/analysis', result));
      expect(bytes.equals(readFileSync(workspace.path('local/run/analysis', result))), result).toBe(true);
    }
    expect(JSON.parse(workspace.read('slurm/run/analysis/cavity.json'))).toMatchObject({ passed: true });
    for (const index of [0, 1, 2, 3, 4, 5]) {
      for (const file of ['cavity.in', 'params.json', 'solver.mjs']) {
        const path = `run/cavity/cavity_${index}/${file}`;
        expect(workspace.read('slurm', path), path).toBe(workspace.read('local', path));
      }
    }
    expect(workspace.members('slurm')).toEqual([0, 1, 2, 3, 4, 5].map((index) => `cavity_${index} completed 0`));
    expect(workspace.members('slurm')).toEqual(workspace.members('local'));
    await expectNothingLeft(workspace.path('slurm'), id);
    console.log(
      `Slurm job ${id}: ${job?.state} ${job?.exitCode} on ${job?.nodes}, steps on ${steps.map((step) => step.nodes).join(' ')}\n${table}`,
    );
  }, 1_800_000);

  test.skipIf('missing' in frameworks)(
    `the wall model, PyTorch in a store beside the solver${noFrameworks}`,
    async () => {
      const workspace = sharedWorkspace();
      const workflow = join(root, 'examples/wall-model/workflow.ts');
      // The job's python3 is the one that has the packages. A login shell sets PATH anew: it is what modules do afterwards.
      const bin = dirname('python' in frameworks ? frameworks.python : '');
      const site = { name: 'frameworks', target: 'slurm', preamble: [`export PATH=${bin}:$PATH`] };
      workspace.write('site.json', JSON.stringify(site));
      const compiled = ['compile', workflow, '--site', './site.json', '--with-onnxruntime', '--out', 'out'];
      const { exitCode, stderr } = await simwright(workspace, ...compiled);
      expect(exitCode, stderr).toBe(0);
      const { 'wall-model': id = '' } = await cluster().submit(workspace.path('out'));
      const [job] = await cluster().ended(id);
      expect(job, log(workspace, `wall-model-${id}.out`)).toMatchObject({ state: 'COMPLETED', exitCode: '0:0' });
      expectRightFriction(workspace.read('out/run/channels/channels.json'));
      await expectNothingLeft(workspace.path('out'), id);
    },
  );

  test.skipIf('missing' in frameworks)(
    `a network that learns while cavities run, beside them on their nodes${noFrameworks}`,
    async () => {
      const workspace = sharedWorkspace();
      const workflow = join(root, 'examples/online-training/workflow.ts');
      const bin = dirname('python' in frameworks ? frameworks.python : '');
      const site = { name: 'frameworks', target: 'slurm', node: { cores: 4 }, preamble: [`export PATH=${bin}:$PATH`] };
      workspace.write('site.json', JSON.stringify(site));
      const compiled = ['compile', workflow, '--site', './site.json', '--with-onnxruntime', '--out', 'out'];
      const { exitCode, stderr } = await simwright(workspace, ...compiled);
      expect(exitCode, stderr).toBe(0);
      const { 'online-training': id = '' } = await cluster().submit(workspace.path('out'));
      const [job] = await cluster().ended(id, 1, 200);
      const said = ['trainer', 'held-out'].map((name) => workspace.read(`out/run/${name}/${name}.out`)).join('');
      expect(job, `${log(workspace, `online-training-${id}.out`)}\n${said}`).toMatchObject({
        state: 'COMPLETED',
        exitCode: '0:0',
      });
      expectLearned((path) => workspace.read('out', path));
      expect(workspace.members('out')).toEqual([0, 1, 2, 3].map((index) => `cavity_${index} completed 0`));
      await expectNothingLeft(workspace.path('out'), id);
    },
    900_000,
  );

  test('an application that exits 3 is the job that exits 3; the others complete', async () => {
    const workspace = sharedWorkspace();
    workspace.write('app.mjs', 'process.exit(process.argv[2] === "--LEVEL=1" ? 3 : 0);\n');
    workspace.workflow(`experiment('e')
  .ensemble('sweep', command('node', 'app.mjs', '{args}'))
    .params({ LEVEL: [0, 1, 2] }, { asArgs: ['LEVEL'] })
    .attach({ copy: 'app.mjs' })`);
    const folder = await compile(workspace);
    const { e: id = '' } = await cluster().submit(folder);
    expect(await cluster().ended(id)).toMatchObject([{ state: 'FAILED', exitCode: '3:0' }]);
    expect(workspace.members('out')).toEqual(['sweep_0 completed 0', 'sweep_1 failed 3', 'sweep_2 completed 0']);
    expect(log(workspace, `e-${id}.out`)).toContain('sweep (3 members): 2 completed, 1 failed');
    await expectNothingLeft(folder, id);

    // Submitted again, it runs only what has not completed.
    const { e: second = '' } = await cluster().submit(folder);
    await cluster().ended(second);
    expect(log(workspace, `e-${second}.out`)).toContain('sweep (3 members): 2 completed before, skipped, 1 failed');
    expect(workspace.lines('out/run/jobs.tsv')).toEqual([`e\t${id}`, `e\t${second}`]);
  });

  /** Says `start` and `end` in a file beside the workflow, and works in between until `go` is there. */
  const patient = (workspace: Workspace) => `
import { appendFileSync, existsSync } from 'node:fs';
import { hostname } from 'node:os';
const folder = ${JSON.stringify(workspace.cwd)};
appendFileSync(folder + '/events', 'start ' + hostname() + '\\n');
setInterval(() => {
  if (!existsSync(folder + '/go')) return;
  appendFileSync(folder + '/events', 'end ' + hostname() + '\\n');
  process.exit(0);
}, 20);
`;
  const events = (workspace: Workspace, kind: string) =>
    workspace.lines('events').filter((line) => line.startsWith(kind));

  test('an ensemble as a job array, two elements at a time', async () => {
    const workspace = sharedWorkspace();
    workspace.write('app.mjs', patient(workspace));
    workspace.workflow(`experiment('e')
  .ensemble('sweep', command('node', 'app.mjs', '{args}'))
    .params({ LEVEL: [10, 20, 30, 40] }, { asArgs: ['LEVEL'] })
    .attach({ copy: 'app.mjs' })
    .batch({ mode: 'array', maxConcurrent: 2, walltime: '00:05:00' })`);
    const folder = await compile(workspace);
    const { sweep: id = '' } = await cluster().submit(folder);
    await waitUntil('two work', () => events(workspace, 'start').length === 2 || workspace.lines('events').join(), 60);
    expect((await cluster().queued(id)).sort()).toEqual([
      'PENDING JobArrayTaskLimit',
      'PENDING JobArrayTaskLimit',
      'RUNNING None',
      'RUNNING None',
    ]);
    workspace.write('go', '');
    const elements = await cluster().ended(id, 4);
    expect(elements.map((element) => element.id).sort()).toEqual([0, 1, 2, 3].map((index) => `${id}_${index}`));
    for (const element of elements) expect(element).toMatchObject({ state: 'COMPLETED', exitCode: '0:0' });
    expect(events(workspace, 'end')).toHaveLength(4);
    let running = 0;
    for (const event of workspace.lines('events')) {
      running += event.startsWith('start') ? 1 : -1;
      expect(running).toBeLessThanOrEqual(2);
    }
    expect(workspace.members('out')).toEqual([0, 1, 2, 3].map((index) => `sweep_${index} completed 0`));
    expect(JSON.parse(workspace.read('out/run/sweep/sweep_3/params.json'))).toEqual({ LEVEL: 40 });
    await expectNothingLeft(folder, id);
  });

  test('a job after another waits for it; when that fails, it is cancelled', async () => {
    const workspace = sharedWorkspace();
    workspace.write(
      'app.mjs',
      `${patient(workspace)}process.on('exit', () => { process.exitCode = Number(process.argv[2]); });`,
    );
    const chain = (exit: number) => `experiment('e')
  .model('first', command('node', 'app.mjs', ${exit})).attach({ copy: 'app.mjs' }).batch({ walltime: '00:05:00' })
  .model('second', command('cat', ${JSON.stringify(workspace.path('events'))})).after('first').batch({ walltime: '00:05:00' })
  .model('repair', command('echo', 'repaired')).after('first', 'failed').batch({ walltime: '00:05:00' })`;
    workspace.workflow(chain(0));
    const folder = await compile(workspace);
    const ids = await cluster().submit(folder);
    expect(Object.keys(ids)).toEqual(['first', 'second', 'repair']);
    const { first = '', second = '', repair = '' } = ids;
    await waitUntil('the first works', () => events(workspace, 'start').length === 1, 60);
    expect(await cluster().queued(second)).toEqual(['PENDING Dependency']);
    workspace.write('go', '');
    expect(await cluster().ended(first)).toMatchObject([{ state: 'COMPLETED', exitCode: '0:0' }]);
    expect(await cluster().ended(second)).toMatchObject([{ state: 'COMPLETED', exitCode: '0:0' }]);
    expect(await cluster().ended(repair)).toMatchObject([{ state: expect.stringMatching(/^CANCELLED/) }]);
    expect(workspace.read('out/run/second/second.out')).toMatch(/^start node\d\nend node\d\n$/);

    rmSync(workspace.path('out/run'), { recursive: true });
    workspace.workflow(chain(5));
    await compile(workspace);
    const failing = await cluster().submit(folder);
    expect(await cluster().ended(failing['first'] ?? '')).toMatchObject([{ state: 'FAILED', exitCode: '5:0' }]);
    expect(await cluster().ended(failing['second'] ?? '')).toMatchObject([
      { state: expect.stringMatching(/^CANCELLED/) },
    ]);
    expect(await cluster().ended(failing['repair'] ?? '')).toMatchObject([{ state: 'COMPLETED' }]);
    expect(workspace.has('out/run/second')).toBe(false);
  });

  /** Members that fill a node each, with a store of their node's own. */
  const colocated = `experiment('pair')
  .batch({ nodes: 3, walltime: '00:05:00' })
  .ensemble('member', command('node', 'app.mjs', '{args}').cpusPerTask(3))
    .params({ VALUE: [1, 20, 300] }, { asArgs: ['VALUE'] })
    .attach({ copy: 'app.mjs' })
    .colocate({ uds: true })
    .addMlModel('double', mlFile(${JSON.stringify(double)}), { backend: 'ONNX' })
    .registerIncomingEntity('member')`;

  test('stores of three nodes, over Unix sockets, each with the model', async () => {
    const workspace = sharedWorkspace();
    workspace.write(
      'app.mjs',
      `import { hostname } from 'node:os';
import { Client } from 'simwright/client';
const value = Number(process.argv[2].split('=')[1]);
const client = await Client.connect();
client.setDataSource(process.env.SSKEYOUT);
await client.putTensor('x', { dtype: 'FLOAT', shape: [1, 2], data: Float32Array.of(value, value + 0.5) });
await client.runModel('double', 'x', 'y');
const y = await client.getTensor('y', 'FLOAT');
console.log(hostname(), process.env.SSDB.split(':')[0], [...y.data].join());
await client.close();
`,
    );
    workspace.workflow(colocated);
    const folder = await compile(workspace, '--with-onnxruntime');
    const { pair: id = '' } = await cluster().submit(folder);
    const [job] = await cluster().ended(id);
    expect(job, log(workspace, `pair-${id}.out`)).toMatchObject({ state: 'COMPLETED', exitCode: '0:0' });
    const outputs = [0, 1, 2].map((index) => workspace.read(`out/run/member/member_${index}/member_${index}.out`));
    const hosts = outputs.map((output) => output.split(' ')[0]);
    expect(new Set(hosts).size).toBe(3);
    expect(outputs).toEqual([`${hosts[0]} unix 2,3\n`, `${hosts[1]} unix 40,41\n`, `${hosts[2]} unix 600,601\n`]);
    await expectNothingLeft(folder, id);
  });

  test('scancel in the middle leaves nothing on any node; submitted again, it completes', async () => {
    const workspace = sharedWorkspace();
    workspace.write('app.mjs', patient(workspace));
    workspace.workflow(colocated);
    const folder = await compile(workspace, '--with-onnxruntime');
    const { pair: id = '' } = await cluster().submit(folder);
    await waitUntil('all work', () => events(workspace, 'start').length === 3 || log(workspace, `pair-${id}.out`), 60);
    const busy = events(workspace, 'start').map((line) => line.split(' ')[1] ?? '');
    expect(new Set(busy).size).toBe(3);
    for (const node of busy) {
      const running = await cluster().on(node, 'ps', '-eo', 'args');
      expect(running).toMatch(/simwright\.mjs store/);
      expect(running).toMatch(/node app\.mjs/);
      expect(await cluster().on(node, 'ls', '/tmp')).toContain(`simwright-0-${id}`);
    }
    await cluster().ask('scancel', id);
    expect(await cluster().ended(id)).toMatchObject([{ state: expect.stringMatching(/^CANCELLED/) }]);
    await expectNothingLeft(folder, id);
    expect(events(workspace, 'end')).toEqual([]);

    workspace.write('go', '');
    const { pair: second = '' } = await cluster().submit(folder);
    const [job] = await cluster().ended(second);
    expect(job, log(workspace, `pair-${second}.out`)).toMatchObject({ state: 'COMPLETED', exitCode: '0:0' });
    expect(workspace.members('out')).toEqual([0, 1, 2].map((index) => `member_${index} completed 0`));
    await expectNothingLeft(folder, second);
  });

  test('the environment arrives byte for byte, from a folder that was moved', async () => {
    const workspace = sharedWorkspace();
    const env = {
      COMMAS: 'a,b,,c',
      BLANKS: '  two  words ',
      PERCENT: '%j %% %x',
      LINES: 'first\nsecond\n',
      SHELL_SIGNS: '$HOME `id` "quoted" \'single\' \\ * ;',
      ACCENTS: 'Größe µ 流',
      EMPTY: '',
    };
    workspace.write(
      'app.mjs',
      "import { writeFileSync } from 'node:fs';\nwriteFileSync('env.json', JSON.stringify(process.env));\n",
    );
    workspace.workflow(`experiment('e')
  .model('m', command('node', 'app.mjs').env(${JSON.stringify(env)})).attach({ copy: 'app.mjs' })`);
    const folder = await compile(workspace);
    const moved = workspace.path('moved to here');
    renameSync(folder, moved);
    const { e: id = '' } = await cluster().submit(moved);
    expect(await cluster().ended(id)).toMatchObject([{ state: 'COMPLETED', exitCode: '0:0' }]);
    expect(JSON.parse(workspace.read('moved to here/run/m/env.json'))).toMatchObject(env);
    await expectNothingLeft(moved, id);
  });

  test('without plan.json, submit.sh and the job say so', async () => {
    const workspace = sharedWorkspace();
    workspace.workflow("experiment('e').model('m', command('true'))");
    const folder = await compile(workspace);
    rmSync(join(folder, 'plan.json'));
    const end = await execa(join(folder, 'submit.sh'), { env: cluster().env, reject: false });
    expect(end).toMatchObject({ exitCode: 2, stdout: '', stderr: `plan.json is not in ${folder}` });
    const words = ['--parsable', 'jobs/e.sbatch'];
    const { stdout: id } = await execa('sbatch', words, { env: cluster().env, cwd: folder, stdin: 'ignore' });
    expect(await cluster().ended(id)).toMatchObject([{ state: 'FAILED', exitCode: '2:0' }]);
    expect(log(workspace, `e-${id}.out`)).toContain(
      `plan.json is not in ${folder}: submit this script from the folder`,
    );
  });
});
