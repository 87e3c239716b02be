import { execaSync } from 'execa';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { quoteComment, quoteDirectiveValue, quoteShell, quoteShellWord } from '../../src/targets/quoting.js';
import { onPath } from '../compiler/support/on-path.js';
import { sbatchOptions } from '../compiler/support/sbatch-options.js';
import { word } from './word.js';

/** Words as real bash hands them to a program. */
function words(line: string, env: Readonly<Record<string, string>> = {}): string[] {
  const { stdout } = execaSync('bash', ['-c', `printf '%s\\0' ${line}`], {
    encoding: 'buffer',
    stripFinalNewline: false,
    env,
  });
  return Buffer.from(stdout).toString('utf8').split('\0').slice(0, -1);
}

/** Bytes that a shell or a scheduler might take for its own, more often than chance would have it. */
const nasty = fc.string({
  unit: fc.oneof(
    fc.constantFrom(...' \t\n\r\\\'"`$!*?[]{}()<>|&;#~=%^,:@+-'),
    fc.constantFrom('$x', '$(x)', '\\n', "'\\''", 'é', '漢', '😀', '\x01', '\x7f', '{args}'),
    fc.string({ minLength: 1, maxLength: 1, unit: 'binary' }).filter((c) => c !== '\0' && !/[\ud800-\udfff]/.test(c)),
  ),
  maxLength: 20,
});

describe('words for a shell', () => {
  test.each(['C', 'C.UTF-8'])('reach a program byte for byte, LC_ALL=%s', (locale) => {
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 40 }), (list) => {
        expect(words(quoteShell(list), { LC_ALL: locale })).toEqual(list);
      }),
      { numRuns: 100 },
    );
  });

  test('that a shell would take for its own reach a program too', () => {
    fc.assert(
      fc.property(fc.array(nasty, { minLength: 1, maxLength: 40 }), (list) => {
        expect(words(quoteShell(list), { HOME: '/nowhere', x: 'no' })).toEqual(list);
      }),
      { numRuns: 120 },
    );
  });

  test('are on one line, whatever they hold', () => {
    fc.assert(fc.property(fc.oneof(word, nasty), (text) => !/[\n\r]/.test(quoteShellWord(text))));
  });

  test('have quotes only where they need them', () => {
    expect(quoteShell(['a-b_c./:=@%+,9', '', 'a b', '~', '*'])).toBe("a-b_c./:=@%+,9 '' 'a b' '~' '*'");
    expect(quoteShell(["it's", '$x', '{args}'])).toBe(`"it's" "\\$x" '{args}'`);
  });

  test.each([
    ['--steps=3000', '--steps=3000'],
    ['two words', "'two words'"],
    ["it's", '"it\'s"'],
    ['$HOME', '"\\$HOME"'],
    ['a\nb', "$'a\\nb'"],
    ['', "''"],
    ['*.png', "'*.png'"],
  ])('%j as a person would: %s', (text, quoted) => {
    expect(quoteShellWord(text)).toBe(quoted);
  });
});

describe('values of directives', () => {
  test.each([
    ['abc123', 'abc123'],
    ['logs/%x-%j.out', 'logs/%x-%j.out'],
    ['ib&ssd', '"ib&ssd"'],
    ['two words', '"two words"'],
    ['sweep[1-20]%4', '"sweep[1-20]%4"'],
    ["select[hname!='n1']", `"select[hname!='n1']"`],
    ['#1', '"#1"'],
    ['select=2:ncpus=4+1:ngpus=1', 'select=2:ncpus=4+1:ngpus=1'],
    ['logs/x-^array_index^.out', 'logs/x-^array_index^.out'],
    ['a # b', '"a # b"'],
    ['gpu&hbm', '"gpu&hbm"'],
  ])('%s', (value, quoted) => {
    expect(quoteDirectiveValue(value)).toBe(quoted);
  });

  /** Shell-like without expansions: how sbatch, qsub and bsub read a line. */
  const read = (text: string) => words(text.replaceAll('$', '\\$').replaceAll('`', '\\`'));
  test('are one word, whatever is in them', () => {
    const printable = nasty.filter((text) => text !== '' && !/\p{Cc}/u.test(text));
    fc.assert(
      fc.property(printable, (text) => {
        expect(read(quoteDirectiveValue(text))).toEqual([text]);
      }),
      { numRuns: 120 },
    );
  });

  test('never hold a line break', () => {
    expect(() => quoteDirectiveValue('a\n#SBATCH --uid=0')).toThrow(/directive/);
  });

  test.skipIf(!onPath('sbatch'))('are read by sbatch as they are meant (skipped where sbatch is missing)', () => {
    for (const value of ['ib&ssd', 'two  words', "it's", '#1', 'a|b', '[a*2&b*1]', '$HOME', '~', 'a;b', '`id`']) {
      const script = `#!/bin/bash\n#SBATCH --constraint=${quoteDirectiveValue(value)}\n#SBATCH --comment=${quoteDirectiveValue(value)}\n`;
      expect(sbatchOptions(script)).toMatchObject({ comment: value, constraint: value });
    }
  });
});

test('a comment stays on its line', () => {
  fc.assert(fc.property(fc.oneof(word, nasty), (text) => !/[\n\r]/.test(quoteComment(text))));
});
