import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compileForTest } from 'simwright/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const pages = [
  'README.md',
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

/** Workflows shown in a page: blocks of TypeScript with a default export, and the line they start at. */
function workflowsOf(page: string): { page: string; line: number; source: string }[] {
  const text = readFileSync(join(root, page), 'utf8');
  return [...text.matchAll(/^```ts\n([\s\S]*?)^```$/gm)]
    .filter(([, source]) => source?.includes('export default'))
    .map((match) => ({ page, line: text.slice(0, match.index).split('\n').length + 1, source: match[1] ?? '' }));
}

const workflows = pages.flatMap(workflowsOf);

describe('workflows in the documentation', () => {
  let scratch: string;
  beforeAll(() => {
    // Inside the project, so that 'simwright' resolves to it.
    mkdirSync(join(root, '.cache'), { recursive: true });
    scratch = mkdtempSync(join(root, '.cache/docs-'));
    cpSync(join(root, 'examples/cavity'), scratch, { recursive: true });
  });
  afterAll(() => rmSync(scratch, { recursive: true, force: true }));

  it('exist', () => {
    expect(workflows.map(({ page }) => page)).toContain('README.md');
  });

  it.each(workflows)('$page:$line compiles for every target', async ({ source }) => {
    const file = join(scratch, 'documented.ts');
    writeFileSync(file, source);
    for (const site of ['local', 'slurm', 'pbs', 'lsf']) {
      const { files } = await compileForTest(file, site);
      expect([...files.keys()]).toContain('plan.json');
    }
  });
});

it('the flagship of the README is the flagship', () => {
  const plain = (source: string) =>
    source
      .replace(/\/\*\*[\s\S]*?\*\//g, '')
      .replace(/\s*\/\/.*$/gm, '')
      .replace(/\s+/g, ' ')
      .trim();
  const [shown] = workflowsOf('README.md');
  expect(plain(shown?.source ?? '')).toBe(plain(readFileSync(join(root, 'examples/cavity/workflow.ts'), 'utf8')));
});
