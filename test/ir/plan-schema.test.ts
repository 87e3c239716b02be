import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { planSchema } from '../../src/ir/index.js';

test('docs/plan.schema.json is that of plan.json (node --import tsx scripts/plan-schema.ts)', () => {
  expect(readFileSync(new URL('../../docs/plan.schema.json', import.meta.url), 'utf8')).toBe(planSchema());
});
