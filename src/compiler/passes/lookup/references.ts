import {
  type ApplicationDeclaration,
  addedOf,
  derivedOnce,
  type EntityDeclaration,
  type ExperimentDeclaration,
  memberName,
} from '../../../ir/index.js';

/** Entities by their names; the first of several with the same name. */
interface NameIndex {
  readonly exact: ReadonlyMap<string, ApplicationDeclaration>;
  /** Members added by hand, with their indices. */
  readonly added: ReadonlyMap<string, { readonly entity: ApplicationDeclaration; readonly index: number }>;
}

const indexOf = derivedOnce((applications: readonly ApplicationDeclaration[]): NameIndex => {
  const exact = new Map<string, ApplicationDeclaration>();
  const added = new Map<string, { readonly entity: ApplicationDeclaration; readonly index: number }>();
  for (const entity of applications) {
    if (!exact.has(entity.name)) exact.set(entity.name, entity);
    for (const [index, { name }] of addedOf(entity).entries()) {
      if (!added.has(name)) added.set(name, { entity, index });
    }
  }
  return { exact, added };
});

/** The entity that a name refers to: the entity of that name, or the ensemble with a member `NAME_i` or a member added by hand of that name. */
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

/** The plan's names for a name of the workflow: a member added by hand is `ENSEMBLE_i`, one name for each replica. */
export function plannedNames(name: string, applications: readonly ApplicationDeclaration[]): string[] {
  const { exact, added } = indexOf(applications);
  const member = exact.has(name) ? undefined : added.get(name);
  if (member?.entity.kind !== 'ensemble') return [name];
  const { entity, index } = member;
  const replicas = entity.replicas ?? 1;
  return Array.from({ length: replicas }, (_, replica) => memberName(entity, index * replicas + replica));
}

/** The plan's names of the entities and members whose keys an application reads. */
export function incomingNames(
  { incoming }: ApplicationDeclaration,
  applications: readonly ApplicationDeclaration[],
): string[] {
  return [...new Set(incoming.flatMap(({ name }) => plannedNames(name, applications)))];
}

/** All entities by their names. */
const entitiesByName = derivedOnce(
  ({ entities }: ExperimentDeclaration): ReadonlyMap<string, EntityDeclaration> =>
    new Map([...entities].reverse().map((entity) => [entity.name, entity])),
);

/** The model, ensemble or orchestrator with exactly this name. */
export function entityNamed(experiment: ExperimentDeclaration, name: string): EntityDeclaration | undefined {
  return entitiesByName(experiment).get(name);
}
