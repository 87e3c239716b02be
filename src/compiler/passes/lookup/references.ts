import {
  type ApplicationDeclaration,
  derivedOnce,
  type EntityDeclaration,
  type ExperimentDeclaration,
  memberName,
} from '../../../ir/index.js';

/** Entities by the names that stand for them; of several with one name the first. */
interface NameIndex {
  readonly exact: ReadonlyMap<string, ApplicationDeclaration>;
  /** Members added by hand, with their numbers. */
  readonly added: ReadonlyMap<string, { readonly entity: ApplicationDeclaration; readonly index: number }>;
}

const indexOf = derivedOnce((applications: readonly ApplicationDeclaration[]): NameIndex => {
  const exact = new Map<string, ApplicationDeclaration>();
  const added = new Map<string, { readonly entity: ApplicationDeclaration; readonly index: number }>();
  for (const entity of applications) {
    if (!exact.has(entity.name)) exact.set(entity.name, entity);
    if (entity.kind === 'model') continue;
    for (const [index, { name }] of entity.added.entries()) {
      if (!added.has(name)) added.set(name, { entity, index });
    }
  }
  return { exact, added };
});

/** The entity that a name means: its own, that of its member `NAME_i`, or that of a member added by hand. */
export function entityOf(
  name: string,
  applications: readonly ApplicationDeclaration[],
): ApplicationDeclaration | undefined {
  const { exact, added } = indexOf(applications);
  const found = exact.get(name) ?? added.get(name)?.entity;
  if (found !== undefined) return found;
  const member = /^(.+)_(0|[1-9]\d*)$/.exec(name);
  const entity = exact.get(member?.[1] ?? '');
  return entity?.kind === 'ensemble' ? entity : undefined;
}

/** A name as the plan knows it: a member added by hand is `ENSEMBLE_i`, as many times as it has replicas. */
export function plannedNames(name: string, applications: readonly ApplicationDeclaration[]): string[] {
  const { exact, added } = indexOf(applications);
  const member = exact.has(name) ? undefined : added.get(name);
  if (member?.entity.kind !== 'ensemble') return [name];
  const { entity, index } = member;
  const replicas = entity.replicas ?? 1;
  return Array.from({ length: replicas }, (_, replica) => memberName(entity, index * replicas + replica));
}

/** Names, as the plan knows them, of the entities and members whose keys an application reads. */
export function incomingNames(
  { incoming }: ApplicationDeclaration,
  applications: readonly ApplicationDeclaration[],
): string[] {
  return [...new Set(incoming.flatMap(({ name }) => plannedNames(name, applications)))];
}

/** Entities of every kind by their names. */
const entitiesByName = derivedOnce(
  ({ entities }: ExperimentDeclaration): ReadonlyMap<string, EntityDeclaration> =>
    new Map([...entities].reverse().map((entity) => [entity.name, entity])),
);

/** The model, ensemble or orchestrator of that very name. */
export function entityNamed(experiment: ExperimentDeclaration, name: string): EntityDeclaration | undefined {
  return entitiesByName(experiment).get(name);
}
