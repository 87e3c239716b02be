import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { schedulers } from '../../src/rehearse/schedulers/index.js';
import { compileFile, fixtures, targetNames } from '../compiler/support/compile-fixture.js';
import { found, rehearseWithStubs, states } from './support.js';

// A rehearsal waits as much as it computes.
vi.setConfig({ testTimeout: 180_000, maxConcurrency: 3 });

/** States of jobs that do not all complete, by fixture. */
const others: Readonly<Record<string, readonly RegExp[]>> = {
  // Nothing fails that would have to be repaired.
  'chained-jobs': [/^repair cancelled/],
  // A store of RedisAI, which is not there, is refused.
  'two-stores': [/^two-stores failed 1$/],
};

/** Fixtures that are rehearsed elsewhere or not at all: their scripts have no line that those of another one lack. */
const leftOut: Readonly<Record<string, string>> = {
  'large-array': 'a thousand scripts: job-array has the same lines',
  'ray-cluster': 'it needs Ray: test/slurm/ray runs its cluster',
  'sharded-store': 'it needs the module of Valkey: test/runtime/engine runs its stores',
  'wall-model': 'it needs PyTorch: test/examples runs it',
};

for (const target of targetNames.filter((name) => schedulers[name] !== undefined)) {
  describe(`rehearsed for ${target}`, { concurrent: true }, () => {
    for (const { name, folder } of fixtures) {
      const refused = existsSync(join(folder, 'expected', target, 'refused.txt'));
      if (refused || name in leftOut || !existsSync(join(folder, 'expected', target))) continue;
      test(name, async ({ onTestFinished }) => {
        const compiled = await compileFile(join(folder, 'workflow.ts'), target);
        const { record, logs } = await rehearseWithStubs(compiled, onTestFinished);
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
