import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { command, experiment } from 'simwright';
import { compileForTest } from 'simwright/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadSite } from '../../src/compiler/index.js';
import { siteFields } from '../../src/ir/index.js';
import { builtInSites } from '../../src/sites/built-in.js';
import { knownSites } from '../../src/sites/known.js';
import { targets } from '../../src/targets/registry.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const small = experiment('small').model('hello', command('/bin/hostname').tasks(8).nodes(2).gpusPerNode(2));

/** Lines of the small workflow's one job script. */
async function scriptFor(site: string): Promise<string[]> {
  const { files } = await compileForTest(small, site);
  const path = [...files.keys()].find((name) => name.startsWith('jobs/')) ?? '';
  return (files.get(path) ?? '').split('\n');
}

describe('built-in sites', () => {
  it('are one for every target', () => {
    expect(builtInSites.map(({ name }) => name).sort()).toEqual(Object.keys(targets).sort());
  });
});

describe('sites in the documentation', () => {
  const text = readFileSync(join(root, 'docs/sites.md'), 'utf8');
  const blocks = [...text.matchAll(/^```(ts|json)\n([\s\S]*?)^```$/gm)].map((match) => ({
    line: text.slice(0, match.index).split('\n').length + 1,
    kind: match[1] ?? '',
    source: match[2] ?? '',
  }));
  let scratch: string;
  beforeAll(() => {
    // Inside the project, so that 'simwright' resolves to it.
    mkdirSync(join(root, '.cache'), { recursive: true });
    scratch = mkdtempSync(join(root, '.cache/sites-'));
  });
  afterAll(() => rmSync(scratch, { recursive: true, force: true }));

  it('are there', () => {
    expect(blocks.length).toBeGreaterThanOrEqual(6);
  });
  it.each(blocks)('line $line ($kind) is a site, and a workflow compiles for it', async ({ line, kind, source }) => {
    const file = join(scratch, `site-${line}.${kind}`);
    writeFileSync(file, source);
    const site = await loadSite(file, knownSites);
    expect(site.name).not.toBe('');
    expect((await scriptFor(file)).length).toBeGreaterThan(20);
  });
  it('name every field of a site', () => {
    for (const field of siteFields) {
      expect(text).toContain(`\`${field}`);
    }
  });
});
