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
