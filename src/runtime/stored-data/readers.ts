import type { Entity, Plan } from '../../ir/index.js';

/**
 * Entities that can read what an entity has put into stores: those that share a store with it and name it among what they read or wait for, be
 * it by way of others, or that need not name it, since its keys have no prefix or the store is on their own nodes.
 */
export function readersOf(plan: Plan, source: Entity): Entity[] {
  const awaits = new Map<string, boolean>();
  return plan.entities.filter((entity) => {
    if (entity === source) return false;
    const shared = entity.stores.filter((name) => source.stores.includes(name));
    if (shared.length === 0) return false;
    if (!source.keyPrefixing || shared.some((name) => isColocated(plan, name))) return true;
    return entity.incoming.some((name) => isOf(name, source)) || awaitsIt(plan, entity, source, awaits);
  });
}

/** True if an entity waits for the source, or for one that does. */
function awaitsIt(plan: Plan, entity: Entity, source: Entity, known: Map<string, boolean>): boolean {
  const before = known.get(entity.name);
  if (before !== undefined) return before;
  // An order has no circles; if there were one, it would end here.
  known.set(entity.name, false);
  const found = entity.after.some(({ name }) => {
    if (isOf(name, source)) return true;
    const other = plan.entities.find((candidate) => isOf(name, candidate));
    return other !== undefined && awaitsIt(plan, other, source, known);
  });
  known.set(entity.name, found);
  return found;
}

/** True for the name of an entity or of one of its members. */
function isOf(name: string, entity: Entity): boolean {
  if (name === entity.name) return true;
  return (
    entity.kind === 'ensemble' && name.startsWith(`${entity.name}_`) && /^\d+$/.test(name.slice(entity.name.length + 1))
  );
}

function isColocated(plan: Plan, store: string): boolean {
  return plan.stores.some(({ name, kind }) => name === store && kind === 'colocated');
}
