import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Axis,
  type Members,
  memberArgs,
  memberCount,
  memberDirectory,
  memberName,
  memberParams,
} from '../../src/ir/index.js';

const members = (axes: readonly Axis[]): Members => ({
  strategy: 'all-perm',
  axes: [...axes],
  replicas: 1,
  count: memberCount(axes),
});

/** Axes with distinct names, each with distinct values: their members can be told apart. */
const axes = fc
  .uniqueArray(fc.tuple(fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,8}$/), fc.integer({ min: 1, max: 5 })), {
    minLength: 0,
    maxLength: 4,
    selector: ([name]) => name,
  })
  .map((list) => list.map(([name, length]): Axis => ({ name, values: Array.from({ length }, (_, i) => i) })));

describe('members as a function of their index', () => {
  test('the first axis is the slowest', () => {
    const two = members([
      { name: 'RE', values: [100, 400] },
      { name: 'LID', values: [0.1, 0.15, 0.2] },
    ]);
    expect(Array.from({ length: two.count }, (_, index) => Object.values(memberParams(two, index)))).toEqual([
      [100, 0.1],
      [100, 0.15],
      [100, 0.2],
      [400, 0.1],
      [400, 0.15],
      [400, 0.2],
    ]);
  });

  test('each index has its own parameters, and each combination one index, in the order of the axes', () => {
    fc.assert(
      fc.property(axes, (list) => {
        const all = members(list);
        const found = Array.from({ length: all.count }, (_, index) =>
          list.map(({ name }) => memberParams(all, index)[name]),
        );
        const product = list.reduce<unknown[][]>(
          (rows, { values }) => rows.flatMap((row) => values.map((value) => [...row, value])),
          [[]],
        );
        expect(found).toEqual(product);
      }),
    );
  });

  test('no axes make one member without parameters', () => {
    expect([memberCount([]), memberParams(members([]), 0)]).toEqual([1, {}]);
  });
});

test('names and directories', () => {
  expect(memberName({ kind: 'ensemble', name: 'sweep' }, 3)).toBe('sweep_3');
  expect(memberDirectory({ kind: 'ensemble', name: 'sweep' }, 3)).toBe('run/sweep/sweep_3');
  expect(memberDirectory({ kind: 'model', name: 'm' }, 0)).toBe('run/m');
});

test('arguments: long, short, as they are; a value is one word', () => {
  const params = { TAU: 0.6, n: 3, '--x': 'two words', '-y': true };
  expect(memberArgs(['TAU', 'n', '--x', '-y'], params)).toEqual([
    '--TAU=0.6',
    '-n',
    '3',
    '--x=two words',
    '-y',
    'true',
  ]);
});
