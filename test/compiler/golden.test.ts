import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { execaSync } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { emitFiles } from '../../src/compiler/emit/emit-files.js';
import { Plan } from '../../src/ir/index.js';
import { compileFile, fixtures, targetNames, textsOf } from './support/compile-fixture.js';
import { onPath } from './support/on-path.js';

let scratch: string;
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'simwright-golden-'));
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

describe.each(fixtures)('$name', ({ folder }) => {
  describe.each(targetNames)('%s', (target) => {
    const compiled = compileFile(join(folder, 'workflow.ts'), target);

    test('is what is expected, file by file', async () => {
      const texts = textsOf(await compiled);
      for (const [path, text] of texts) {
        await expect(text).toMatchFileSnapshot(join(folder, 'expected', target, path));
      }
      const expected = readdirSync(join(folder, 'expected', target), { recursive: true, withFileTypes: true });
      const names = expected.filter((entry) => entry.isFile()).map(({ name }) => name);
      expect(names.sort()).toEqual(texts.map(([path]) => basename(path)).sort());
    });

    test('is accepted by bash', async () => {
      for (const file of writeScripts(await compiled)) {
        expect(execaSync('bash', ['-n', file]).stderr).toBe('');
      }
    });

    test.skipIf(!onPath('shellcheck'))('is accepted by shellcheck (skipped where shellcheck is missing)', async () => {
      const files = writeScripts(await compiled);
      expect(execaSync('shellcheck', ['--norc', ...files], { reject: false }).stdout).toBe('');
    });

    test('is the same from a plan that was written and read', async () => {
      const { plan, script } = await compiled;
      const again: Plan = Plan.parse(JSON.parse(JSON.stringify(plan)));
      expect(textsOf({ files: emitFiles({ ...script, plan: again }, []) })).toEqual(textsOf(await compiled));
    });
  });
});

function writeScripts(compiled: Awaited<ReturnType<typeof compileFile>>): string[] {
  const folder = mkdtempSync(join(scratch, 'scripts-'));
  return textsOf(compiled)
    .filter(([path]) => path !== 'plan.json')
    .map(([path, text]) => {
      const file = join(folder, path.replaceAll('/', '_'));
      writeFileSync(file, text);
      return file;
    });
}
