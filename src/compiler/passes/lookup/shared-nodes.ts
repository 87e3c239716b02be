import type { ApplicationDeclaration, EntityDeclaration, ExperimentDeclaration } from '../../../ir/index.js';
import { entityNamed } from './references.js';

/** The entities on whose nodes an application runs beside its own: the one it names, the one that names, and so on. */
export function sharedWith(
  experiment: ExperimentDeclaration,
  application: ApplicationDeclaration,
): EntityDeclaration[] {
  const chain = new Set<EntityDeclaration>();
  for (let name = application.sharesNodesWith?.name; name !== undefined; ) {
    const next: EntityDeclaration | undefined = entityNamed(experiment, name);
    if (next === undefined || next === application || chain.has(next)) break;
    chain.add(next);
    name = next.kind === 'orchestrator' ? undefined : next.sharesNodesWith?.name;
  }
  return [...chain];
}

/** The entity whose nodes an application runs on: its own, or that at the end of the chain of `.sharesNodesWith()`. */
export function nodesOwner(experiment: ExperimentDeclaration, application: ApplicationDeclaration): EntityDeclaration {
  return sharedWith(experiment, application).at(-1) ?? application;
}

/** What an entity says of its nodes, as text to compare; undefined when it says nothing. */
export function requirement({ requires }: EntityDeclaration): string | undefined {
  if (requires === undefined) return undefined;
  const { constraint, gpusPerNode, memoryMiB, queue } = requires;
  const said = [constraint, gpusPerNode, memoryMiB, queue];
  return said.every((one) => one === undefined) ? undefined : JSON.stringify(said);
}
