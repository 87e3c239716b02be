import { expect, test } from 'vitest';
import { simwright } from '../helpers/simwright.js';
import { Workspace } from '../helpers/workspace.js';

/** What stderr shows for a workflow's mistake, for `check`; `compile` and `run` say the same. */
async function told(workspace: Workspace): Promise<string> {
  const [check, ...others] = await Promise.all(
    ['check', 'compile', 'run'].map((name) => simwright(workspace, name, 'workflow.ts')),
  );
  for (const end of [check, ...others]) expect(end).toMatchObject({ exitCode: 1, stdout: '', stderr: check?.stderr });
  expect(workspace.has('e.simwright')).toBe(false);
  return check?.stderr ?? '';
}

test('a template tag without a value: the place is in the template', async () => {
  const workspace = new Workspace();
  workspace.write('in.dat', '! input\nviscosity = ;NU;\n');
  workspace.workflow("experiment('e').model('m', command('true')).params({ MU: 1 }).attach({ configure: 'in.dat' })");
  expect(await told(workspace)).toContain(`
  --> in.dat:2:13
  |
2 | viscosity = ;NU;
  |             ^^^^
`);
});

test('an unknown entity', async () => {
  const workspace = new Workspace();
  workspace.workflow(`experiment('e')
  .model('simulation', command('true'))
  .model('analysis', command('true'))
    // @ts-expect-error a name that does not exist
    .after('simulatoin')`);
  const text = await told(workspace);
  expect(text).toContain(`
  --> workflow.ts:7:6
  |
7 |     .after('simulatoin')`);
  expect(text).toContain("hint: did you mean 'simulation'?");
});

test('a missing file', async () => {
  const workspace = new Workspace();
  workspace.workflow(`experiment('e')
  .model('simulation', command('true')).attach({ copy: ['mesh.dat'] })`);
  const text = await told(workspace);
  expect(text).toContain('error[FILE1001]');
  expect(text).toContain('mesh.dat');
  expect(text).toContain('  --> workflow.ts:4:41\n');
});

test('an ONNX file that is not one', async () => {
  const workspace = new Workspace();
  workspace.write('net.onnx', 'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 12\n');
  workspace.workflow(`experiment('e')
  .orchestrator()
  .model('simulation', command('true'))
    .addMlModel('net', mlFile('net.onnx'), { backend: 'ONNX' })`);
  const text = await told(workspace);
  expect(text).toContain('error[ML1001]');
  expect(text).toContain('net.onnx');
  expect(text).toContain('  --> workflow.ts:6:6\n');
});

test('two entities with one name', async () => {
  const workspace = new Workspace();
  workspace.workflow(`experiment('e')
  .model('solver', command('true'))
  .model('solver' as 'other', command('true'))`);
  const text = await told(workspace);
  expect(text).toContain('error[DSL1003]');
  expect(text).toContain("'solver'");
  expect(text).toContain('  --> workflow.ts:5:4\n');
});

test('all of them at once', async () => {
  const workspace = new Workspace();
  workspace.write('in.dat', ';A;;B;');
  workspace.workflow(`experiment('e')
  .model('a', command('./solver')).attach({ configure: 'in.dat', copy: 'gone.dat' })
  .model('b', command('true')).after('c' as 'a')
    .batch({ walltime: 'soon' })`);
  const text = await told(workspace);
  for (const code of ['TMPL1001', 'FILE1001', 'FILE1002', 'REF1001', 'DSL1005'])
    expect(text).toContain(`error[${code}]`);
  expect(text).toMatch(/\n\d errors\n$/);
});
