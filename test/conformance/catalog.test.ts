import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execaSync } from 'execa';
import { command, type ExtendingSite, experiment, type SiteInput, WorkflowError } from 'simwright';
import * as simwrightSites from 'simwright/sites';
import { compileForTest } from 'simwright/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { siteFields } from '../../src/cli/site/site-fields.js';
import { compile, type LoadedWorkflow, loadLayeredSite, loadSite, loadWorkflow } from '../../src/compiler/index.js';
import { renderProblems } from '../../src/diagnostics/index.js';
import { catalogSites } from '../../src/sites/catalog/index.js';
import { knownSites } from '../../src/sites/known.js';
import { textsOf } from '../compiler/support/compile-fixture.js';
import { onPath } from '../compiler/support/on-path.js';
import { accountOn, accounts, catalogFixtures } from '../helpers/catalog.js';
import { root } from '../helpers/simwright.js';

const names = catalogSites.map(({ name }) => name);

describe.each(catalogSites.map((site) => [site.name, site] as const))('%s', (name, site) => {
  test('has a source for each field that it sets, and sets each field that it has a source for', async () => {
    const fields = siteFields(await loadLayeredSite(name, knownSites)).filter(({ from }) => from === 'own');
    const without = fields.filter(({ fact }) => fact === undefined).map(({ field }) => field);
    expect(without).toEqual(['name']);
    const used = new Set(fields.map(({ fact }) => fact?.at));
    const { facts = {}, pages = {} } = site.sources ?? {};
    expect(Object.keys(facts).filter((field) => !used.has(field))).toEqual([]);
    const named = new Set(Object.values(facts).map(({ page }) => page));
    expect(Object.keys(pages).filter((page) => !named.has(page))).toEqual([]);
  });

  test('says what it is, what it leaves open, and where its text can be read', () => {
    const { about, open = [], pages = {} } = site.sources ?? {};
    expect(about?.toLowerCase()).toContain(name);
    expect(open.length).toBeGreaterThan(2);
    for (const { url } of Object.values(pages)) expect(url).toMatch(/^https:\/\//);
  });

  test('is exported by its name', () => {
    expect((simwrightSites as unknown as Record<string, SiteInput>)[name]).toBe(site);
  });
});

test('each machine is in the list of this test', () => {
  expect(Object.keys(accounts)).toEqual(names);
});

let scratch: string;
const scripts: string[] = [];
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'simwright-catalog-'));
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** Lines that depend on the site: all but those of the script's functions, which each script has. */
function ofSite(script: string): string {
  return script.replace(/\n# An older Node\.js could not[\s\S]*?\n(?=trap '[^\n]*runtime down)/, '\n…\n');
}

/** Workflows by their fixtures: reading one takes longer than compiling it. */
const workflows = new Map<string, Promise<LoadedWorkflow>>();

async function textsFor(fixture: string, name: string): Promise<string> {
  const workflow = workflows.get(fixture) ?? loadWorkflow(join(root, 'fixtures/workflows', fixture, 'workflow.ts'));
  workflows.set(fixture, workflow);
  try {
    const site = await loadSite(accountOn(name, fixture === 'mpi-with-gpus'), knownSites);
    const { files, warnings } = compile({ ...(await workflow), version: 'x.y.z' }, site);
    const jobs = textsOf({ files }).filter(([path]) => path.startsWith('jobs/'));
    mkdirSync(join(scratch, name, fixture), { recursive: true });
    for (const [index, [, text]] of jobs.entries()) {
      const script = join(scratch, name, fixture, `${index}.sh`);
      writeFileSync(script, text);
      scripts.push(script);
    }
    return [
      ...jobs.map(([path, text]) => `${path}\n${ofSite(text)}`),
      ...warnings.map(({ code, message }) => `${code} ${message}\n`),
    ].join('\n');
  } catch (error) {
    if (!(error instanceof WorkflowError)) throw error;
    return `${renderProblems(error.problems, { cwd: root, colour: false })}\n`;
  }
}

describe.each(names)('scripts for %s', (name) => {
  test.each(catalogFixtures)('%s: as they have been read beside the pages', async (fixture) => {
    const text = await textsFor(fixture, name);
    await expect(text).toMatchFileSnapshot(join(root, 'test/conformance/catalog', name, `${fixture}.txt`));
  });
});

test('five fixtures or more compile for each machine; those are refused that want what it does not have', () => {
  const count = (name: string) => scripts.filter((path) => path.includes(`/${name}/`)).length;
  expect(Object.fromEntries(names.map((name) => [name, count(name)]))).toEqual({
    ...Object.fromEntries(names.map((name) => [name, 7])),
    // It has neither GPUs nor a queue 'debug'.
    archer2: 5,
    // Small jobs may not take as long as one does.
    frontier: 6,
    summit: 6,
  });
});

test.skipIf(!onPath('shellcheck'))('shellcheck accepts them all (skipped where shellcheck is missing)', () => {
  expect(execaSync('shellcheck', ['--norc', '--format=gcc', ...scripts], { reject: false, all: true }).all).toBe('');
});

const hello = (tasks = 2) => experiment('hello').model('hello', command('/bin/hostname').tasks(tasks).nodes(2));

/** The problems of a workflow for a site, as the user reads them. */
async function problemsOf(workflow: Parameters<typeof compileForTest>[0], site: string | ExtendingSite) {
  const error = await compileForTest(workflow, site).then(
    () => undefined,
    (one: WorkflowError) => one,
  );
  return error?.problems.map(({ code, message, hint }) => `${code} ${message} | ${hint}`) ?? [];
}

describe('what a machine leaves to its users', () => {
  test('is an error that says so', async () => {
    expect(await problemsOf(hello(), 'lumi')).toEqual([
      "QUEUE1003 job 'hello' names no account, no queue, and site 'lumi' takes none without | .batch({ account: '…', queue: '…' }), or defaults of a site that extends it",
    ]);
    expect(await problemsOf(hello(), 'perlmutter')).toEqual([
      "QUEUE1003 job 'hello' names no qos, no constraint, and site 'perlmutter' takes none without | .batch({ qos: '…', constraint: '…' }), or defaults of a site that extends it",
    ]);
    const polaris = await problemsOf(hello(), 'polaris');
    expect(polaris.join()).toContain('names no account, no walltime');
  });

  test('comes from a site of their own, by name or by import', async () => {
    const byImport: ExtendingSite = { extends: simwrightSites.frontier, defaults: { account: 'abc123' } };
    for (const site of [accountOn('frontier'), byImport]) {
      const { files } = await compileForTest(hello(), site);
      expect(files.get('jobs/hello.sbatch')).toContain('#SBATCH --account=abc123\n');
    }
  });

  test('stays without a reason, since the pages do not say it', async () => {
    const fields = siteFields(await loadLayeredSite({ ...accountOn('frontier'), node: { cores: 64 } }, knownSites));
    const field = (name: string) => fields.find((one) => one.field === name);
    expect(field('defaults.account')?.fact).toBeUndefined();
    expect(field('node.cores')).toMatchObject({ value: 64, from: 'own' });
    expect(field('node.cores')?.fact).toBeUndefined();
    expect(field('node.gpus')).toMatchObject({ from: "extends site 'frontier'", fact: { page: 'guide' } });
  });
});

describe('limits of machines', () => {
  const job = (nodes: number, walltime: string, queue?: string) =>
    experiment('big')
      .batch({ nodes, walltime, account: 'abc123', ...(queue === undefined ? {} : { queue }) })
      .model('solver', command('solver').tasks(nodes).nodes(nodes));

  test.each([
    ['frontier', 92, '02:00:01', 'extended'],
    ['frontier', 184, '12:00:00', undefined],
    ['aurora', 256, '12:00:00', undefined],
    ['polaris', 24, '03:00:00', undefined],
    ['summit', 46, '06:00:00', undefined],
    ['archer2', 64, '95:00:00', 'long'],
    ['lumi', 1024, '48:00:00', 'standard-g'],
    ['derecho', 2488, '12:00:00', undefined],
  ] as const)('%s: %i nodes for %s', async (name, nodes, walltime, queue) => {
    const allowed = await problemsOf(job(nodes, walltime, queue), name);
    const over = await problemsOf(job(nodes, '169:00:00', queue), name);
    expect(allowed.filter((one) => !one.includes("queue 'extended'"))).toEqual([]);
    expect(over.join()).toContain('QUEUE1001');
  });

  test('polaris says where jobs go that are too long or too small for their queue', async () => {
    expect(await problemsOf(job(2, '00:30:00', 'prod'), 'polaris')).toEqual([
      "QUEUE1001 job 'big' asks for 2 nodes for 00:30:00, and queue 'prod' takes 10 to 496 nodes | these take it: debug (1.00 node-hours charged), debug-scaling (1.00 node-hours charged), preemptable (1.00 node-hours charged), capacity (1.00 node-hours charged)",
    ]);
  });
});

describe("a wrapper for launches whose tasks have a GPU each: aurora's", () => {
  const solver = (gpus: { perTask?: number; perNode?: number }) => {
    const tasks = command('solver').tasks(12).nodes(2);
    return gpus.perTask === undefined ? tasks.gpusPerNode(gpus.perNode ?? 6) : tasks.gpusPerTask(gpus.perTask);
  };
  const lineOf = async (workflow: Parameters<typeof compileForTest>[0], site = accountOn('aurora')) => {
    const { files } = await compileForTest(workflow, site);
    const script = [...files].find(([path]) => path.startsWith('jobs/'))?.[1] ?? '';
    return script
      .replace(/\\\n +/g, '')
      .split('\n')
      .filter((line) => line.startsWith('runtime launch'));
  };

  test('stands before a program whose tasks have one each', async () => {
    const [line] = await lineOf(experiment('e').model('m', solver({ perTask: 1 })));
    expect(line).toContain('--cpu-bind depth gpu_dev_compact.sh solver');
    const colocated = experiment('e')
      .model('m', solver({ perTask: 1 }))
      .colocate({ uds: true });
    expect((await lineOf(colocated))[0]).toContain('gpu_dev_compact.sh solver');
  });

  test('is not there where it would take GPUs away from a task, or give two programs the same', async () => {
    expect((await lineOf(experiment('e').model('m', solver({ perNode: 6 }))))[0]).not.toContain('compact');
    const pair = command('solver').tasks(2).gpusPerTask(1);
    const members = experiment('e')
      .ensemble('m', pair)
      .params({ X: [1, 2, 3] });
    expect((await lineOf(members))[0]).not.toContain('compact');
    const both = experiment('e').model('a', pair).model('b', pair).sharesNodesWith('a');
    const lines = await lineOf(both);
    expect(lines).toHaveLength(2);
    for (const line of lines) expect(line).not.toContain('compact');
  });
});

test('a reason that names a page that is not there is refused', async () => {
  const site: SiteInput = {
    name: 'ours',
    target: 'local',
    node: { cores: 8 },
    sources: { read: '2026-11-29', pages: {}, facts: { 'node.cores': { page: 'wiki', says: 'eight' } } },
  };
  await expect(loadSite(site, knownSites)).rejects.toThrow("sources.facts.node.cores.page: pages has no 'wiki'");
});
