import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { schedulers } from '../../src/rehearse/schedulers/index.js';
import { compileFile, fixtures, targetNames } from '../compiler/support/compile-fixture.js';
import { engineVariables, lacksOf, leftOut, others, shorten } from './rehearsed-fixtures.js';
import { found, rehearseWithStubs, states } from './support.js';

// A rehearsal waits as much as it computes.
vi.setConfig({ testTimeout: 180_000, maxConcurrency: 3 });

const engine = await engineVariables();

for (const target of targetNames.filter((name) => schedulers[name] !== undefined)) {
  describe(`rehearsed for ${target}`, { concurrent: true }, () => {
    for (const { name, folder } of fixtures) {
      const refused = existsSync(join(folder, 'expected', target, 'refused.txt'));
      if (refused || name in leftOut || !existsSync(join(folder, 'expected', target))) continue;
      const lacks = lacksOf(name);
      test.skipIf(lacks !== '')(`${name}${lacks === '' ? '' : ` (skipped: ${lacks})`}`, async (context) => {
        const compiled = await compileFile(join(folder, 'workflow.ts'), target, (...both) => shorten(name, ...both));
        const { record, logs } = await rehearseWithStubs(compiled, context, engine);
        const bad = states(record).filter(
          (state) => !/ completed 0$/.test(state) && !others[name]?.some((one) => one.test(state)),
        );
        expect([found(record), bad], bad.length > 0 || record.findings.length > 0 ? logs() : '').toEqual([[], []]);
      });
    }
  });
}

test('every target with a scheduler has a stand-in', () => {
  expect(targetNames.filter((name) => schedulers[name] === undefined)).toEqual(['local']);
});
