import type { ApplicationDeclaration, BatchDeclaration, Members } from '../../../ir/index.js';
import type { Sized } from '../known.js';

/** Whether each member, or some of them, meet the scheduler by themselves. */
export function isSplit({ kind, batch }: ApplicationDeclaration): boolean {
  return kind === 'ensemble' && (batch?.mode === 'array' || batch?.mode === 'separate');
}

/** Members of an application that run at a time, as far as the user says. */
export function atOnce(
  application: ApplicationDeclaration,
  batch: BatchDeclaration | undefined,
  members: Members,
): number {
  if (application.kind === 'model' || isSplit(application)) return 1;
  const limit = application.batch?.maxConcurrent ?? batch?.maxConcurrent ?? Number.POSITIVE_INFINITY;
  return Math.min(members.count, limit);
}

/** Nodes of its own that an application has while it runs: of its launches that start together, or of one at a time. */
export function ownNodes(application: ApplicationDeclaration, { launches, size, members, ownsNodes }: Sized): number {
  if (!ownsNodes) return 0;
  if (launches.length === 1 || isSplit(application)) return size.nodes;
  return launches.reduce((sum, launch) => sum + launch.size.nodes, 0) * members.replicas;
}

/** Members that run at a time where each has nodes of its own, beside the others, which want `nodesApart` together with it. */
export function membersOnOwnNodes(
  application: ApplicationDeclaration,
  facts: Sized,
  nodesApart: number,
  nodes: number,
): number {
  const others = nodesApart - ownNodes(application, facts);
  return Math.max(1, Math.floor((nodes - others) / facts.size.nodes));
}

/** Nodes that an application's launches have at most while they run: each on nodes of its own, though they may share some. */
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
