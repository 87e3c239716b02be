import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { simwright } from '../helpers/simwright.js';
import { Workspace } from '../helpers/workspace.js';

const secret = "s3cr\nt 'of' $HOME,a=b";

/** Paths and contents of every file below a folder. */
function everythingIn(folder: string): string {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return entry.isFile() ? `${path}\n${readFileSync(path, 'latin1')}` : path;
    })
    .join('\n');
}

/** Fails unless its secret is the one in `expected`, and no process of the machine has it among its arguments. */
const application = `
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
const sha256 = createHash('sha256').update(process.env.PASS ?? '').digest('hex');
const arguments_ = readdirSync('/proc').flatMap((pid) => {
  try { return /^\\d+$/.test(pid) ? [readFileSync('/proc/' + pid + '/cmdline', 'latin1')] : []; } catch { return []; }
});
writeFileSync('saw.json', JSON.stringify({ sha256, seen: arguments_.some((one) => one.includes(process.env.PASS)) }));
`;

function workspaceOf(batch: string): Workspace {
  const workspace = new Workspace();
  workspace.write('app.mjs', application);
  workspace.write(
    'workflow.ts',
    `import { command, experiment, fromEnvironment } from 'simwright';
const app = command('node', 'app.mjs').env({ PASS: fromEnvironment('TEST_PASS') });
export default experiment('e')
  .ensemble('packed', app).params({ N: Array.from({ length: 10 }, (_, n) => n) }, { asArgs: ['N'] }).attach({ copy: 'app.mjs' })
  .ensemble('own', app).params({ N: [1, 2] }, { asArgs: ['N'] }).attach({ copy: 'app.mjs' })${batch}
  .ensemble('added', app).addModel('plain', app, { params: {} }).addModel('other', command('node', 'app.mjs').env({ PASS: fromEnvironment('TEST_OTHER') }), { params: {} })
    .attach({ copy: 'app.mjs' });
`,
  );
  return workspace;
}

const env = { TEST_PASS: secret, TEST_OTHER: secret };

describe('a variable of the submitter', () => {
  test.each(['', ".batch({ mode: 'separate', walltime: '00:05:00' })"])(
    'reaches applications, and no file or argument%s',
    async (batch) => {
      const workspace = workspaceOf(batch);
      const end = await simwright({ ...workspace, cwd: workspace.cwd, env }, 'run', 'workflow.ts', '--out', 'out');
      expect(end).toMatchObject({ exitCode: 0 });
      const saw = ['packed/packed_0', 'packed/packed_9', 'own/own_1', 'added/added_0', 'added/added_1'].map((member) =>
        JSON.parse(workspace.read('out/run', member, 'saw.json')),
      );
      const sha256 = createHash('sha256').update(secret).digest('hex');
      expect(saw).toEqual(saw.map(() => ({ sha256, seen: false })));
      const everything = everythingIn(workspace.path('out'));
      expect(everything).not.toContain(secret);
      expect(everything).not.toContain('s3cr');
      expect(workspace.read('out/plan.json')).toContain('"fromEnvironment": "TEST_PASS"');
    },
  );

  test('is an error where it is not set: of run, submit and submit.sh before anything starts, and of a job', async () => {
    const workspace = workspaceOf('');
    const compiled = await simwright(workspace, 'compile', 'workflow.ts', '--out', 'out');
    expect(compiled).toMatchObject({ exitCode: 0, stderr: '' });
    const place = { cwd: workspace.cwd, env: { TEST_OTHER: '' } };
    const message = 'error[RUN1030]: TEST_PASS is not set, and .env() takes it from the environment of this command';
    for (const words of [
      ['run', 'workflow.ts', '--out', 'out'],
      ['submit', 'out'],
    ]) {
      const end = await simwright(place, ...words);
      expect(end.exitCode).toBe(2);
      expect(end.stderr).toContain(message);
    }
    const script = await execa('bash', [workspace.path('out/submit.sh')], { reject: false, env: { TEST_OTHER: '' } });
    expect(script).toMatchObject({
      exitCode: 2,
      stdout: '',
      stderr: 'submit.sh: TEST_PASS is not set: export it first',
    });
    expect(workspace.has('out/run')).toBe(false);
    const job = await execa('bash', ['jobs/e.sh'], { cwd: workspace.path('out'), reject: false });
    expect(job.exitCode).toBe(1);
    expect(job.stderr).toContain(
      "error[RUN1030]: TEST_OTHER, TEST_PASS are not set in job 'e', and .env() takes them from the submitter's environment",
    );
    expect(workspace.has('out/run/packed')).toBe(false);
  });

  test('shows in preview by its name', async () => {
    const workspace = workspaceOf('');
    const { stdout } = await simwright({ cwd: workspace.cwd, env }, 'preview', 'workflow.ts');
    expect(stdout).toContain('PASS=$TEST_PASS');
  });

  test('is refused where only arguments could hand it on, and where it is none', async () => {
    const workspace = workspaceOf('');
    const cobalt = await simwright(workspace, 'check', 'workflow.ts', '--site', 'cobalt');
    expect(cobalt.exitCode).toBe(1);
    expect(cobalt.stderr).toContain('PLAN1002');
    expect(cobalt.stderr).toContain('cobalt shows the variables of a submission');
    workspace.write(
      'workflow.ts',
      `import { command, experiment, fromEnvironment } from 'simwright';
export default experiment('e').model('m', command('true').env({ A: fromEnvironment('A B'), C: \`x\${fromEnvironment('D')}\` }));`,
    );
    const whole = await simwright(workspace, 'check', 'workflow.ts', '--no-types');
    expect(whole.stderr).toContain("fromEnvironment('D') stands for a whole variable");
    workspace.write(
      'workflow.ts',
      `import { command, experiment, fromEnvironment } from 'simwright';
export default experiment('e').model('m', command('true').env({ A: fromEnvironment('A B') }));`,
    );
    const odd = await simwright(workspace, 'check', 'workflow.ts', '--no-types');
    expect(odd.stderr).toContain("error[DSL1002]: .env(): fromEnvironment() cannot take 'A B'");
  });
});
