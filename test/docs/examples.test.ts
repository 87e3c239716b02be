import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineSite } from 'simwright';
import { compileForTest } from 'simwright/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkTypes } from '../../src/cli/check-types.js';
import { TargetName } from '../../src/ir/index.js';
import { chosenNames } from '../targets/support.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const pages = [
  'README.md',
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

const everySite: readonly TargetName[] = TargetName.options;

interface Shown {
  readonly page: string;
  readonly line: number;
  /** Those after `for=` where the block starts, else those that do most. */
  readonly sites: readonly TargetName[];
  readonly source: string;
}

/** Modules shown in a page: blocks of TypeScript with a default export, and the line they start at. */
function modulesOf(page: string): Shown[] {
  const text = readFileSync(join(root, page), 'utf8');
  return [...text.matchAll(/^```ts(?: for=(\S+))?\n([\s\S]*?)^```$/gm)]
    .filter(([, , source]) => source?.includes('export default'))
    .map((match) => ({
      page,
      line: text.slice(0, match.index).split('\n').length + 1,
      sites: (match[1]?.split(',') as TargetName[] | undefined) ?? everySite,
      source: match[2] ?? '',
    }));
}

const isSite = ({ source }: Shown) => source.includes('export default defineSite(');
const workflowsOf = (page: string) => modulesOf(page).filter((shown) => !isSite(shown));
const workflows = pages.flatMap(workflowsOf);
const sites = pages.flatMap(modulesOf).filter(isSite);

describe('workflows in the documentation', () => {
  let scratch: string;
  beforeAll(() => {
    // Inside the project, so that 'simwright' resolves to it.
    mkdirSync(join(root, '.cache'), { recursive: true });
    scratch = mkdtempSync(join(root, '.cache/docs-'));
    cpSync(join(root, 'examples/cavity'), scratch, { recursive: true });
    cpSync(join(root, 'test/model-files/models/frozen.pb'), join(scratch, 'classifier.pb'));
  });
  afterAll(() => rmSync(scratch, { recursive: true, force: true }));

  it('exist', () => {
    expect(workflows.map(({ page }) => page)).toContain('README.md');
  });

  it.each(workflows)('$page:$line compiles for $sites', async ({ source, sites: shownFor, line }) => {
    const file = join(scratch, `documented-${line}.ts`);
    writeFileSync(file, source);
    for (const site of shownFor) {
      // The one scheduler that takes no job without a walltime.
      const defaults = { walltime: '01:00:00' };
      const chosen = site === 'cobalt' ? { defaults } : chosenNames[site];
      const at = chosen === undefined ? site : defineSite({ name: site, target: site, ...chosen });
      const { files } = await compileForTest(file, at);
      expect([...files.keys()]).toContain('plan.json');
    }
  });
});

it('types hold in everything that is shown', async () => {
  mkdirSync(join(root, '.cache'), { recursive: true });
  const scratch = mkdtempSync(join(root, '.cache/docs-'));
  try {
    const files = [...workflows, ...sites].map(({ page, line, source }) => {
      const file = join(scratch, `${basename(page, '.md')}-${line}.ts`);
      writeFileSync(file, source);
      return file;
    });
    const [first = '', ...others] = files;
    const problems = await checkTypes(first, ...others);
    expect(problems.map(({ message, at }) => `${at?.file}:${at?.line}: ${message}`)).toEqual([]);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
});

describe.runIf(sites.length > 0)('sites in the documentation', () => {
  it.each(sites)('$page:$line is one that workflows compile for', async ({ source, line }) => {
    mkdirSync(join(root, '.cache'), { recursive: true });
    const scratch = mkdtempSync(join(root, '.cache/docs-'));
    try {
      const file = join(scratch, `site-${line}.ts`);
      writeFileSync(file, source);
      const { files } = await compileForTest(join(root, 'examples/cavity/workflow.ts'), file);
      expect([...files.keys()]).toContain('plan.json');
    } finally {
      rmSync(scratch, { recursive: true, force: true });
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
