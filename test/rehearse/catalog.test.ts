import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { compile, type LoadedWorkflow, loadSite, loadWorkflow } from '../../src/compiler/index.js';
import { catalogSites } from '../../src/sites/catalog/index.js';
import { knownSites } from '../../src/sites/known.js';
import { root } from '../compiler/support/compile-fixture.js';
import { accountOn } from '../helpers/catalog.js';
import { found, rehearseWithStubs, states } from './support.js';

// A rehearsal waits as much as it computes.
vi.setConfig({ testTimeout: 180_000, maxConcurrency: 3 });

const fixtures = ['hello-mpi', 'mpi-with-gpus', 'colocated-uds', 'packed-members', 'producer-consumer'] as const;

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
    for (const fixture of fixtures) {
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
