import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cliques } from '../../../src/compiler/passes/lookup/cliques.js';
import { type Amounts, type Piece, packs, packsInAnyOrder } from '../../../src/compiler/passes/lookup/packing.js';

const amount = fc.integer({ min: 0, max: 4 });
const piece: fc.Arbitrary<Piece> = fc.record({
  nodes: fc.integer({ min: 1, max: 2 }),
  onNode: fc.record({ cpus: fc.integer({ min: 1, max: 4 }), gpus: amount, memoryMiB: amount }),
  wholeNodes: fc.boolean(),
});
const nodes = fc.array(fc.record({ cpus: amount, gpus: amount, memoryMiB: amount }), { minLength: 1, maxLength: 3 });

/** True if there is any way to place the pieces: tries all. */
function canPlace(
  [first, ...rest]: readonly Piece[],
  left: readonly (Amounts & { readonly users: number; readonly isWhole: boolean })[],
): boolean {
  if (first === undefined) return true;
  const { onNode, wholeNodes } = first;
  const choices = subsets([...left.keys()], first.nodes);
  return choices.some((chosen) => {
    const next = left.map((node, index) => {
      if (!chosen.includes(index)) return node;
      return {
        cpus: node.cpus - onNode.cpus,
        gpus: node.gpus - onNode.gpus,
        memoryMiB: node.memoryMiB - onNode.memoryMiB,
        users: node.users + 1,
        isWhole: node.isWhole || wholeNodes,
      };
    });
    const fits = next.every(
      ({ cpus, gpus, memoryMiB, users, isWhole }) =>
        cpus >= 0 && gpus >= 0 && memoryMiB >= 0 && !(isWhole && users > 1),
    );
    return fits && canPlace(rest, next);
  });
}

function subsets(items: readonly number[], count: number): number[][] {
  if (count === 0) return [[]];
  return items.flatMap((item, index) => subsets(items.slice(index + 1), count - 1).map((others) => [item, ...others]));
}

test('what is said to fit does, and what no search can place does not', () => {
  let missed = 0;
  let possible = 0;
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 4 }), nodes, (pieces, bins) => {
      const truth = canPlace(
        pieces,
        bins.map((bin) => ({ ...bin, users: 0, isWhole: false })),
      );
      const said = packs(pieces, bins);
      if (said) expect(truth).toBe(true);
      if (packsInAnyOrder(pieces, bins)) expect(truth).toBe(true);
      if (truth) possible++;
      if (truth && !said) missed++;
    }),
    { numRuns: 3000, seed: 11 },
  );
  // Heuristics miss few.
  expect(possible).toBeGreaterThan(300);
  expect(missed / possible).toBeLessThan(0.02);
});

test.each<readonly [string, Piece[], Amounts[], boolean, boolean]>([
  ['three of three CPUs do not share two nodes of five', threeOf(3, 3), twoOf(5), false, false],
  ['three of three CPUs share two nodes of six', threeOf(3, 3), twoOf(6), true, true],
  [
    'two small ones and a large one: the emptiest nodes first would leave no room',
    [...threeOf(2, 2), ...threeOf(4, 1)],
    twoOf(4),
    true,
    false,
  ],
])('%s', (_, pieces, bins, fits, always) => {
  expect(packs(pieces, bins)).toBe(fits);
  expect(packsInAnyOrder(pieces, bins)).toBe(always);
});

function threeOf(cpus: number, count: number): Piece[] {
  const onNode = { cpus, gpus: 0, memoryMiB: 0 };
  return Array.from({ length: count }, () => ({ nodes: 1, wholeNodes: false, onNode }));
}

function twoOf(cpus: number): Amounts[] {
  return [0, 1].map(() => ({ cpus, gpus: 0, memoryMiB: 0 }));
}

test('sets of neighbours that nobody can join are those that a look at every set finds', () => {
  const graph = fc
    .integer({ min: 1, max: 6 })
    .chain((count) =>
      fc.record({ count: fc.constant(count), edges: fc.array(fc.tuple(fc.nat(count - 1), fc.nat(count - 1))) }),
    );
  fc.assert(
    fc.property(graph, ({ count, edges }) => {
      const all = Array.from({ length: count }, (_, index) => index);
      const isEdge = (a: number, b: number) =>
        a !== b && edges.some(([x, y]) => (x === a && y === b) || (x === b && y === a));
      const sets = Array.from({ length: 2 ** count }, (_, bits) => all.filter((one) => (bits >> one) & 1));
      const joined = sets.filter(
        (set) => set.length > 0 && set.every((a) => set.every((b) => a === b || isEdge(a, b))),
      );
      const maximal = joined.filter(
        (set) => !all.some((one) => !set.includes(one) && set.every((a) => isEdge(a, one))),
      );
      const found = cliques(all, new Map(all.map((one) => [one, all.filter((other) => isEdge(one, other))])));
      const sorted = (list: readonly (readonly number[])[] | undefined) =>
        list?.map((set) => [...set].sort((a, b) => a - b).join()).sort();
      expect(sorted(found)).toEqual(sorted(maximal));
    }),
  );
});

test('sets that are too many are not listed', () => {
  // 3^10 sets: one of three in each of ten groups.
  const all = Array.from({ length: 30 }, (_, index) => index);
  const neighbours = new Map(
    all.map((one) => [one, all.filter((other) => Math.floor(one / 3) !== Math.floor(other / 3))]),
  );
  expect(cliques(all, neighbours)).toBeUndefined();
});
