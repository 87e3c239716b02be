import { type ApplicationDeclaration, type BatchDeclaration, hasNumbers, type Members } from '../../../ir/index.js';
import type { Sized } from '../compilation.js';

/** True if the members of an ensemble are array elements or separate jobs. */
export function isSplit({ kind, batch }: ApplicationDeclaration): boolean {
  return kind === 'ensemble' && (batch?.mode === 'array' || batch?.mode === 'separate');
}

/** Number of members that run at the same time, as far as the user limits it. */
export function atOnce(
  application: ApplicationDeclaration,
  batch: BatchDeclaration | undefined,
  members: Members,
): number {
  if (!hasNumbers(application) || isSplit(application)) return 1;
  const limit = application.batch?.maxConcurrent ?? batch?.maxConcurrent ?? Number.POSITIVE_INFINITY;
  return Math.min(members.count, limit);
}

/** Number of nodes that an application has for itself while it runs; 0 if its launcher shares nodes. */
export function ownNodes(application: ApplicationDeclaration, { launches, size, members, ownsNodes }: Sized): number {
  if (!ownsNodes) return 0;
  if (launches.length === 1 || isSplit(application)) return size.nodes;
  return launches.reduce((sum, launch) => sum + launch.size.nodes, 0) * members.replicas;
}

/** Number of members that run at the same time on nodes of their own, beside the other applications. All together take `nodesApart` nodes. */
export function membersOnOwnNodes(
  application: ApplicationDeclaration,
  facts: Sized,
  nodesApart: number,
  nodes: number,
): number {
  const others = nodesApart - ownNodes(application, facts);
  return Math.max(1, Math.floor((nodes - others) / facts.size.nodes));
}

/** Largest number of an application's launches in one job that may run at the same time. */
export function launchesAtOnce(
  application: ApplicationDeclaration,
  batch: BatchDeclaration | undefined,
  { launches, members }: Sized,
  perElement: number,
): number {
  if (isSplit(application)) return perElement;
  return launches.length > 1 ? launches.length * members.replicas : atOnce(application, batch, members);
}

/** Largest number of nodes that an application's launches use at the same time, if no two of them share a node. */
export function mostNodes(
  application: ApplicationDeclaration,
  batch: BatchDeclaration | undefined,
  { launches, size, members }: Sized,
  perElement: number,
): number {
  if (isSplit(application)) return size.nodes * perElement;
  if (launches.length > 1) return launches.reduce((sum, launch) => sum + launch.size.nodes, 0) * members.replicas;
  return size.nodes * atOnce(application, batch, members);
}
