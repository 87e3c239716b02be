import type { ApplicationDeclaration } from '../../ir/index.js';
import { entityOf } from './references.js';

/** Applications whose end `application` waits for, directly or through others. */
export function predecessors(
  application: ApplicationDeclaration,
  applications: readonly ApplicationDeclaration[],
): Set<ApplicationDeclaration> {
  const found = new Set<ApplicationDeclaration>();
  const visit = (current: ApplicationDeclaration) => {
    for (const after of current.after) {
      const entity = entityOf(after.name, applications);
      const isStart = after.kind === 'after-key' || after.event === 'started';
      if (entity === undefined || entity === application || isStart || found.has(entity)) continue;
      found.add(entity);
      visit(entity);
    }
  };
  visit(application);
  return found;
}

/**
 * The most that can be wanted at one time: for each application its own demand and that of all that are neither before nor after it.
 * An upper bound of what runs at once.
 */
export function peakDemand(
  applications: readonly ApplicationDeclaration[],
  demand: (application: ApplicationDeclaration) => number,
): number {
  const before = new Map(applications.map((one) => [one, predecessors(one, applications)]));
  const ordered = (a: ApplicationDeclaration, b: ApplicationDeclaration) =>
    before.get(a)?.has(b) || before.get(b)?.has(a);
  const demands = applications.map((one) =>
    applications
      .filter((other) => other === one || !ordered(one, other))
      .reduce((sum, other) => sum + demand(other), 0),
  );
  return Math.max(0, ...demands);
}

/** `items` so that each comes after those it needs; the given order otherwise. `undefined` if they need each other in a circle. */
export function topological<T>(items: readonly T[], needs: (item: T) => readonly T[]): T[] | undefined {
  const sorted: T[] = [];
  const open = new Set<T>();
  const visit = (item: T): boolean => {
    if (sorted.includes(item)) return true;
    if (open.has(item)) return false;
    open.add(item);
    const fine = needs(item).every(visit);
    sorted.push(item);
    return fine;
  };
  return items.every(visit) ? sorted : undefined;
}
