import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { quoteComment, quoteDirectiveValue, quoteShell, quoteShellWord } from '../../src/targets/quoting.js';

/** What bash makes of a command line's words, as a program receives them. */
function bashWords(line: string): string[] {
  const out = execFileSync('bash', ['-c', `printf '%s\\0' ${line}`], {
    env: { PATH: process.env['PATH'], HOME: '/nowhere', x: 'no' },
  });
  return out.toString().split('\0').slice(0, -1);
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

describe('words of a shell', () => {
  it('reach the program as they are', () => {
    fc.assert(
      fc.property(fc.array(nasty, { minLength: 1, maxLength: 40 }), (words) => {
        expect(bashWords(quoteShell(words))).toEqual(words);
      }),
      { numRuns: 120 },
    );
  });
  it('are one line each', () => {
    fc.assert(fc.property(nasty, (word) => !quoteShellWord(word).includes('\n')));
  });
  it('have quotes only where they need them', () => {
    expect(quoteShell(['a-b_c./:=@%+,9', '', 'a b', '~', '*'])).toBe("a-b_c./:=@%+,9 '' 'a b' '~' '*'");
    expect(quoteShell(["it's", '$x', '{args}'])).toBe(`"it's" "\\$x" '{args}'`);
  });
});

describe('values of a directive', () => {
  /** Shell-like without expansions: how sbatch, qsub and bsub read a line. Single quotes around make bash expand nothing else. */
  const read = (text: string) => bashWords(text.replaceAll('$', '\\$').replaceAll('`', '\\`'));
  it('are one word, whatever is in them', () => {
    const printable = nasty.filter((text) => text !== '' && !/\p{Cc}/u.test(text));
    fc.assert(
      fc.property(printable, (text) => {
        expect(read(quoteDirectiveValue(text))).toEqual([text]);
      }),
      { numRuns: 120 },
    );
  });
  it('have quotes only where they need them', () => {
    expect(quoteDirectiveValue('select=2:ncpus=4+1:ngpus=1')).toBe('select=2:ncpus=4+1:ngpus=1');
    expect(quoteDirectiveValue('logs/x-^array_index^.out')).toBe('logs/x-^array_index^.out');
    expect(quoteDirectiveValue('a # b')).toBe('"a # b"');
    expect(quoteDirectiveValue('gpu&hbm')).toBe('"gpu&hbm"');
  });
  it('never hold a line break', () => {
    expect(() => quoteDirectiveValue('a\n#SBATCH --uid=0')).toThrow(/directive/);
  });
});

describe('comments', () => {
  it('stay on their line', () => {
    fc.assert(fc.property(nasty, (text) => !/[\n\r]/.test(quoteComment(text))));
  });
});
