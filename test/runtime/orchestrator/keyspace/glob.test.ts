import { expect, test } from 'vitest';
import { matchesGlob } from '../../../../src/runtime/orchestrator/keyspace/glob.js';

test.each([
  ['*', '', true],
  ['*', 'anything', true],
  ['a*c', 'abbbc', true],
  ['a*c', 'abbb', false],
  ['a?c', 'abc', true],
  ['a?c', 'ac', false],
  ['[a-c]x', 'bx', true],
  ['[^a-c]x', 'bx', false],
  ['[]x', 'x', false],
  ['\\*', '*', true],
  ['\\*', 'x', false],
  ['*a*a*a*b', 'a'.repeat(200), false],
  ['{ds}.*', '{ds}.meta', true],
  ['a*', 'a\r\n\0', true],
])('%s against %s', (pattern, key, matches) => {
  expect(matchesGlob(pattern, key)).toBe(matches);
});
