import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { execa, execaSync } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { emitFiles } from '../../src/compiler/emit/emit-files.js';
import { renderProblems, WorkflowError } from '../../src/diagnostics/index.js';
import { readPlan } from '../../src/runtime/job/read-plan.js';
import { compileFile, fixtures, targetNames, textsOf } from './support/compile-fixture.js';
import { onPath } from './support/on-path.js';

/** Every script of every fixture, for the tests that look at all of them at once. */
let scratch: string;
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'simwright-golden-'));
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

describe.each(fixtures)('$name', ({ name, folder }) => {
  test.each(targetNames)(
    '%s: is what is expected, file by file, and its plan.json alone gives the same files',
    async (target) => {
      const texts = await textsFor(name, folder, target);
      for (const [path, text] of texts) {
        await expect(text).toMatchFileSnapshot(join(folder, 'expected', target, path));
        if (!/^(jobs\/|submit)/.test(path)) continue;
        const file = join(scratch, name, target, path);
        mkdirSync(dirname(file), { recursive: true });
        writeFileSync(file, text);
      }
      const known = new Set(texts.map(([path]) => path));
      expect(filesIn(join(folder, 'expected', target)).filter((path) => !known.has(path))).toEqual([]);
    },
  );
});

describe('every script of every fixture', () => {
  test('is accepted by bash', () => {
    const loop = 'for file; do bash -n "$file" || echo "$file"; done';
    expect(execaSync('bash', ['-c', loop, 'bash', ...scripts()], { all: true }).all).toBe('');
  });

  test.skipIf(!onPath('shellcheck'))(
    'is accepted by shellcheck (skipped where shellcheck is missing)',
    async () => {
      const said = await Promise.all(
        dealt(scripts(), availableParallelism()).map((files) =>
          execa('shellcheck', ['--norc', '--format=gcc', ...files], { reject: false, all: true }),
        ),
      );
      expect(said.map(({ all }) => all).join('')).toBe('');
    },
    // It takes 20 s of CPU, for which it may have to wait.
    900_000,
  );
});

/** Text files of a fixture, which are those of its plan.json as well; of one that is refused, what the user reads. */
async function textsFor(name: string, folder: string, target: string): Promise<[path: string, text: string][]> {
  try {
    const texts = textsOf(await compileFile(join(folder, 'workflow.ts'), target));
    const plan = join(scratch, name, target, 'plan.json');
    mkdirSync(dirname(plan), { recursive: true });
    writeFileSync(plan, new Map(texts).get('plan.json') ?? '');
    expect(textsOf({ files: emitFiles(readPlan(dirname(plan)), []) })).toEqual(texts);
    return texts;
  } catch (error) {
    if (!(error instanceof WorkflowError)) throw error;
    return [['refused.txt', `${renderProblems(error.problems, { cwd: folder, colour: false })}\n`]];
  }
}

function scripts(): string[] {
  const found = filesIn(scratch)
    .filter((path) => !path.endsWith('plan.json'))
    .map((path) => join(scratch, path));
  expect(found.length).toBeGreaterThan(200);
  return found;
}

/** The list in so many hands, as even as can be. */
function dealt(list: readonly string[], hands: number): string[][] {
  return Array.from({ length: hands }, (_, hand) => list.filter((_, at) => at % hands === hand));
}

/** Paths of a folder's files, sorted. */
function filesIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort();
}
