import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root, simwright } from '../helpers/simwright.js';
import { Workspace } from '../helpers/workspace.js';

/** Blocks of a page by their kinds, in their order. */
function blocksOf(page: string, kind: string): string[] {
  const text = readFileSync(join(root, 'docs', page), 'utf8');
  return [...text.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].flatMap(([, found, block = '']) =>
    found === kind ? [block] : [],
  );
}

test('the walk to Frontier compiles to the script that it shows', async () => {
  const workspace = new Workspace();
  for (const text of [...blocksOf('first-ensemble-in-python.md', 'python')]) {
    workspace.write(/^# (\S+)\n/.exec(text)?.[1] ?? '', text);
  }
  const [workflow = ''] = blocksOf('first-ensemble-in-python.md', 'typescript');
  const [site = ''] = blocksOf('frontier.md', 'ts');
  const [start = ''] = blocksOf('frontier.md', 'typescript');
  workspace.write('workflow.ts', workflow.replace("export default experiment('waves')\n", start));
  workspace.write('frontier-abc123.ts', site);
  const out = ['--out', 'waves.frontier', '--site', 'frontier-abc123.ts'];
  const end = await simwright({ cwd: workspace.cwd }, 'compile', 'workflow.ts', ...out);
  expect(end, end.stderr).toMatchObject({ exitCode: 0, stderr: '' });
  const script = workspace.read('waves.frontier/jobs/waves.sbatch');
  const [shown = ''] = blocksOf('frontier.md', '');
  expect(script).toContain(shown);
  expect(script).toContain('module load miniforge3/23.11.0-0\n');
  expect(script).toContain('/ccs/proj/abc123/simwright/0.1.0/bin/node runtime/simwright.mjs');
});
