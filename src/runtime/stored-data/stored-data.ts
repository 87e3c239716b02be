import type { Entity, Plan } from '../../ir/index.js';
import { happenedAt, type MemberEvent } from '../status/index.js';
import type { HeldStores } from './held-stores.js';
import { readersOf } from './readers.js';

/** Facts that show whose data are there. */
export interface DataFacts {
  readonly plan: Plan;
  readonly held: HeldStores;
  /** Events of an entity's completed members. */
  readonly completedOf: (entity: Entity) => Iterable<MemberEvent>;
  /** True if an entity has members that run now, whatever stores hold. */
  readonly runsAnyway: (entity: Entity) => boolean;
}

/** Owners of the data that stores still have, and who needs the data, at one moment. */
export class StoredData {
  readonly #facts: DataFacts;
  #running: ReadonlySet<Entity> | undefined;

  constructor(facts: DataFacts) {
    this.#facts = facts;
  }

  /**
   * True if what a completed member has put into stores is there, or nobody who runs can read it; else why not, to follow a number of members.
   */
  hasData(entity: Entity, event: MemberEvent): true | string {
    const [store] = this.lacking(event);
    if (store === undefined || !this.#isNeeded(entity)) return true;
    return `whose data are no longer in store '${store}'`;
  }

  /** Stores that no longer have what a member put into them. */
  lacking({ stores = {}, ...event }: MemberEvent): string[] {
    return Object.entries(stores).flatMap(([store, starts]) =>
      starts.every((start) => this.#facts.held.has(store, start, happenedAt(event), event.member)) ? [] : [store],
    );
  }

  #isNeeded(entity: Entity): boolean {
    this.#running ??= this.#whoRuns();
    return readersOf(this.#facts.plan, entity).some((reader) => this.#running?.has(reader));
  }

  /** Entities that run: who runs anyway, and whose data these need, and so on. */
  #whoRuns(): Set<Entity> {
    const { plan, completedOf, runsAnyway } = this.#facts;
    const running = new Set(plan.entities.filter(runsAnyway));
    const waiting = plan.entities.filter(
      (entity) => !running.has(entity) && [...completedOf(entity)].some((event) => this.lacking(event).length > 0),
    );
    for (let before = -1; running.size > before; ) {
      before = running.size;
      for (const entity of waiting) {
        if (!running.has(entity) && readersOf(plan, entity).some((reader) => running.has(reader))) running.add(entity);
      }
    }
    return running;
  }
}
