import { type Entity, hasNumbers, type Plan } from '../../ir/index.js';

/**
 * Entities that can read what an entity has put into stores: those that share a store with it and name it among what they read or wait for, be
 * it by way of others, or that need not name it, since its keys have no prefix or the store is on their own nodes. Whoever has ended before it
 * starts reads nothing of it.
 */
export function readersOf(plan: Plan, source: Entity): Entity[] {
  const sharing = plan.entities.filter((entity) => entity !== source && sharedStores(entity, source).length > 0);
  if (sharing.length === 0) return [];
  const order = new Order(plan);
  return sharing.filter((entity) => {
    if (order.startsAfterEndOf(source, entity)) return false;
    if (!source.keyPrefixing || sharedStores(entity, source).some((name) => isColocated(plan, name))) return true;
    return entity.incoming.some((name) => isOf(name, source)) || order.waitsFor(entity, source);
  });
}

/** Order of entities: who waits for whom, directly or through others. */
export class Order {
  readonly #entities: ReadonlyMap<string, Entity>;

  constructor(plan: Plan) {
    this.#entities = new Map(plan.entities.map((entity) => [entity.name, entity]));
  }

  /** True if an entity waits for anything of another. */
  waitsFor(entity: Entity, other: Entity): boolean {
    return this.#leadsTo(entity, other, () => true);
  }

  /** True if an entity starts only when all members of another have ended. */
  startsAfterEndOf(entity: Entity, other: Entity): boolean {
    // A member of an ensemble is not the whole of it.
    return this.#leadsTo(
      entity,
      other,
      (after) => 'event' in after && after.event !== 'started' && after.name === other.name,
    );
  }

  /** True if one waits for the other, with a last link of that kind: whoever is between has started when it has come. */
  #leadsTo(from: Entity, to: Entity, isLast: (after: Entity['after'][number]) => boolean): boolean {
    const seen = new Set([from]);
    for (const entity of seen) {
      for (const after of entity.after) {
        const target = this.#named(after.name);
        if (target === to && isLast(after)) return true;
        if (target !== undefined) seen.add(target);
      }
    }
    return false;
  }

  /** The entity of that name, or that whose member has it. */
  #named(name: string): Entity | undefined {
    return this.#entities.get(name) ?? this.#entities.get(name.replace(/_\d+$/, ''));
  }
}

function sharedStores(one: Entity, other: Entity): string[] {
  return one.stores.filter((name) => other.stores.includes(name));
}

/** True for the name of an entity or of one of its members. */
function isOf(name: string, entity: Entity): boolean {
  return name === entity.name || (hasNumbers(entity) && name.replace(/_\d+$/, '') === entity.name);
}

function isColocated(plan: Plan, store: string): boolean {
  return plan.stores.some(({ name, kind }) => name === store && kind === 'colocated');
}
