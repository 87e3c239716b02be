import { dirname, isAbsolute, join } from 'node:path';
import { createExpect, expect, type TestContext } from 'vitest';
import { compareGolden, type GoldenDifference } from './golden.js';
import type { CompiledForTest } from './index.js';

/*
 * Adds `toMatchGolden` to vitest's `expect`: `import 'simwright/testing/vitest'` in a test, or in the setupFiles of its configuration.
 */

declare module 'vitest' {
  // biome-ignore lint/suspicious/noExplicitAny: declarations of one interface have the same parameters
  interface Matchers<T = any> {
    /**
     * Holds every file of a compiled workflow against the one of its name in `folder` (relative to the test's file). `vitest -u` writes
     * them and removes those that are no longer made; in CI a missing file is a failure.
     *
     * @example
     * await expect(await compileForTest('workflow.ts', 'slurm')).toMatchGolden('expected/slurm');
     */
    toMatchGolden(folder: string): Promise<void>;
  }
}

/** Members that vitest gives a matcher beyond its declared type. */
interface MatcherContext {
  readonly isNot: boolean;
  readonly testPath?: string;
  readonly task?: TestContext['task'];
  readonly snapshotState?: { readonly _updateSnapshot?: string };
}

expect.extend({
  async toMatchGolden(received: unknown, folder: string) {
    const context = this as unknown as MatcherContext;
    if (context.isNot) throw new Error('toMatchGolden has no opposite');
    if (!isCompiled(received)) throw new Error('toMatchGolden takes what compileForTest returns');
    const base = isAbsolute(folder) ? folder : join(dirname(context.testPath ?? '.'), folder);
    // Tests that run at the same time each have an expect of their own.
    const own = context.task === undefined ? expect : createExpect(context.task);
    const differences = await compareGolden(received.files, base, {
      compare: (text, file) => own(text).toMatchFileSnapshot(file),
      update: context.snapshotState?._updateSnapshot === 'all',
    });
    const shown = differences.find(({ error }) => error !== undefined)?.error as Partial<Compared> | undefined;
    return {
      pass: differences.length === 0,
      message: () => describe(differences, folder),
      ...(shown?.expected === undefined ? {} : { actual: shown.actual, expected: shown.expected }),
    };
  },
});

/** Members of an assertion that the reporter prints as a diff. */
interface Compared {
  readonly actual: unknown;
  readonly expected: unknown;
}

function describe(differences: readonly GoldenDifference[], folder: string): string {
  const lines = differences.map(({ path, error }) => {
    if (error === undefined) return `  ${path}: no longer made`;
    const message = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
    return `  ${path}: ${message}`;
  });
  return `${differences.length} of the files in ${folder} are not what the workflow compiles to (vitest -u accepts them):\n${lines.join('\n')}`;
}

function isCompiled(value: unknown): value is CompiledForTest {
  return typeof value === 'object' && value !== null && 'files' in value && value.files instanceof Map;
}
