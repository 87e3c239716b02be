import {
  type ApplicationDeclaration,
  byKind,
  type EntityDeclaration,
  type ExperimentDeclaration,
  type SharesNodesDeclaration,
} from '../../../ir/index.js';
import { entityNamed } from './references.js';

/** The entities whose nodes an application shares: the one that it names, the one that this one names, and so on. */
export function sharedWith(
  experiment: ExperimentDeclaration,
  application: ApplicationDeclaration,
): EntityDeclaration[] {
  const chain = new Set<EntityDeclaration>();
  for (let name = application.sharesNodesWith?.name; name !== undefined; ) {
    const next: EntityDeclaration | undefined = entityNamed(experiment, name);
    if (next === undefined || next === application || chain.has(next)) break;
    chain.add(next);
    name = namedBy(next)?.name;
  }
  return [...chain];
}

/** The call of `.sharesNodesWith()` that an entity has. */
export function namedBy(entity: EntityDeclaration): SharesNodesDeclaration | undefined {
  return byKind(entity, { application: (one) => one.sharesNodesWith, orchestrator: () => undefined });
}

/** The entity that owns the nodes of an application: itself, or the entity at the end of its chain of `.sharesNodesWith()`. */
export function nodesOwner(experiment: ExperimentDeclaration, application: ApplicationDeclaration): EntityDeclaration {
  return sharedWith(experiment, application).at(-1) ?? application;
}

/** True for an entity that asks for nodes of its own inside its job. */
export function isApart(entity: EntityDeclaration): boolean {
  const ofStore = byKind(entity, { application: () => false, orchestrator: ({ apart }) => apart === true });
  return ofStore || entity.requires?.apart === true;
}

/** The nodes that an entity requires, as a text to compare; undefined if it requires nothing. */
export function requirement({ requires }: EntityDeclaration): string | undefined {
  if (requires === undefined) return undefined;
  const { constraint, gpusPerNode, memoryMiB, queue } = requires;
  const said = [constraint, gpusPerNode, memoryMiB, queue];
  return said.every((one) => one === undefined) ? undefined : JSON.stringify(said);
}
