import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { unifiedDiff } from '../../src/cli/unified-diff.js';

describe('unified diff', () => {
  it('is empty for equal texts', () => {
    expect(unifiedDiff('a.txt', 'one\n', 'one\n')).toBe('');
  });

  it('shows three lines around a change, and its places', () => {
    const before = Array.from({ length: 20 }, (_, line) => `line ${line + 1}\n`).join('');
    expect(unifiedDiff('a.txt', before, before.replace('line 9\n', 'line nine\nand more\n'))).toBe(`--- a/a.txt
+++ b/a.txt
@@ -6,7 +6,8 @@
 line 6
 line 7
 line 8
-line 9
+line nine
+and more
 line 10
 line 11
 line 12`);
  });

  it('says that a file is new, or gone, or lacks its last line end', () => {
    expect(unifiedDiff('a', undefined, 'x\n')).toBe('--- /dev/null\n+++ b/a\n@@ -0,0 +1,1 @@\n+x');
    expect(unifiedDiff('a', 'x\n', undefined)).toBe('--- a/a\n+++ /dev/null\n@@ -1,1 +0,0 @@\n-x');
    expect(unifiedDiff('a', 'x\n', 'x')).toBe(
      '--- a/a\n+++ b/a\n@@ -1,1 +1,1 @@\n-x\n+x\n\\ No newline at end of file',
    );
  });

  it('replaces what is too long to compare line by line', () => {
    const long = (word: string) => Array.from({ length: 6000 }, (_, line) => `${word} ${line}\n`).join('');
    const lines = unifiedDiff('a', `same\n${long('old')}same\n`, `same\n${long('new')}same\n`).split('\n');
    expect(lines.slice(0, 4)).toEqual(['--- a/a', '+++ b/a', '@@ -1,6002 +1,6002 @@', '-same']);
    expect(lines.filter((line) => line.startsWith('+new'))).toHaveLength(6000);
  });

  describe('by patch', () => {
    let folder: string;
    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), 'unified-diff-'));
    });
    afterAll(() => rmSync(folder, { recursive: true, force: true }));
    const installed = spawnSync('patch', ['--version']).status === 0;

    it.skipIf(!installed)('turns any text into any other (needs patch)', () => {
      const text = fc
        .array(fc.constantFrom('a', 'b', 'c', '', ' x', '-y'), { maxLength: 14 })
        .map((lines) => lines.join('\n'));
      fc.assert(
        fc.property(text, text, (before, after) => {
          fc.pre(before !== after && before !== '' && after !== '');
          writeFileSync(join(folder, 'file'), before);
          writeFileSync(join(folder, 'diff'), `${unifiedDiff('file', before, after)}\n`);
          const end = spawnSync('patch', ['-s', '-o', 'patched', 'file', 'diff'], { cwd: folder, encoding: 'utf8' });
          expect(end.stdout + end.stderr).toBe('');
          expect(readFileSync(join(folder, 'patched'), 'utf8')).toBe(after);
        }),
        { numRuns: 60 },
      );
    });
  });
});
