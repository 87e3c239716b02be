import { existsSync, readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { commandNames } from '../../src/cli/command-table.js';
import { simwright } from '../helpers/simwright.js';
import { Workspace } from '../helpers/workspace.js';

function greeting(): Workspace {
  const workspace = new Workspace();
  workspace.write('greeting.txt', 'hello ;NAME;\n');
  workspace.workflow(`experiment('greeting')
  .ensemble('greet', command('cat', 'greeting.txt'))
    .params({ NAME: ['you', 'all'] })
    .attach({ configure: 'greeting.txt' })
    .batch({ nodes: 1, walltime: '00:30:00' })
  .model('last', command('true').tasks(2).nodes(2)).after('greet').batch({ nodes: 2, walltime: '01:00:00' })`);
  return workspace;
}

/** Control characters of a terminal. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const control = /[\u0000-\u0008\u000b-\u001f]/;

describe('usage', () => {
  test('--help on stdout names the commands and the exit codes', async () => {
    const end = await simwright(new Workspace(), '--help');
    expect(end).toMatchObject({ exitCode: 0, stderr: '' });
    for (const name of commandNames) expect(end.stdout).toMatch(new RegExp(`^  ${name} `, 'm'));
    expect(end.stdout).toContain(
      'Exit codes: 0 done, 1 the workflow has errors, 2 wrong usage, 3 the scheduler refused or did not answer, 4 the application failed, 70 ',
    );
    expect(end.stdout).not.toMatch(control);
  });

  test.each(commandNames)('%s --help', async (name) => {
    const end = await simwright(new Workspace(), name, '--help');
    expect(end).toMatchObject({ exitCode: 0, stderr: '' });
    expect(end.stdout).toMatch(new RegExp(`^Usage: simwright ${name} \\[options\\]`));
  });

  test('--version', async () => {
    expect(await simwright(new Workspace(), '--version')).toEqual({
      exitCode: 0,
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
      stderr: '',
    });
  });

  test.each([
    [[], 'Usage: simwright'],
    [['comple'], "error: unknown command 'comple'\n(Did you mean compile?)"],
    [['compile', 'workflow.ts', '--ot', 'x'], "error: unknown option '--ot'\n(Did you mean --out?)"],
    [['check'], "error: missing required argument 'workflow'"],
    [['check', 'a.ts', 'b.ts'], 'too many arguments'],
    [['compile', 'workflow.ts', '--out'], "option '--out <dir>' argument missing"],
  ])('wrong use ends with 2: %j', async (words, message) => {
    const end = await simwright(greeting(), ...words);
    expect(end).toMatchObject({ exitCode: 2, stdout: '' });
    expect(end.stderr).toContain(message);
  });
});

describe('check', () => {
  test('a workflow without errors', async () => {
    const workspace = greeting();
    const end = await simwright(workspace, 'check', 'workflow.ts', '--site', 'slurm');
    expect(end).toEqual({ exitCode: 0, stdout: 'workflow.ts is fine for site slurm\n', stderr: '' });
    expect(readdirSync(workspace.cwd).sort()).toEqual(['greeting.txt', 'node_modules', 'package.json', 'workflow.ts']);
  });

  test('--json is one document on stdout, of errors too', async () => {
    const workspace = greeting();
    const fine = await simwright(workspace, 'check', 'workflow.ts', '--json');
    expect(fine).toMatchObject({ exitCode: 0, stderr: '' });
    expect(JSON.parse(fine.stdout)).toEqual({ ok: true, experiment: 'greeting', site: 'local', problems: [] });

    workspace.workflow("experiment('greeting').model('a', command('true')).after('b' as 'a').attach({ copy: 'c' })");
    const bad = await simwright(workspace, 'check', 'workflow.ts', '--json');
    expect(bad).toMatchObject({ exitCode: 1, stderr: '' });
    const file = workspace.path('workflow.ts');
    expect(JSON.parse(bad.stdout)).toMatchObject({
      ok: false,
      problems: [
        { code: 'REF1001', severity: 'error', at: { file, line: 3, column: 67 } },
        { code: 'FILE1001', severity: 'error', at: { file, line: 3, column: 85 } },
      ],
    });
  });

  test('a warning is on stderr and does not fail; with --json it is in the document alone', async () => {
    const workspace = new Workspace();
    workspace.workflow("experiment('e').ensemble('a', command('true')).params({ UNUSED: [1, 2] })");
    const end = await simwright(workspace, 'check', 'workflow.ts');
    expect(end).toMatchObject({ exitCode: 0, stdout: 'workflow.ts is fine for site local\n' });
    expect(end.stderr).toContain("warning[TMPL1002]: nothing of 'a' uses the parameter UNUSED\n  --> workflow.ts:3:");
    const json = await simwright(workspace, 'check', 'workflow.ts', '--json');
    expect(json).toMatchObject({ exitCode: 0, stderr: '' });
    expect(JSON.parse(json.stdout)).toMatchObject({ ok: true, problems: [{ code: 'TMPL1002', severity: 'warning' }] });
  });

  test('an unknown site: what was meant', async () => {
    const end = await simwright(greeting(), 'check', 'workflow.ts', '--site', 'slrum');
    expect(end).toMatchObject({ exitCode: 1, stdout: '' });
    expect(end.stderr).toContain("error[SITE1001]: there is no site 'slrum'");
    expect(end.stderr).toContain("did you mean 'slurm'?");
  });

  test('a file that is not there, one that is no workflow', async () => {
    const workspace = greeting();
    const missing = await simwright(workspace, 'check', 'work.ts');
    expect(missing).toMatchObject({ exitCode: 1, stdout: '' });
    expect(missing.stderr).toContain(`error[LOAD1001]: there is no workflow file ${workspace.path('work.ts')}`);
    workspace.write('empty.ts', 'export default 42;\n');
    const empty = await simwright(workspace, 'check', 'empty.ts');
    expect(empty.exitCode).toBe(1);
    expect(empty.stderr).toContain('error[LOAD1004]: empty.ts has no experiment as its default export');
  });

  test('colours are for terminals, and NO_COLOR switches them off', async () => {
    const workspace = greeting();
    for (const env of [{}, { NO_COLOR: '1' }, { FORCE_COLOR: '0' }]) {
      const end = await simwright({ ...workspace, cwd: workspace.cwd, env }, 'check', 'absent.ts');
      expect(end.stderr).not.toMatch(control);
    }
  });
});

describe('compile', () => {
  test('writes the folder, names the scripts; --check compares and writes nothing', async () => {
    const workspace = greeting();
    const check = await simwright(workspace, 'compile', 'workflow.ts', '--site', 'slurm', '--check');
    expect(check).toMatchObject({ exitCode: 1, stdout: '' });
    expect(check.stderr).toContain('  added   jobs/greet.sbatch\n');
    expect(workspace.has('greeting.simwright')).toBe(false);

    const end = await simwright(workspace, 'compile', 'workflow.ts', '--site', 'slurm');
    expect(end).toEqual({
      exitCode: 0,
      stdout: `wrote ${workspace.path('greeting.simwright')}\n  jobs/greet.sbatch\n  jobs/last.sbatch\nsubmit it: greeting.simwright/submit.sh\n`,
      stderr: '',
    });
    for (const path of [
      'plan.json',
      'submit.sh',
      'jobs/greet.sbatch',
      'jobs/last.sbatch',
      'logs',
      'runtime/simwright.mjs',
    ]) {
      expect(existsSync(workspace.path('greeting.simwright', path)), path).toBe(true);
    }
    expect(workspace.has('greeting.simwright/run')).toBe(false);
    expect(readdirSync(workspace.cwd).filter((name) => name.includes('.part'))).toEqual([]);

    const fine = await simwright(workspace, 'compile', 'workflow.ts', '--site', 'slurm', '--check');
    expect(fine).toMatchObject({ exitCode: 0, stdout: `${workspace.path('greeting.simwright')} is up to date\n` });

    workspace.write('greeting.txt', 'good morning ;NAME;\n');
    const plan = workspace.read('greeting.simwright/plan.json');
    const stale = await simwright(workspace, 'compile', 'workflow.ts', '--site', 'slurm', '--check', '--json');
    expect(stale).toMatchObject({ exitCode: 1, stderr: '' });
    expect(JSON.parse(stale.stdout)).toMatchObject({
      ok: false,
      added: [expect.stringMatching(/^artifacts\/.*greeting\.txt$/)],
      changed: ['plan.json'],
      removed: [expect.stringMatching(/^artifacts\/.*greeting\.txt$/)],
    });
    expect(workspace.read('greeting.simwright/plan.json')).toBe(plan);
  });

  test('--json is one document and nothing else', async () => {
    const workspace = greeting();
    const end = await simwright(workspace, 'compile', 'workflow.ts', '--json', '--out', 'deep/er');
    expect(end).toMatchObject({ exitCode: 0, stderr: '' });
    const document = JSON.parse(end.stdout) as { files: string[] };
    expect(document).toMatchObject({
      ok: true,
      folder: workspace.path('deep/er'),
      experiment: 'greeting',
      site: 'local',
      problems: [],
    });
    expect(document.files).toContain('jobs/greet.sh');
    for (const path of document.files) expect(existsSync(workspace.path('deep/er', path)), path).toBe(true);
  });

  test('what was changed by hand stays, unless --force', async () => {
    const workspace = greeting();
    expect((await simwright(workspace, 'compile', 'workflow.ts')).exitCode).toBe(0);
    workspace.write('greeting.simwright/submit.sh', '# mine\n');
    const end = await simwright(workspace, 'compile', 'workflow.ts');
    expect(end).toMatchObject({ exitCode: 1, stdout: '' });
    expect(end.stderr).toContain('greeting.simwright/submit.sh was changed by hand since it was written');
    expect(end.stderr).toContain('hint: move it away, or use --force to overwrite it');
    expect(workspace.read('greeting.simwright/submit.sh')).toBe('# mine\n');
    expect((await simwright(workspace, 'compile', 'workflow.ts', '--force')).exitCode).toBe(0);
    expect(workspace.read('greeting.simwright/submit.sh')).toMatch(/^#!\/bin\/bash/);
  });

  test("somebody else's folder is not touched, not even with --force", async () => {
    const workspace = greeting();
    workspace.write('theirs/data.txt', 'precious');
    for (const words of [[], ['--force']]) {
      const end = await simwright(workspace, 'compile', 'workflow.ts', '--out', 'theirs', ...words);
      expect(end).toMatchObject({ exitCode: 1, stdout: '' });
      expect(end.stderr).toContain(
        `error[OUT1001]: ${workspace.path('theirs')} holds files that simwright did not write`,
      );
    }
    expect(readdirSync(workspace.path('theirs'))).toEqual(['data.txt']);
  });

  test('with an error nothing is written', async () => {
    const workspace = greeting();
    workspace.write('greeting.txt', 'hello ;NAME; of ;TOWN;\n');
    const end = await simwright(workspace, 'compile', 'workflow.ts');
    expect(end).toMatchObject({ exitCode: 1, stdout: '' });
    expect(end.stderr).toContain('error[TMPL1001]');
    expect(workspace.has('greeting.simwright')).toBe(false);
  });

  test('--with-onnxruntime puts the runtime for Linux into the folder', async () => {
    const workspace = greeting();
    const end = await simwright(workspace, 'compile', 'workflow.ts', '--with-onnxruntime', '--json');
    expect(end.exitCode).toBe(0);
    const { files } = JSON.parse(end.stdout) as { files: string[] };
    const natives = files.filter((path) => path.startsWith('runtime/node_modules/onnxruntime-node/bin/'));
    expect(natives.length).toBeGreaterThan(0);
    for (const path of natives) expect(path).toContain('/linux/x64/');
  });
});

describe('preview', () => {
  test('jobs with their cost, entities with their members', async () => {
    const end = await simwright(greeting(), 'preview', 'workflow.ts', '--site', 'slurm');
    expect(end).toEqual({
      exitCode: 0,
      stderr: '',
      stdout: `Experiment greeting on site slurm: at most 2.50 node-hours

JOB    NODES  WALLTIME  NODE-HOURS  TIMES  AFTER            RUNS
greet      1  00:30:00        0.50      1  -                greet
last       2  01:00:00        2.00      1  greet completed  last

ENTITY  KIND      MEMBERS  PARAMETERS    FILES         ENVIRONMENT  STORES  AFTER
greet   ensemble        2  NAME=you|all  greeting.txt  -            -       -
last    model           1  -             -             -            -       greet completed
`,
    });
  });

  test('--json', async () => {
    const end = await simwright(greeting(), 'preview', 'workflow.ts', '--site', 'slurm', '--json');
    expect(end).toMatchObject({ exitCode: 0, stderr: '' });
    expect(JSON.parse(end.stdout)).toMatchObject({
      experiment: 'greeting',
      jobs: [
        { name: 'greet', nodes: 1, walltimeSeconds: 1800, nodeHours: 0.5 },
        { name: 'last', nodes: 2, nodeHours: 2, after: [{ job: 'greet', event: 'completed' }] },
      ],
      entities: [
        { name: 'greet', members: 2, parameters: { NAME: ['you', 'all'] } },
        { name: 'last', members: 1 },
      ],
      stores: [],
    });
  });
});
