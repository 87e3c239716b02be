import { describe, expect, test } from 'vitest';
import {
  declaredMembers,
  type EnsembleDeclaration,
  type Members,
  memberParams,
  parameterNames,
  permute,
} from '../../src/ir/index.js';

describe('permute', () => {
  test('is a bijection of every size up to 2000', () => {
    for (let size = 1; size <= 2000; size++) {
      const places = new Set<number>();
      for (let index = 0; index < size; index++) {
        const place = permute(index, size, size);
        if (!(place >= 0 && place < size)) throw new Error(`${index} of ${size} goes to ${place}`);
        places.add(place);
      }
      expect(places.size).toBe(size);
    }
  });

  test.each([1_000_000, 1_000_000_000, 2 ** 52])('sends samples of %i to places of their own, inside', (size) => {
    const places = new Set<number>();
    const step = Math.floor(size / 20_000);
    for (let sample = 0; sample < 20_000; sample++) places.add(permute(sample * step, size, 7));
    expect(places.size).toBe(20_000);
    expect([...places].every((place) => Number.isInteger(place) && place >= 0 && place < size)).toBe(true);
  });

  test('is the same on every machine', () => {
    const firsts = (size: number, seed: number) => Array.from({ length: 6 }, (_, index) => permute(index, size, seed));
    expect(firsts(10, 0)).toMatchInlineSnapshot(`
      [
        4,
        3,
        5,
        2,
        1,
        8,
      ]
    `);
    expect(firsts(1_000_000, 42)).toMatchInlineSnapshot(`
      [
        886307,
        334199,
        745998,
        635970,
        582359,
        889953,
      ]
    `);
    expect(firsts(1_000_000_000, 2 ** 40 + 1)).toMatchInlineSnapshot(`
      [
        954843380,
        664338697,
        415168645,
        374402973,
        971358863,
        848141126,
      ]
    `);
  });

  test('differs by seed, in its high bits too', () => {
    const of = (seed: number) => Array.from({ length: 100 }, (_, index) => permute(index, 100, seed)).join();
    expect(new Set([0, 1, 2, 3, 2 ** 32, 2 ** 33].map(of)).size).toBe(6);
  });

  test('leaves neighbours far apart', () => {
    const places = Array.from({ length: 1000 }, (_, index) => permute(index, 1_000_000, 1));
    const near = places.slice(1).filter((place, index) => Math.abs(place - (places[index] ?? 0)) < 1000);
    expect(near.length).toBeLessThan(20);
  });
});

describe('members', () => {
  const ensemble = (change: Partial<EnsembleDeclaration>): EnsembleDeclaration => ({
    kind: 'ensemble',
    at: undefined,
    name: 'e',
    command: { kind: 'command', at: undefined, executable: 'x', args: [] },
    attach: [],
    mlModels: [],
    scripts: [],
    incoming: [],
    after: [],
    added: [],
    ...change,
  });
  const params = (strategy: NonNullable<EnsembleDeclaration['params']>['strategy']) => ({
    kind: 'params' as const,
    at: undefined,
    values: { A: [1, 2, 3], B: ['x', 'y', 'z'], C: true },
    strategy,
    asArgs: [],
  });
  const all = (members: Members) => Array.from({ length: members.count }, (_, index) => memberParams(members, index));

  test('step takes the i-th value of each list, and scalars as they are', () => {
    expect(all(declaredMembers(ensemble({ params: params({ kind: 'step' }) })))).toEqual([
      { A: 1, B: 'x', C: true },
      { A: 2, B: 'y', C: true },
      { A: 3, B: 'z', C: true },
    ]);
  });

  test('random draws without replacement, and another seed draws others', () => {
    const draw = (seed: number) =>
      all(declaredMembers(ensemble({ params: params({ kind: 'random', count: 5, seed }) })));
    expect(draw(1)).toHaveLength(5);
    expect(new Set(draw(1).map((one) => JSON.stringify(one))).size).toBe(5);
    expect(draw(1)).toEqual(draw(1));
    expect(draw(1)).not.toEqual(draw(2));
    const whole = all(declaredMembers(ensemble({ params: params({ kind: 'random', seed: 3 }) })));
    expect(new Set(whole.map((one) => JSON.stringify(one))).size).toBe(9);
  });

  test('replicas repeat each assignment', () => {
    const members = declaredMembers(ensemble({ params: params({ kind: 'step' }), replicas: 2 }));
    expect(members.count).toBe(6);
    expect(all(members).map(({ A }) => A)).toEqual([1, 1, 2, 2, 3, 3]);
  });

  test('those of a function of the user are listed', () => {
    const assignments = [{ A: 1 }, { A: 5 }];
    const members = declaredMembers(ensemble({ params: params({ kind: 'explicit', assignments }), replicas: 2 }));
    expect(all(members)).toEqual([{ A: 1 }, { A: 1 }, { A: 5 }, { A: 5 }]);
  });

  test('those added by hand have the scalars of the ensemble, and their own before them', () => {
    const { command } = ensemble({});
    const added = [{ X: 1 }, { C: false, X: 2 }].map((values, index) => ({
      kind: 'added-model' as const,
      at: undefined,
      name: `m${index}`,
      command,
      params: values,
    }));
    const members = declaredMembers(
      ensemble({ params: { ...params({ kind: 'all-perm' }), values: { C: true } }, added }),
    );
    expect(all(members)).toEqual([
      { C: true, X: 1 },
      { C: false, X: 2 },
    ]);
    expect(parameterNames(members)).toEqual(['C', 'X']);
  });

  test('a member of a billion is found at once', () => {
    const values = Array.from({ length: 1000 }, (_, index) => index);
    const axes = ['A', 'B', 'C'].map((name) => ({ name, values }));
    const members: Members = { strategy: 'random', axes, seed: 9, assignments: 1e9, replicas: 1, count: 1e9 };
    expect(new Set([0, 1, 999_999_999].map((index) => JSON.stringify(memberParams(members, index)))).size).toBe(3);
  });
});
