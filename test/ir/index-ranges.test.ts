import { expect, test } from 'vitest';
import { formatIndexRange, indicesOf, parseIndexRange } from '../../src/ir/index.js';

test('an index, or two with a dash between them', () => {
  expect(parseIndexRange('17')).toEqual({ first: 17, last: 17 });
  expect(parseIndexRange(' 0-9 ')).toEqual({ first: 0, last: 9 });
  for (const text of ['', '-', '3-', '-3', '3-2', '1.5', '1e3', '0x1', '1-2-3', '12345678901']) {
    expect(parseIndexRange(text), text).toBeUndefined();
  }
});

test('a range is written as it is read', () => {
  for (const text of ['4', '4-7'])
    expect(formatIndexRange(parseIndexRange(text) ?? { first: -1, last: -1 })).toBe(text);
});

test('indices of ranges in their order', () => {
  expect([
    ...indicesOf([
      { first: 3, last: 4 },
      { first: 0, last: 0 },
    ]),
  ]).toEqual([3, 4, 0]);
});
