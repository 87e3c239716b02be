import type { MemberEvent } from '../status/index.js';
import type { AsideResult } from './aside.js';
import type { Change } from './change.js';

/** Why a member runs. */
export type Reason =
  | { readonly kind: 'new' }
  | { readonly kind: 'changed'; readonly changes: readonly Change[] }
  /** Something that it waits for or reads has changed since it ran; `recipe` names the record of what that was. */
  | { readonly kind: 'inputs'; readonly names: readonly string[]; readonly recipe: string | undefined }
  | { readonly kind: 'failed' }
  | { readonly kind: 'interrupted' }
  /** A job runs it now. */
  | { readonly kind: 'running' }
  /** It completed, and its results are no longer there; `what` follows its number: "whose data the store no longer has". */
  | { readonly kind: 'lost'; readonly what: string }
  /** It completed under another index, which matters to it; `why` follows "whose". */
  | { readonly kind: 'renumbered'; readonly why: string }
  | { readonly kind: 'fresh' };

/** The decision on a member in a run. */
export interface Decision {
  readonly index: number;
  /** The index that it has had until now, and from which its directory moves. */
  readonly from?: number;
  /** Place in run/aside from which its completed directory comes back. */
  readonly back?: string;
  /** Its last event, if it goes on from there or stays as it is. */
  readonly event?: MemberEvent;
  /** Undefined for one that has completed and stays as it is. */
  readonly reason?: Reason;
  /** Why it would run, of one that has completed and is accepted as it is. */
  readonly kept?: Reason;
  /** It begins with a new directory; the one that is there gives way. */
  readonly anew: boolean;
}

/** A directory that no member of the entity has any more. */
export interface Leftover {
  /** Index of the member that it was. */
  readonly index: number;
  readonly event: MemberEvent;
}

/** Decisions on all members of an entity, by index, and what gives way. */
export interface Decisions {
  readonly members: readonly Decision[];
  readonly leftovers: readonly Leftover[];
}

/** Facts that a decision is made from. */
export interface Facts {
  /** Number of members. */
  readonly count: number;
  /** Digest of what a member does now. */
  readonly digestOf: (index: number) => string;
  /** The last event of each member that there has ever been. */
  readonly events: ReadonlyMap<number, MemberEvent>;
  /** True if a member has a directory. */
  readonly hasDirectory: (event: MemberEvent) => boolean;
  /** Differences between what a member does now and what it did. */
  readonly changesSince: (event: MemberEvent, index: number) => readonly Change[];
  /** Names of things that it waits for or reads and that have changed since it ran. */
  readonly changedInputs: (event: MemberEvent) => readonly string[];
  /** True if what a completed member left in stores is there, or nobody needs it; else why not, to follow its number: "whose data …". */
  readonly hasData: (event: MemberEvent) => true | string;
  /** Completed directories of members that did that and were moved aside. */
  readonly asideOf: (digest: string) => readonly AsideResult[];
  /** True if a job runs the member now. */
  readonly isRunning: (event: MemberEvent) => boolean;
  /** Why members may not change their index, to follow "whose"; undefined where they may. */
  readonly numberMatters: string | undefined;
  /** True if nothing that an event tells of counts. */
  readonly isPast: (event: MemberEvent) => boolean;
  /** Completed members are accepted, whatever has changed. */
  readonly keep: boolean;
}

/**
 * Decides what becomes of each member of an entity. A member that has completed what it would do now stays as it is, even if its index is
 * another or its directory was moved aside; every other member runs, for a reason.
 */
export function decide(facts: Facts): Decisions {
  if (facts.events.size === 0) {
    const reason = { kind: 'new' } as const;
    return {
      members: Array.from({ length: facts.count }, (_, index) => ({ index, reason, anew: true })),
      leftovers: [],
    };
  }
  const slots = new Slots(facts);
  const holders = [...facts.events].filter(([, event]) => !facts.isPast(event) && facts.hasDirectory(event));
  const completed = holders.filter(([, event]) => event.state === 'completed');
  const others = holders.filter(([, event]) => event.state !== 'completed');
  // Completed members first, each at its own place if that is free for it.
  for (const some of [completed, others]) {
    const left = some.filter(([index, event]) => !slots.fillOwn(index, event));
    if (facts.numberMatters === undefined) for (const [index, event] of left) slots.fillOther(index, event);
    else if (some === completed) slots.refuse(left, facts.numberMatters);
  }
  if (facts.keep) slots.keep(completed);
  slots.bringBack();
  const members = Array.from({ length: facts.count }, (_, index) => slots.decision(index));
  const leftovers = [...facts.events].flatMap(([index, event]) =>
    slots.hasNoPlace(index) && facts.hasDirectory(event) ? [{ index, event }] : [],
  );
  return { members, leftovers };
}

/** Places of the members that there are now, and who of those that have run takes them. */
class Slots {
  readonly #facts: Facts;
  readonly #takenBy = new Map<
    number,
    { readonly from?: number; readonly back?: string; readonly event: MemberEvent }
  >();
  readonly #moved = new Set<number>();
  /** Places that someone else's number keeps him from. */
  readonly #refused = new Map<number, string>();
  /** Reasons why those whose directories were moved aside do not come back to their places. */
  readonly #unusable = new Map<number, Reason>();
  /** Those who would have moved. */
  readonly #stuck = new Set<number>();
  #freeByDigest: Map<string, number[]> | undefined;

  constructor(facts: Facts) {
    this.#facts = facts;
  }

  fillOwn(index: number, event: MemberEvent): boolean {
    const { count, digestOf } = this.#facts;
    if (index >= count || event.index !== index || digestOf(index) !== event.digest) return false;
    if (this.#takenBy.has(index)) return false;
    this.#takenBy.set(index, { from: index, event });
    this.#freeByDigest = undefined;
    return true;
  }

  fillOther(index: number, event: MemberEvent): void {
    const place = this.#nextFree(event.digest);
    if (place === undefined) return;
    this.#takenBy.set(place, { from: index, event });
    this.#moved.add(index);
  }

  /** Says of as many free places as there are members for them that their number keeps these away. */
  refuse(left: readonly (readonly [number, MemberEvent])[], why: string): void {
    for (const [index, { digest }] of left) {
      const place = this.#nextFree(digest);
      if (place === undefined) continue;
      this.#refused.set(place, why);
      this.#stuck.add(index);
    }
    this.#freeByDigest = undefined;
  }

  /** Accepts completed members at their own places, unless they do what a member of another index does now. */
  keep(completed: readonly (readonly [number, MemberEvent])[]): void {
    for (const [index, event] of completed) {
      const isFree = index < this.#facts.count && !this.#takenBy.has(index);
      if (!isFree || this.#moved.has(index) || this.#stuck.has(index)) continue;
      this.#takenBy.set(index, { from: index, event });
    }
  }

  /** Gives places that are free, or whose members have to run again for their input, to completed members whose directories were moved aside. */
  bringBack(): void {
    const { count, digestOf, asideOf } = this.#facts;
    const used = new Set<string>();
    for (let index = 0; index < count; index++) {
      const taken = this.#takenBy.get(index);
      if (taken !== undefined && (taken.from !== index || !this.#isOutdated(taken.event))) continue;
      for (const { name, event } of asideOf(digestOf(index))) {
        if (used.has(name) || !this.#isUsable(index, name, event)) continue;
        used.add(name);
        this.#takenBy.set(index, { back: name, event });
        break;
      }
    }
  }

  /** True of a member that has to run again since its input has changed. */
  #isOutdated(event: MemberEvent): boolean {
    const { keep, changedInputs } = this.#facts;
    return !(keep && event.state === 'completed') && changedInputs(event).length > 0;
  }

  #isUsable(index: number, name: string, event: MemberEvent): boolean {
    const { events, isPast, numberMatters, changedInputs, hasData } = this.#facts;
    if (isPast(event) || changedInputs(event).length > 0) return false;
    // It has done that again since, and what it did was removed.
    const last = events.get(index);
    if (last?.digest === event.digest && last.time > event.time && changedInputs(last).length === 0) return false;
    if (event.index !== index && numberMatters !== undefined) {
      this.#unusable.set(index, { kind: 'renumbered', why: numberMatters });
      return false;
    }
    const data = hasData(event);
    if (data !== true) this.#unusable.set(index, { kind: 'lost', what: `${data}: its directory is run/aside/${name}` });
    return data === true;
  }

  /** True if the directory of that index is of no use to anyone, and in the way or beyond the last. */
  hasNoPlace(index: number): boolean {
    if (this.#moved.has(index)) return false;
    const taken = this.#takenBy.get(index);
    return index >= this.#facts.count || (taken !== undefined && taken.from !== index);
  }

  decision(index: number): Decision {
    const taken = this.#takenBy.get(index);
    if (taken === undefined) return { index, reason: this.#reasonWithout(index), anew: true };
    const { from = index, back, event } = taken;
    if (back !== undefined) return { index, back, event, anew: false };
    const moved = from === index ? {} : { from };
    if (event.state === 'completed') {
      const reason = this.#reasonAgainst(index, event);
      if (reason === undefined) return { index, ...moved, event, anew: false };
      // Results that are lost cannot be accepted.
      if (this.#facts.keep && reason.kind !== 'lost') return { index, ...moved, event, kept: reason, anew: false };
      return { index, ...moved, event, reason, anew: true };
    }
    const inputs = this.#inputsAgainst(event);
    if (inputs !== undefined) return { index, ...moved, event, reason: inputs, anew: true };
    const reason: Reason = { kind: event.state === 'failed' ? 'failed' : this.#unended(event) };
    return { index, ...moved, event, reason, anew: false };
  }

  /** Why a completed member runs again all the same. */
  #reasonAgainst(index: number, event: MemberEvent): Reason | undefined {
    const { digestOf, changesSince, hasData } = this.#facts;
    if (event.digest !== digestOf(index)) return { kind: 'changed', changes: changesSince(event, index) };
    const inputs = this.#inputsAgainst(event);
    if (inputs !== undefined) return inputs;
    const data = hasData(event);
    return data === true ? undefined : { kind: 'lost', what: data };
  }

  #inputsAgainst(event: MemberEvent): Reason | undefined {
    const names = this.#facts.changedInputs(event);
    return names.length === 0 ? undefined : { kind: 'inputs', names, recipe: event.recipe };
  }

  #unended(event: MemberEvent): 'running' | 'interrupted' {
    return event.state !== 'interrupted' && this.#facts.isRunning(event) ? 'running' : 'interrupted';
  }

  /** Why a member runs that nothing which is there can stand for. */
  #reasonWithout(index: number): Reason {
    const { events, isPast, hasDirectory, changesSince, digestOf } = this.#facts;
    const refused = this.#refused.get(index);
    if (refused !== undefined) return { kind: 'renumbered', why: refused };
    const unusable = this.#unusable.get(index);
    if (unusable !== undefined) return unusable;
    const before = events.get(index);
    if (before === undefined) return { kind: 'new' };
    if (isPast(before)) return { kind: 'fresh' };
    if (this.#moved.has(index) || this.#stuck.has(index)) return { kind: 'new' };
    if (before.digest === digestOf(index)) {
      if (hasDirectory(before)) return { kind: 'new' };
      return before.state === 'completed'
        ? { kind: 'lost', what: 'whose directory is gone' }
        : { kind: before.state === 'failed' ? 'failed' : 'interrupted' };
    }
    return hasDirectory(before) ? { kind: 'changed', changes: changesSince(before, index) } : { kind: 'new' };
  }

  /** The lowest place that is free for a digest. */
  #nextFree(digest: string): number | undefined {
    if (this.#freeByDigest === undefined) {
      this.#freeByDigest = new Map();
      for (let index = this.#facts.count - 1; index >= 0; index--) {
        if (this.#takenBy.has(index) || this.#refused.has(index)) continue;
        const own = this.#facts.digestOf(index);
        const places = this.#freeByDigest.get(own);
        if (places === undefined) this.#freeByDigest.set(own, [index]);
        else places.push(index);
      }
    }
    return this.#freeByDigest.get(digest)?.pop();
  }
}
