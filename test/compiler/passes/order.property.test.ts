import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EndOrder, topological } from '../../../src/compiler/passes/lookup/order.js';
import { command, experiment } from '../../../src/index.js';
import {
  type ApplicationDeclaration,
  type AuthoredExperiment,
  applicationsOf,
  authoredExperiment,
} from '../../../src/ir/index.js';

/** Some applications, each of which waits for some of those before it, in an order of their own; each with a weight. */
const groups = fc
  .array(fc.record({ weight: fc.nat(9), after: fc.array(fc.nat(99), { maxLength: 4 }), place: fc.nat(999) }), {
    maxLength: 90,
  })
  .map((nodes) => {
    const declared = nodes.map(({ weight, after, place }, index) => ({
      weight,
      place,
      name: `m${index}`,
      after: index === 0 ? [] : after.map((number) => `m${number % index}`),
    }));
    return declared.sort((a, b) => a.place - b.place);
  });

type Group = typeof groups extends fc.Arbitrary<infer T> ? T : never;

function applicationsFor(group: Group): readonly ApplicationDeclaration[] {
  let built = experiment<string>('order').model('first', command('true'));
  for (const { name, after } of group) {
    built = after.reduce((model, other) => model.after(other), built.model(name, command('true')));
  }
  const { declaration } = (built as AuthoredExperiment)[authoredExperiment];
  return applicationsOf(declaration).slice(1);
}

/** By name, all that an application waits for, directly or through others: found one by one. */
function allBefore(group: Group): Map<string, Set<string>> {
  const byName = new Map(group.map((node) => [node.name, node]));
  const visit = (name: string, found: Set<string>): Set<string> => {
    for (const other of byName.get(name)?.after ?? []) if (!found.has(other)) visit(other, found.add(other));
    return found;
  };
  return new Map(group.map(({ name }) => [name, visit(name, new Set())]));
}

test('the peak is the largest sum of what is neither before nor after an application, the longest chain the longest path', () => {
  fc.assert(
    fc.property(groups, (group) => {
      const order = new EndOrder(applicationsFor(group));
      const weights = new Map(group.map(({ name, weight }) => [name, weight]));
      const weightOf = ({ name }: { readonly name: string }) => weights.get(name) ?? 0;
      const before = allBefore(group);
      const besides = group.map((one) =>
        group
          .filter((other) => !before.get(one.name)?.has(other.name) && !before.get(other.name)?.has(one.name))
          .reduce((sum, other) => sum + other.weight, 0),
      );
      expect(order.peak(weightOf)).toBe(Math.max(0, ...besides));
      const end = (name: string): number => {
        const earlier = group.find((one) => one.name === name)?.after ?? [];
        return (weights.get(name) ?? 0) + Math.max(0, ...earlier.map(end));
      };
      // Without a memo the check itself is exponential, so it is left to small groups.
      if (group.length <= 20) expect(order.longest(weightOf)).toBe(Math.max(0, ...group.map(({ name }) => end(name))));
    }),
  );
});

test('a chain of a hundred thousand is sorted, and a circle is found', () => {
  const count = 100_000;
  const chain = Array.from({ length: count }, (_, number) => number);
  const sorted = topological(chain, (number) => (number === count - 1 ? [] : [number + 1]));
  expect(sorted?.[0]).toBe(count - 1);
  expect(sorted?.at(-1)).toBe(0);
  expect(topological(chain, (number) => [(number + 1) % count])).toBeUndefined();
});
