import type { ApplicationDeclaration } from '../../../ir/index.js';
import { cliques } from './cliques.js';
import { entityOf } from './references.js';
import { sumsBefore } from './sums-before.js';

/** Applications ordered by `.after()`, as far as they wait for the end of others. */
export class EndOrder {
  readonly #applications: readonly ApplicationDeclaration[];
  /** Indices of the applications, each after those that it waits for. */
  readonly #sorted: readonly number[];
  /** For each application, the indices of those whose end it waits for directly. */
  #before: (readonly number[])[];

  readonly #numbers: ReadonlyMap<ApplicationDeclaration, number>;
  readonly #earlier = new Map<ApplicationDeclaration, ReadonlySet<ApplicationDeclaration>>();

  /** The applications may not wait for each other in a circle. */
  constructor(applications: readonly ApplicationDeclaration[]) {
    const numbers = new Map(applications.map((application, number) => [application, number]));
    this.#applications = applications;
    this.#numbers = numbers;
    this.#before = applications.map((application) => {
      const found = application.after.flatMap((after) => {
        const isStart = after.kind === 'after-key' || after.event === 'started';
        const other = isStart ? undefined : entityOf(after.name, applications);
        return other === undefined || other === application ? [] : [numbers.get(other) as number];
      });
      return [...new Set(found)];
    });
    this.#endClusters();
    this.#sorted = topological([...applications.keys()], (number) => this.#before[number] ?? []) ?? [
      ...applications.keys(),
    ];
  }

  /** Lets who waits for the ends of all users of a Ray cluster come after the cluster, which ends then. */
  #endClusters(): void {
    for (const [cluster, { kind, name }] of this.#applications.entries()) {
      if (kind !== 'ray-cluster') continue;
      const users = [...this.#applications.keys()].filter((one) => this.#applications[one]?.usesRay?.name === name);
      if (users.length === 0) continue;
      this.#before = this.#before.map((before) =>
        users.every((user) => before.includes(user)) ? [...new Set([...before, cluster])] : before,
      );
    }
  }

  /**
   * Upper bound of the demand at any one time: the maximum, over applications, of the demand of an application and of all that come neither
   * before nor after it.
   */
  peak(demand: (application: ApplicationDeclaration) => number): number {
    const demands = this.#applications.map(demand);
    const total = demands.reduce((sum, one) => sum + one, 0);
    if (total === 0) return 0;
    const after: number[][] = demands.map(() => []);
    for (const [number, before] of this.#before.entries()) for (const other of before) after[other]?.push(number);
    const earlier = sumsBefore(this.#sorted, this.#before, demands);
    const later = sumsBefore([...this.#sorted].reverse(), after, demands);
    return demands.reduce(
      (most, _demand, number) => Math.max(most, total - (earlier[number] as number) - (later[number] as number)),
      0,
    );
  }

  /**
   * Sets of some of the applications that may run at the same time: of each set no two come before or after each other, and no other could
   * join it. Where there are too many such sets, each is one application with all that come neither before nor after it.
   */
  together(some: readonly ApplicationDeclaration[]): (readonly ApplicationDeclaration[])[] {
    const before = new Map(some.map((one) => [one, this.#earlierThan(one)]));
    const isOrdered = (one: ApplicationDeclaration, other: ApplicationDeclaration) =>
      before.get(one)?.has(other) === true || before.get(other)?.has(one) === true;
    const besides = new Map(some.map((one) => [one, some.filter((other) => other !== one && !isOrdered(one, other))]));
    return cliques(some, besides) ?? some.map((one) => [one, ...(besides.get(one) ?? [])]);
  }

  /** True if an application starts only after the end of another. */
  isAfterEnd(later: ApplicationDeclaration, earlier: ApplicationDeclaration): boolean {
    return this.#earlierThan(later).has(earlier);
  }

  #earlierThan(application: ApplicationDeclaration): ReadonlySet<ApplicationDeclaration> {
    const known = this.#earlier.get(application);
    if (known !== undefined) return known;
    const found = new Set<ApplicationDeclaration>();
    const numbers = [...(this.#before[this.#numbers.get(application) ?? -1] ?? [])];
    for (let number = numbers.pop(); number !== undefined; number = numbers.pop()) {
      const one = this.#applications[number] as ApplicationDeclaration;
      if (found.has(one)) continue;
      found.add(one);
      numbers.push(...(this.#before[number] ?? []));
    }
    this.#earlier.set(application, found);
    return found;
  }

  /** Length of the longest chain of applications that wait for each other; `length` gives the length of each. */
  longest(length: (application: ApplicationDeclaration) => number): number {
    const ends = new Float64Array(this.#applications.length);
    let longest = 0;
    for (const number of this.#sorted) {
      const start = (this.#before[number] ?? []).reduce((latest, other) => Math.max(latest, ends[other] ?? 0), 0);
      const end = start + length(this.#applications[number] as ApplicationDeclaration);
      ends[number] = end;
      longest = Math.max(longest, end);
    }
    return longest;
  }
}

/** The items, sorted so that each comes after those that it needs; `undefined` if they need each other in a circle. The sort is stable. */
export function topological<T>(items: readonly T[], needs: (item: T) => readonly T[]): T[] | undefined {
  const sorted = new Set<T>();
  const open = new Set<T>();
  // An explicit stack: a chain may be longer than the call stack allows.
  const stack: { readonly item: T; readonly needed: readonly T[]; next: number }[] = [];
  const enter = (item: T): void => {
    open.add(item);
    stack.push({ item, needed: needs(item), next: 0 });
  };
  for (const item of items) {
    if (!sorted.has(item)) enter(item);
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const needed = top.needed[top.next++];
      if (needed === undefined) {
        sorted.add(top.item);
        open.delete(top.item);
        stack.pop();
      } else if (open.has(needed)) return undefined;
      else if (!sorted.has(needed)) enter(needed);
    }
  }
  return [...sorted];
}
