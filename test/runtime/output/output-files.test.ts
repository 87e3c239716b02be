import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { keepOutput } from '../../../src/runtime/output/index.js';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'simwright-output-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

/** Files of the directory, those given written first: `NAME=CONTENT`. */
function files(...given: readonly string[]): string[] {
  for (const one of given) {
    const [name = '', content = ''] = one.split('=');
    writeFileSync(join(directory, name), content);
  }
  return readdirSync(directory)
    .sort()
    .map((name) => `${name}=${readFileSync(join(directory, name), 'utf8')}`);
}

describe('an attempt keeps what those before it have written', () => {
  test('the first finds nothing and is number 1', () => {
    files('params.json={}');
    expect(keepOutput(directory, 'e_0')).toBe(1);
    expect(files()).toEqual(['params.json={}']);
  });

  test('each later one is numbered, and both streams together', () => {
    for (const attempt of [1, 2, 3]) {
      expect(keepOutput(directory, 'e_0')).toBe(attempt);
      files(`e_0.out=out ${attempt}`, `e_0.err=err ${attempt}`);
    }
    expect(files()).toEqual([
      'e_0.err=err 3',
      'e_0.err.1=err 1',
      'e_0.err.2=err 2',
      'e_0.out=out 3',
      'e_0.out.1=out 1',
      'e_0.out.2=out 2',
    ]);
  });

  test('a file of the application itself is not overwritten, and other names are not touched', () => {
    files('e_0.out=1', 'e_0.err=1', 'e_0.out.7=its own', 'e_0.out.old=its own', 'e_01.out=another');
    expect(keepOutput(directory, 'e_0')).toBe(9);
    expect(files()).toEqual([
      'e_0.err.8=1',
      'e_0.out.7=its own',
      'e_0.out.8=1',
      'e_0.out.old=its own',
      'e_01.out=another',
    ]);
  });

  test.each([
    ['between the two files', ['e_0.out.1=one', 'e_0.err=one'], 2, ['e_0.err.1=one', 'e_0.out.1=one']],
    ['before the new files', ['e_0.out.1=one', 'e_0.err.1=one'], 2, ['e_0.err.1=one', 'e_0.out.1=one']],
    [
      'when there was one new file',
      ['e_0.out.1=one', 'e_0.err.1=one', 'e_0.out=two'],
      3,
      ['e_0.err.1=one', 'e_0.out.1=one', 'e_0.out.2=two'],
    ],
    ['when there was one file of the first', ['e_0.out=one'], 2, ['e_0.out.1=one']],
  ])('one that was killed %s', (_when, before, number, after) => {
    files(...before);
    expect(keepOutput(directory, 'e_0')).toBe(number);
    expect(files()).toEqual(after);
  });
});
