import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { root, simwright } from '../helpers/simwright.js';
import { Workspace } from '../helpers/workspace.js';
import { smartredisPython } from '../runtime/orchestrator/support/python.js';

const page = readFileSync(join(root, 'docs/first-ensemble-in-python.md'), 'utf8');

/** Blocks of a kind, in the order of the page. */
const blocks = (kind: string): string[] =>
  [...page.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].flatMap(([, found, text = '']) => (found === kind ? [text] : []));

/** Files that the page shows: the first line of a block names one. */
const files = [...blocks('python'), ...blocks('typescript')].map((text) => ({
  name: /^(?:#|\/\/) (\S+)\n/.exec(text)?.[1] ?? '',
  text,
}));

const found = await smartredisPython();
const why = 'missing' in found ? ` (skipped: no smartredis: ${found.missing})` : '';

describe.skipIf('missing' in found)(`the first ensemble in Python${why}`, () => {
  test('does what its page says', { timeout: 540_000 }, async () => {
    const python = 'python' in found ? found.python : '';
    const workspace = new Workspace();
    const env = { PATH: `${dirname(python)}:${process.env['PATH']}`, SR_LOG_LEVEL: 'QUIET' };
    const place = { cwd: workspace.cwd, env };
    expect(files.map(({ name }) => name)).toEqual(['member.py', 'analyse.py', 'workflow.ts']);
    for (const { name, text } of files) workspace.write(name, text);
    expect(await simwright(place, 'check', 'workflow.ts')).toMatchObject({ exitCode: 0, stderr: '' });
    const [shown] = blocks('').filter((text) => text.startsWith('wave_0:'));
    const end = await simwright(place, 'run', 'workflow.ts');
    expect(end, end.stderr).toMatchObject({ exitCode: 0, stdout: shown });

    // A member that does not read its own keys: the rule's first row, and the warning that the page promises.
    workspace.write('workflow.ts', files.at(-1)?.text.replace(/\n.*each member reads its own keys/, '') ?? '');
    const failed = await simwright(place, 'run', 'workflow.ts', '--out', 'unread');
    expect(failed.exitCode).toBe(4);
    expect(workspace.read('unread/run/wave/wave_0/wave_0.err')).toContain('signal');

    const sites = await simwright(place, 'compile', 'workflow.ts', '--site', 'slurm', '--out', 'waves.cluster');
    expect(sites).toMatchObject({ exitCode: 0 });
    expect(workspace.has('waves.cluster/submit.sh')).toBe(true);
  });
});
