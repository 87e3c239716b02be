import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { expectNothingLeft } from '../helpers/leftovers.js';
import { simwright } from '../helpers/simwright.js';
import { Workspace } from '../helpers/workspace.js';

const double = fileURLToPath(new URL('../runtime/orchestrator/models/double.onnx', import.meta.url));

/** An ensemble of six and one of two, a model that reads the first and one that waits for one member of it. */
function twoEnsembles(): Workspace {
  const workspace = new Workspace();
  workspace.write(
    'app.mjs',
    `import { appendFileSync } from 'node:fs';
appendFileSync(${JSON.stringify(workspace.path('tries'))}, process.env.SIMWRIGHT_NAME + '\\n');
`,
  );
  workspace.workflow(`experiment('e')
  .ensemble('wide', command('node', 'app.mjs')).replicas(6).attach({ copy: 'app.mjs' }).colocate({ uds: true })
  .ensemble('pair', command('node', 'app.mjs')).replicas(2).attach({ copy: 'app.mjs' })
  .model('report', command('node', '-e', 'console.log(process.env.SSKEYIN)')).colocate({ uds: true })
    .registerIncomingEntity('wide').after('wide')
  .model('third', command('/bin/true')).after('wide_3')`);
  return workspace;
}

test('--members: those alone run, what waits for all of them waits for those, and reads those', async () => {
  const workspace = twoEnsembles();
  const part = await simwright(
    workspace,
    'run',
    'workflow.ts',
    '--out',
    'out',
    '--members',
    '1,3-4',
    '--members',
    'pair:0',
  );
  expect(part).toMatchObject({ exitCode: 0, stdout: 'wide_1,wide_3,wide_4\n' });
  expect(part.stderr).toContain('wide: 3/3 completed\n');
  expect(part.stderr).toContain('pair: 1/1 completed\n');
  expect(part.stderr).toMatch(/^store wide: [\d.]+ MiB, \d+ requests, 0 inferences$/m);
  expect(workspace.lines('tries').sort()).toEqual(['pair_0', 'wide_1', 'wide_3', 'wide_4']);
  expect(workspace.members('out')).toContain('wide_0 pending');

  // The whole run later does the rest, and what has read a part again.
  const whole = await simwright(workspace, 'run', 'workflow.ts', '--out', 'out');
  expect(whole).toMatchObject({ exitCode: 0, stdout: 'wide_0,wide_1,wide_2,wide_3,wide_4,wide_5\n' });
  expect(workspace.lines('tries')).toHaveLength(8);
  await expectNothingLeft(workspace.path('out'));
}, 360_000);

test('--members: what waits for a member that does not run is skipped, and says why', async () => {
  const workspace = twoEnsembles();
  const part = await simwright(workspace, 'run', 'workflow.ts', '--out', 'out', '--members', 'wide:0');
  expect(part.exitCode).toBe(4);
  expect(part.stderr).toContain(
    "third: skipped: it waits for 'wide_3', which is not among the members that were asked for\n",
  );
  expect(part.stderr).toContain('failed: wide 1/1, pair 2/2, report 1/1, third 0/1 completed');
});

test.each([
  ['9', "'wide' has no member 9", 'its indices go from 0 to 5'],
  ['pair:0,2', "'pair' has no member 2", 'its indices go from 0 to 1'],
  ['piar:0', "there is no ensemble 'piar'", "did you mean 'pair'?"],
  ['3-1', "'3-1' is neither an index nor a range from a smaller to a larger one", 'write: --members 0-9,17'],
])('--members %s is wrong use', async (members, message, hint) => {
  const workspace = twoEnsembles();
  const end = await simwright(workspace, 'run', 'workflow.ts', '--members', members);
  expect(end).toMatchObject({ exitCode: 2, stdout: '' });
  expect(end.stderr).toContain(`error[CLI1001]: --members ${members}: ${message}\n`);
  expect(end.stderr).toContain(`hint: ${hint}`);
  expect(workspace.has('e.simwright')).toBe(false);
});

test('--map-device: a model for two GPUs of eight nodes runs on the CPU of this machine', async () => {
  const workspace = new Workspace();
  workspace.write(
    'app.mjs',
    `import { Client } from 'simwright/client';
const client = await Client.connect();
await client.putTensor('x', { dtype: 'FLOAT', shape: [1, 2], data: Float32Array.of(1, 2.5) });
await client.runModelMultiGpu('double', ['x'], ['y'], { offset: 1, firstGpu: 0, gpus: 2 });
console.log([...(await client.getTensor('y', 'FLOAT')).data].join());
await client.close();
`,
  );
  workspace.workflow(`experiment('gpus')
  .model('m', command('node', 'app.mjs').gpusPerNode(2)).attach({ copy: 'app.mjs' })
    .colocate({ uds: true }).batch({ nodes: 8, gpusPerNode: 2 })
    .addMlModel('double', mlFile(${JSON.stringify(double)}), { backend: 'ONNX', device: 'GPU', devicesPerNode: 2 })`);
  const end = await simwright(workspace, 'run', 'workflow.ts', '--out', 'out', '--map-device', 'GPU=CPU');
  expect(end, end.stderr).toMatchObject({ exitCode: 0, stdout: '2,5\n' });
  expect(end.stderr).toMatch(/^store m: [\d.]+ MiB, \d+ requests, 1 inferences$/m);
  await expectNothingLeft(workspace.path('out'));

  const wrong = await simwright(workspace, 'run', 'workflow.ts', '--map-device', 'GPU');
  expect(wrong.exitCode).toBe(2);
  expect(wrong.stderr).toContain('two devices are expected, such as GPU=CPU');
});

test('--retry: a member that fails is started again', async () => {
  const workspace = new Workspace();
  workspace.write(
    'app.mjs',
    "import { appendFileSync, readFileSync } from 'node:fs';\nappendFileSync('tries', 'x');\nprocess.exit(readFileSync('tries', 'utf8').length < 3 ? 5 : 0);\n",
  );
  workspace.workflow(`experiment('flaky').model('m', command('node', 'app.mjs')).attach({ copy: 'app.mjs' })`);
  const end = await simwright(workspace, 'run', 'workflow.ts', '--out', 'out', '--retry', '2');
  expect(end.exitCode).toBe(0);
  expect(workspace.read('out/run/m/tries')).toBe('xxx');
});
