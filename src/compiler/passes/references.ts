import { type ApplicationDeclaration, memberName } from '../../ir/index.js';

/** The entity that a name means: its own, that of its member `NAME_i`, or that of a member added by hand. */
export function entityOf(
  name: string,
  applications: readonly ApplicationDeclaration[],
): ApplicationDeclaration | undefined {
  const exact = applications.find((application) => application.name === name);
  if (exact !== undefined) return exact;
  const added = applications.find((application) => addedIndex(name, application) !== -1);
  if (added !== undefined) return added;
  const member = /^(.+)_(0|[1-9]\d*)$/.exec(name);
  return applications.find(({ kind, name: ensemble }) => kind === 'ensemble' && ensemble === member?.[1]);
}

/** A name as the plan knows it: a member added by hand is `ENSEMBLE_i`, as many times as it has replicas. */
export function plannedNames(name: string, applications: readonly ApplicationDeclaration[]): string[] {
  const entity = entityOf(name, applications);
  if (entity?.kind !== 'ensemble' || entity.name === name) return [name];
  const index = addedIndex(name, entity);
  if (index === -1) return [name];
  const replicas = entity.replicas ?? 1;
  return Array.from({ length: replicas }, (_, replica) => memberName(entity, index * replicas + replica));
}

function addedIndex(name: string, application: ApplicationDeclaration): number {
  return application.kind === 'ensemble' ? application.added.findIndex((one) => one.name === name) : -1;
}
