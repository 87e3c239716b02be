import { describe, expect, test } from 'vitest';
import { simwright } from '../helpers/simwright.js';
import { Workspace } from '../helpers/workspace.js';

const head = "import { command, experiment } from 'simwright';\n";
const tail = "\nexport default experiment('e').model('m', command('true'));\n";

/** A workflow that does something unusual at its top level, in both module systems. */
function withWorkflow(body: string, name = 'workflow.mts'): Workspace {
  const workspace = new Workspace();
  workspace.write(name, `${head}${body}${tail}`);
  return workspace;
}

const problemsOf = (stdout: string): string[] =>
  JSON.parse(stdout).problems.map(
    ({ code, message, at }: { code: string; message: string; at?: { line: number; column: number } }) =>
      `${code} ${message} ${at?.line}:${at?.column}`,
  );

describe.each(['workflow.mts', 'workflow.cts'])('%s', (name) => {
  test.each([
    ['calls process.exit', 'process.exit(0);', 'LOAD1005 the workflow calls process.exit() 2:9'],
    ['catches that', 'try {\n  process.exit(3);\n} catch {}', 'LOAD1005 the workflow calls process.exit() 3:11'],
    [
      'rejects a promise that nobody looks at',
      "const late = async () => {\n  throw new Error('no such mesh');\n};\nlate();",
      'LOAD1003 the workflow throws Error: no such mesh 3:9',
    ],
  ])('that %s is an error at its own line', async (_what, body, problem) => {
    const workspace = withWorkflow(body, name);
    const end = await simwright(workspace, 'check', name, '--no-types', '--json');
    expect(end).toMatchObject({ exitCode: 1, stderr: '' });
    expect(problemsOf(end.stdout)).toEqual([problem]);
  });

  test('that prints, leaves a timer open, sets an exit code and goes elsewhere is read all the same', async () => {
    const body = `
console.log('hello');
process.stdout.write('there\\n');
setInterval(() => console.log('late'), 1);
process.exitCode = 3;
process.chdir('/');`;
    const workspace = withWorkflow(body, name);
    const end = await simwright(workspace, 'compile', name, '--out', 'out', '--json');
    expect(end.exitCode).toBe(0);
    expect(JSON.parse(end.stdout)).toMatchObject({ ok: true, folder: workspace.path('out') });
    expect(end.stderr).toMatch(/^hello\nthere\n(late\n)*$/);
    expect(workspace.has('out/plan.json')).toBe(true);
  });
});

test('a top level that awaits what can no longer come is an error', async () => {
  const workspace = withWorkflow('await new Promise(() => {});');
  const end = await simwright(workspace, 'check', 'workflow.mts', '--no-types', '--json');
  expect(end).toMatchObject({ exitCode: 1, stderr: '' });
  expect(problemsOf(end.stdout)).toEqual([
    'LOAD1006 the workflow never ends: it awaits something that can no longer happen 1:1',
  ]);
});

test('one that awaits what may still come is waited for, and after a while the command says for what', async () => {
  const workspace = withWorkflow('await new Promise((resolve) => setTimeout(resolve, 10_500));');
  const end = await simwright(workspace, 'check', 'workflow.mts', '--no-types');
  expect(end).toMatchObject({ exitCode: 0, stdout: 'workflow.mts is fine for site local\n' });
  expect(end.stderr).toBe(`still waiting for the top level of ${workspace.path('workflow.mts')} to end\n`);
});

test('what it throws while the jobs run is a warning, and the run goes on', async () => {
  const workspace = new Workspace();
  workspace.write(
    'workflow.mts',
    `${head}const fail = () => {
  if (existsSync(${JSON.stringify(workspace.path('started'))})) process.nextTick(() => void Promise.reject(new Error('late')));
  else return;
  clearInterval(timer);
};
const timer = setInterval(fail, 10);
setInterval(() => console.log('noise'), 50);
export default experiment('e').model('m', command('sh', '-c', 'touch ${workspace.path('started')}; sleep 2; echo result'));
`.replace(head, `import { existsSync } from 'node:fs';\n${head}`),
  );
  const end = await simwright(workspace, 'run', 'workflow.mts', '--out', 'out', '--json');
  expect(end.exitCode).toBe(0);
  expect(JSON.parse(end.stdout)).toMatchObject({ ok: true });
  expect(end.stderr).toContain('warning[LOAD1003]: the workflow throws Error: late (after the file was read)');
});

test("a site's file is read in the same way", async () => {
  const workspace = withWorkflow('');
  workspace.write(
    'site.mts',
    "console.log('site');\nprocess.exit(1);\nexport default { name: 'x', target: 'local' };\n",
  );
  const end = await simwright(workspace, 'check', 'workflow.mts', '--no-types', '--json', '--site', './site.mts');
  expect(end).toMatchObject({ exitCode: 1, stderr: 'site\n' });
  expect(problemsOf(end.stdout)).toEqual(['LOAD1005 the site calls process.exit() 2:9']);
});

test('a package.json beside it that cannot be read is a problem of its own', async () => {
  const workspace = withWorkflow('', 'workflow.ts');
  workspace.write('package.json', '{ "type": ');
  const end = await simwright(workspace, 'check', 'workflow.ts', '--no-types');
  expect(end.exitCode).toBe(1);
  expect(end.stderr).toContain(
    `error[LOAD1002]: ${workspace.path('package.json')}, which says how the workflow is to be read`,
  );
});
