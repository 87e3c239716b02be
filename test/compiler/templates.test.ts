import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { renderTemplate } from '../../src/compiler/emit/render-template.js';
import { compileFile, root, targetNames } from './support/compile-fixture.js';

vi.mock('../../src/compiler/emit/render-template.js', async (original) => {
  const real = await original<typeof import('../../src/compiler/emit/render-template.js')>();
  return { renderTemplate: vi.fn(real.renderTemplate) };
});

const folder = join(root, 'templates');
const templates = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.njk'));

/** Names that a template takes from its context: nunjucks itself says nothing of those that are missing in `if` and `for`. */
function namesOf(template: string): Set<string> {
  const text = readFileSync(join(folder, template), 'utf8');
  const loops = [...text.matchAll(/{%-?\s*for\s+(\w+)\s+in\s+([\w.]+)/g)];
  const own = new Set([...loops.map(([, name]) => name), 'super']);
  const used = [
    ...loops.map(([, , list]) => list),
    ...[...text.matchAll(/{{-?\s*([\w.]+)/g)].map(([, name]) => name),
    ...[...text.matchAll(/{%-?\s*if\s+(?:not\s+)?([\w.]+)/g)].map(([, name]) => name),
  ].map((path) => path?.split('.')[0] ?? '');
  return new Set(used.filter((name) => !own.has(name)));
}

test('every target has its two templates', () => {
  expect(templates.filter((name) => name.includes('/')).sort()).toEqual(
    targetNames.flatMap((name) => [`${name}/job.sh.njk`, `${name}/submit.sh.njk`]).sort(),
  );
});

describe.each(targetNames)('%s', (target) => {
  test('templates use the names of their context, and each name of it is used by one of them', async () => {
    await compileFile(join(root, 'fixtures/workflows/parameters-step/workflow.ts'), target);
    for (const kind of ['job.sh.njk', 'submit.sh.njk']) {
      const call = vi.mocked(renderTemplate).mock.calls.find(([name]) => name === `${target}/${kind}`);
      const given = Object.keys(call?.[1] ?? {});
      const chain = [kind, `${target}/${kind}`].map(namesOf);
      for (const names of chain) expect([...names].filter((name) => !given.includes(name))).toEqual([]);
      const anywhere = new Set(
        [kind, ...targetNames.map((name) => `${name}/${kind}`)].flatMap((name) => [...namesOf(name)]),
      );
      expect(given.filter((name) => !anywhere.has(name))).toEqual([]);
    }
  });
});
