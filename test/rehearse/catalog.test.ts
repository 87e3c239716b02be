import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { type Compiled, compile, type LoadedWorkflow, loadSite, loadWorkflow } from '../../src/compiler/index.js';
import { WorkflowError } from '../../src/diagnostics/index.js';
import { catalogSites } from '../../src/sites/catalog/index.js';
import { knownSites } from '../../src/sites/known.js';
import { fixtures, root } from '../compiler/support/compile-fixture.js';
import { accountOn } from '../helpers/catalog.js';
import { engineVariables, lacksOf, leftOut, others, shorten } from './rehearsed-fixtures.js';
import { found, rehearseWithStubs, states } from './support.js';

// A rehearsal waits as much as it computes.
vi.setConfig({ testTimeout: 180_000, maxConcurrency: 3 });

const rehearsedOnAll = ['hello-mpi', 'mpi-with-gpus', 'colocated-uds', 'packed-members', 'producer-consumer'] as const;

/** Workflows that a machine refuses, with a part of the reason: golden files of the catalogue's tests have the whole text. */
const refused: Readonly<Record<string, string>> = {
  'archer2 mpi-with-gpus': "'lattice' needs 4 GPUs a node, and site 'archer2' has 0",
  // Its queue `debug` is none of the machine's.
  'archer2 packed-members': "job 'sweep' names no qos",
};

/** Workflows by their fixtures: reading one takes longer than compiling it. */
const workflows = new Map<string, Promise<LoadedWorkflow>>();

for (const { name } of catalogSites) {
  describe(`rehearsed for an account on ${name}`, { concurrent: true }, () => {
    for (const fixture of rehearsedOnAll) {
      test(fixture, async (context) => {
        const workflow =
          workflows.get(fixture) ?? loadWorkflow(join(root, 'fixtures/workflows', fixture, 'workflow.ts'));
        workflows.set(fixture, workflow);
        const site = await loadSite(accountOn(name, fixture === 'mpi-with-gpus'), knownSites);
        const loaded = await workflow;
        const reason = refused[`${name} ${fixture}`];
        if (reason !== undefined) {
          expect(() => compile({ ...loaded, version: 'x.y.z' }, site)).toThrow(reason);
          return;
        }
        const { record, logs } = await rehearseWithStubs(compile({ ...loaded, version: 'x.y.z' }, site), context);
        const bad = states(record).filter((state) => !/ completed 0$/.test(state));
        expect([found(record), bad], bad.length > 0 || record.findings.length > 0 ? logs() : '').toEqual([[], []]);
      });
    }
  });
}

/** Fixtures that no machine takes, since they name launchers, hosts or queues of other sites. */
const takenByNone: readonly string[] = [];

const engine = await engineVariables();

/** The fixture for an account on a machine; undefined where the machine refuses it. */
async function compiledFor(fixture: string, folder: string, machine: string): Promise<Compiled | undefined> {
  const loaded = await loadWorkflow(join(folder, 'workflow.ts'));
  const site = await loadSite(accountOn(machine), knownSites);
  try {
    const [workflow, own] = shorten(fixture, loaded, site);
    return compile({ ...workflow, version: 'x.y.z' }, own);
  } catch (error) {
    if (error instanceof WorkflowError) return undefined;
    throw error;
  }
}

// Each other fixture on one of the machines that take it; `SIMWRIGHT_TEST_REHEARSE=all` rehearses it on all of them.
describe('rehearsed for an account on a machine that takes it', { concurrent: true }, () => {
  const rest = fixtures.filter(
    ({ name }) => !(rehearsedOnAll as readonly string[]).includes(name) && !(name in leftOut),
  );
  for (const [index, { name, folder }] of rest.entries()) {
    const lacks = lacksOf(name);
    test.skipIf(lacks !== '')(`${name}${lacks === '' ? '' : ` (skipped: ${lacks})`}`, async (context) => {
      const machines = catalogSites.map((_, place) => catalogSites[(index + place) % catalogSites.length]?.name ?? '');
      const most = process.env['SIMWRIGHT_TEST_REHEARSE'] === 'all' ? machines.length : 1;
      const rehearsed: string[] = [];
      for (const machine of machines) {
        if (rehearsed.length === most) break;
        const compiled = await compiledFor(name, folder, machine);
        if (compiled === undefined) continue;
        rehearsed.push(machine);
        const { record, logs } = await rehearseWithStubs(compiled, context, engine);
        const bad = states(record).filter(
          (state) => !/ completed 0$/.test(state) && !others[name]?.some((one) => one.test(state)),
        );
        const why = bad.length > 0 || record.findings.length > 0 ? logs() : '';
        expect([machine, found(record), bad], why).toEqual([machine, [], []]);
      }
      if (most > 1) console.log(`${name}: ${rehearsed.join(' ')}`);
      expect(rehearsed.length === 0).toBe(takenByNone.includes(name));
    });
  }
});
