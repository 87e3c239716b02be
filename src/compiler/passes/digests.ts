import { createHash } from 'node:crypto';
import type { ApplicationDeclaration, Entity, Store } from '../../ir/index.js';
import { entityOf } from './references.js';

/**
 * Gives each entity a digest over what it is made of: its command, parameters and files, the ML models it sees, and the same of every
 * entity it waits for or reads. An entity is run again when its digest has changed.
 */
export function withDigests(
  entities: readonly Entity[],
  stores: readonly Store[],
  applications: readonly ApplicationDeclaration[],
): Entity[] {
  const byName = new Map(entities.map((entity) => [entity.name, entity]));
  const storesByName = new Map(stores.map((store) => [store.name, store]));
  const own = new Map(
    entities.map((entity) => {
      const application = entityOf(entity.name, applications);
      const { command, setup } = application ?? {};
      const added = application?.kind === 'ensemble' ? application.added.map((one) => one.command) : [];
      const { job: _job, component: _component, ...rest } = entity;
      const seen = entity.stores
        .flatMap((name) => storesByName.get(name) ?? [])
        .map(({ mlModels, scripts }) => [mlModels, scripts]);
      return [entity.name, digest([rest, command, added, setup, seen])] as const;
    }),
  );
  const reach = (name: string, found: Set<string>): Set<string> => {
    const entity = byName.get(name);
    if (entity === undefined || found.has(name)) return found;
    found.add(name);
    for (const next of [...entity.after.map((after) => after.name), ...entity.incoming]) {
      reach(entityOf(next, applications)?.name ?? next, found);
    }
    return found;
  };
  return entities.map((entity) => {
    const made = [...reach(entity.name, new Set())].filter((name) => name !== entity.name).sort();
    return { ...entity, digest: digest([own.get(entity.name), made.map((name) => own.get(name))]) };
  });
}

function digest(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value, withoutPlace)).digest('hex').slice(0, 16);
}

/** Where something is declared does not change what it is. Parameters and variables named so are no objects. */
function withoutPlace(key: string, value: unknown): unknown {
  return key === 'at' && typeof value === 'object' ? undefined : value;
}
