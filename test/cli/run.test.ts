import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { expectNothingLeft } from '../helpers/leftovers.js';
import { simwright } from '../helpers/simwright.js';
import { Workspace } from '../helpers/workspace.js';

const double = fileURLToPath(new URL('../runtime/orchestrator/models/double.onnx', import.meta.url));

/** An application that says in a file beside the workflow that it has run, and fails where `fails` holds. */
function countingSweep(values: string, fails = 'false'): string {
  return `experiment('tries')
  .ensemble('sweep', command('node', 'app.mjs', '{args}', '{name}'))
    .params({ LEVEL: ${values} }, { asArgs: ['LEVEL'] })
    .attach({ copy: 'app.mjs', configure: 'sweep.in' })
  .model('report', command('node', '-e', 'console.log("reported")'))
    .after('sweep', ${fails === 'false' ? "'completed'" : "'ended'"})`;
}

function withSweep(values: string, fails = 'false'): Workspace {
  const workspace = new Workspace();
  workspace.write('sweep.in', '# of ;LEVEL;\r\nvalue = ;LEVEL;');
  workspace.write(
    'app.mjs',
    `import { appendFileSync } from 'node:fs';
const [argument, name] = process.argv.slice(2);
appendFileSync(${JSON.stringify(workspace.path('tries'))}, name + ' ' + argument + '\\n');
console.log('working on', argument);
if (${fails}) {
  console.error('diverged at step 17');
  process.exit(3);
}
`,
  );
  workspace.workflow(countingSweep(values, fails));
  return workspace;
}

describe('simwright run', () => {
  test('an ensemble with a template: files by bytes, members.csv, results on stdout; a second run skips, a changed one does not', async () => {
    const workspace = withSweep('[1, 2.5, -3]');
    const first = await simwright(workspace, 'run', 'workflow.ts', '--out', 'out');
    expect(first).toMatchObject({ exitCode: 0, stdout: 'reported\n' });
    expect(first.stderr).toContain(`running tries in ${workspace.path('out')}\n`);
    expect(first.stderr).toContain('sweep: 3/3 completed\n');
    expect(first.stderr).toContain('report: completed\n');
    for (const [index, value] of [1, 2.5, -3].entries()) {
      const member = `out/run/sweep/sweep_${index}`;
      expect(workspace.read(member, 'sweep.in')).toBe(`# of ${value}\r\nvalue = ${value}`);
      expect(JSON.parse(workspace.read(member, 'params.json'))).toEqual({ LEVEL: value });
      expect(workspace.read(member, `sweep_${index}.out`)).toBe(`working on --LEVEL=${value}\n`);
    }
    expect(workspace.members('out')).toEqual(['sweep_0 completed 0', 'sweep_1 completed 0', 'sweep_2 completed 0']);
    expect(workspace.lines('tries').sort()).toEqual(['sweep_0 --LEVEL=1', 'sweep_1 --LEVEL=2.5', 'sweep_2 --LEVEL=-3']);
    await expectNothingLeft(workspace.path('out'));

    const second = await simwright(workspace, 'run', 'workflow.ts', '--out', 'out');
    expect(second).toMatchObject({ exitCode: 0, stdout: 'reported\n' });
    expect(workspace.lines('tries')).toHaveLength(3);

    workspace.workflow(countingSweep('[1, 2.5, 4]'));
    const third = await simwright(workspace, 'run', 'workflow.ts', '--out', 'out');
    expect(third.exitCode).toBe(0);
    expect(workspace.lines('tries')).toContain('sweep_2 --LEVEL=4');
    expect(workspace.read('out/run/sweep/sweep_2/sweep.in')).toBe('# of 4\r\nvalue = 4');

    const before = workspace.lines('tries').length;
    const fresh = await simwright(workspace, 'run', 'workflow.ts', '--out', 'out', '--fresh');
    expect(fresh.exitCode).toBe(0);
    expect(workspace.lines('tries')).toHaveLength(before + 3);
  });

  test('an application that exits 3: exit code 4, its last lines, members.csv; the others complete', async () => {
    const workspace = withSweep('[0, 1, 2]', "argument === '--LEVEL=1'");
    const end = await simwright(workspace, 'run', 'workflow.ts', '--out', 'out');
    expect(end).toMatchObject({ exitCode: 4, stdout: '' });
    expect(end.stderr).toContain(
      "\nsweep_1 failed: 'diverged at step 17' (exit code 3); see out/run/sweep/sweep_1/sweep_1.err\n  diverged at step 17\n",
    );
    expect(end.stderr).toContain('failed: sweep 2/3, report 1/1 completed; everything is in');
    expect(workspace.members('out')).toEqual(['sweep_0 completed 0', 'sweep_1 failed 3', 'sweep_2 completed 0']);
    await expectNothingLeft(workspace.path('out'));

    const again = await simwright(workspace, 'run', 'workflow.ts', '--out', 'out', '--json');
    expect(again.exitCode).toBe(4);
    expect(JSON.parse(again.stdout)).toMatchObject({
      ok: false,
      exitCode: 3,
      folder: workspace.path('out'),
      entities: [
        { name: 'sweep', total: 3, completed: 2, failed: 1 },
        { name: 'report', total: 1, completed: 1 },
      ],
    });
    expect(workspace.lines('tries').filter((line) => line.startsWith('sweep_0'))).toHaveLength(1);
    expect(workspace.lines('tries').filter((line) => line.startsWith('sweep_1'))).toHaveLength(2);
  });

  test('a program that is not there is named', async () => {
    const workspace = new Workspace();
    workspace.workflow("experiment('e').model('solver', command('lbm-of-mine'))");
    const end = await simwright(workspace, 'run', 'workflow.ts');
    expect(end).toMatchObject({ exitCode: 4, stdout: '' });
    expect(end.stderr).toContain("solver failed: solver: 'lbm-of-mine' cannot be started");
    await expectNothingLeft(workspace.path('e.simwright'));
  });

  test('after a failure the next of a chain is skipped, with the reason; one that waits for the failure runs', async () => {
    const workspace = new Workspace();
    workspace.workflow(`experiment('chain')
  .model('first', command('node', '-e', 'process.exit(5)'))
  .model('second', command('node', '-e', '')).after('first')
  .model('third', command('node', '-e', '')).after('second')
  .model('repair', command('node', '-e', 'console.log("repaired")')).after('first', 'failed')`);
    const end = await simwright(workspace, 'run', 'workflow.ts');
    expect(end).toMatchObject({ exitCode: 4, stdout: '' });
    expect(end.stderr).toContain(
      "second: skipped: it waits for 'first' to have completed, but first failed with exit code 5\n",
    );
    expect(end.stderr).toMatch(/^third: skipped: it waits for 'second' to have completed, but .+$/m);
    expect(end.stderr).toContain('repair: completed\n');
    expect(end.stderr).toContain('failed: first 0/1, second 0/1, third 0/1, repair 1/1 completed');
    expect(workspace.read('chain.simwright/run/repair/repair.out')).toBe('repaired\n');
    expect(workspace.has('chain.simwright/run/second')).toBe(false);
    await expectNothingLeft(workspace.path('chain.simwright'));
  });

  test('a store of each node over a Unix socket with an ONNX model; members read what others wrote', async () => {
    const workspace = new Workspace();
    workspace.write(
      'app.mjs',
      `import { Client } from 'simwright/client';
const value = Number(process.argv[2].split('=')[1]);
const client = await Client.connect();
client.setDataSource(process.env.SSKEYOUT);
await client.putTensor('x', { dtype: 'FLOAT', shape: [1, 2], data: Float32Array.of(value, value + 0.5) });
await client.runModel('double', 'x', ['y']);
const y = await client.getTensor('y', 'FLOAT');
console.log(process.env.SSDB.split(':')[0], process.env.SR_DB_TYPE, y.shape.join(), [...y.data].join());
await client.close();
`,
    );
    workspace.workflow(`experiment('doubles')
  .ensemble('member', command('node', 'app.mjs', '{args}'))
    .params({ VALUE: [1, 20] }, { asArgs: ['VALUE'] })
    .attach({ copy: 'app.mjs' })
    .colocate({ uds: true })
    .addMlModel('double', mlFile(${JSON.stringify(double)}), { backend: 'ONNX' })
    .registerIncomingEntity('member')`);
    const end = await simwright(workspace, 'run', 'workflow.ts', '--out', 'out');
    expect(end).toMatchObject({ exitCode: 0 });
    expect(workspace.read('out/run/member/member_0/member_0.out')).toBe('unix Standalone 1,2 2,3\n');
    expect(workspace.read('out/run/member/member_1/member_1.out')).toBe('unix Standalone 1,2 40,41\n');
    await expectNothingLeft(workspace.path('out'));
  });

  test('a port that is taken: said by address, nothing runs, nothing is left', async () => {
    const workspace = new Workspace();
    const taker = createServer();
    const port = await new Promise<number>((resolve) => {
      taker.listen(0, '127.0.0.1', () => {
        const address = taker.address();
        resolve(typeof address === 'object' && address !== null ? address.port : 0);
      });
    });
    try {
      workspace.workflow(`experiment('taken')
  .orchestrator({ port: ${port} })
  .model('solver', command('node', '-e', 'console.log(1)'))`);
      const end = await simwright(workspace, 'run', 'workflow.ts');
      expect(end).toMatchObject({ exitCode: 4, stdout: '' });
      expect(end.stderr).toContain('error[RUN1003]');
      expect(end.stderr).toContain(String(port));
      expect(workspace.has('taken.simwright/run/solver')).toBe(false);
      await expectNothingLeft(workspace.path('taken.simwright'));
    } finally {
      await new Promise((resolve) => taker.close(resolve));
    }
  });

  test('a site that is not this machine is wrong use', async () => {
    const workspace = new Workspace();
    workspace.workflow("experiment('e').model('solver', command('true'))");
    const end = await simwright(workspace, 'run', 'workflow.ts', '--site', 'slurm');
    expect(end).toMatchObject({ exitCode: 2, stdout: '' });
    expect(end.stderr).toContain("error[CLI1001]: run works only on this machine, and site 'slurm' is for slurm");
    expect(workspace.has('e.simwright')).toBe(false);
    const json = await simwright(workspace, 'run', 'workflow.ts', '--site', 'slurm', '--json');
    expect(json.exitCode).toBe(2);
    expect(JSON.parse(json.stdout)).toMatchObject({ ok: false, problems: [{ code: 'CLI1001' }] });
  });
});

test('a second run does not begin with the verdict of the first', async () => {
  const workspace = new Workspace();
  workspace.workflow("experiment('v').model('m', command('sh', '-c', 'sleep 2; exit 3'))");
  expect(await simwright(workspace, 'run', 'workflow.ts', '--out', 'out')).toMatchObject({ exitCode: 4 });
  const again = await simwright(workspace, 'run', 'workflow.ts', '--out', 'out');
  expect(again.stderr.split('\n').slice(1, 3)).toEqual([
    'm: runs again: failed',
    expect.stringMatching(/^m: (waiting|running)$/),
  ]);
});
