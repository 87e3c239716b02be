import { expect, test } from 'vitest';
import { simwright } from '../helpers/simwright.js';
import { Workspace } from '../helpers/workspace.js';

/** A workflow that runs to its end, with a parameter that nothing uses, a file beside it that is not attached, and one copied and configured. */
function doubtful(): Workspace {
  const workspace = new Workspace();
  workspace.write('in.txt', ';A;\n');
  workspace.write('notes.txt', '\n');
  workspace.workflow(
    "experiment('doubts')\n  .model('m', command('cat', 'in.txt', '/dev/null').walltime('00:01:00'))\n    .params({ A: 1, UNUSED: 2 })\n    .attach({ copy: 'in.txt', configure: 'in.txt' })\n  .model('n', command('ls', './notes.txt').walltime('00:01:00'))\n    .after('m', 'failed')",
  );
  return workspace;
}

const codes = ['TMPL1002', 'FILE1010'];

test.each(['check', 'compile', 'preview', 'run'])(
  '%s tells warnings on stderr, and in the document with --json',
  async (command) => {
    const workspace = doubtful();
    const words = [command, 'workflow.ts', ...(command === 'check' ? ['--no-types'] : [])];
    const text = await simwright(workspace, ...words);
    expect([...text.stderr.matchAll(/^warning\[(\w+)\]/gm)].map(([, code]) => code)).toEqual(codes);
    expect(text.stderr).toContain('2 warnings');
    const json = await simwright(workspace, ...words, '--json');
    expect(json.stderr).not.toContain('warning');
    const { problems } = JSON.parse(json.stdout) as {
      readonly problems: readonly { readonly code: string; readonly severity: string }[];
    };
    expect(problems.map(({ code, severity }) => [code, severity])).toEqual(codes.map((code) => [code, 'warning']));
  },
);

test('preview notes how it understands a file that is copied and configured', async () => {
  const workspace = doubtful();
  const note = 'm: in.txt is to be copied and configured: members get it configured';
  expect((await simwright(workspace, 'preview', 'workflow.ts')).stdout).toContain(`\nnote: ${note}\n`);
  const { notes } = JSON.parse((await simwright(workspace, 'preview', 'workflow.ts', '--json')).stdout) as {
    readonly notes: readonly string[];
  };
  expect(notes).toEqual([note]);
});

test('an engine that is not here is told by the commands that compile, and a run here is refused before it starts', async () => {
  const workspace = new Workspace();
  workspace.workflow("experiment('e').orchestrator({ engine: 'data' }).model('m', command('true'))");
  // An empty folder instead of the user's: no engine is installed there.
  const place = { cwd: workspace.cwd, env: { XDG_DATA_HOME: workspace.path('none'), SIMWRIGHT_HOME: '' } };
  const checked = await simwright(place, 'check', 'workflow.ts', '--no-types', '--site', 'slurm', '--json');
  expect(JSON.parse(checked.stdout)).toMatchObject({
    ok: true,
    problems: [{ code: 'STORE1008', severity: 'warning', hint: expect.stringContaining('simwright engine install') }],
  });
  const compiled = await simwright(place, 'compile', 'workflow.ts', '--out', 'the out');
  expect(compiled.stdout).toContain("\nrun it: 'the out/submit.sh'\n");
  expect([compiled.exitCode, compiled.stderr]).toEqual([
    0,
    expect.stringMatching(
      /^warning\[STORE1008\]: store 'orchestrator' cannot run its engine 'data' on this machine .+\n/,
    ),
  ]);
  for (const words of [
    ['run', 'workflow.ts'],
    ['submit', 'the out'],
  ]) {
    const { exitCode, stderr } = await simwright(place, ...words);
    expect([exitCode, stderr]).toEqual([
      1,
      expect.stringContaining("error[RUN1040]: store 'orchestrator' cannot start: "),
    ]);
  }
  expect(workspace.has('e.simwright') || workspace.has('the out/run')).toBe(false);
});
