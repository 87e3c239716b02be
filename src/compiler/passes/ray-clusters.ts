import {
  type AfterDeclaration,
  type ApplicationDeclaration,
  byKind,
  type EntityDeclaration,
  type ExperimentDeclaration,
  type RayClusterDeclaration,
  rayClustersOf,
} from '../../ir/index.js';
import type { Reads } from './compilation.js';
import { siteOf } from './lookup/queue-of.js';

/**
 * The experiment with what `.rayCluster()` and `.usesRay()` stand for: the runtime's program on each node of a cluster, with CPUs of the site's
 * nodes unless they are given, and users that start after the cluster.
 */
export function withRayClusters({
  declaration,
  site,
  target,
}: Reads<'declaration' | 'site' | 'target'>): ExperimentDeclaration {
  const clusters = new Set(rayClustersOf(declaration).map(({ name }) => name));
  if (clusters.size === 0) return declaration;
  const cluster = (one: RayClusterDeclaration): RayClusterDeclaration => {
    const { cores } = siteOf(declaration, one, site).node;
    const { cpusPerTask = target.capabilities.oneNode ? undefined : cores, ...command } = one.command;
    const cpus = cpusPerTask === undefined ? {} : { cpusPerTask };
    return { ...one, command: { ...command, ...cpus, executable: site.nodeCommand } };
  };
  const change = (one: ApplicationDeclaration): ApplicationDeclaration =>
    one.kind === 'ray-cluster' ? cluster(one) : { ...one, after: [...one.after, ...startOf(one, clusters)] };
  const entities = declaration.entities.map((entity) =>
    byKind<EntityDeclaration>(entity, { application: change, orchestrator: (one) => one }),
  );
  return { ...declaration, entities };
}

/** The start of the cluster that an entity uses, unless it waits for that already. */
function startOf({ usesRay, after }: ApplicationDeclaration, clusters: ReadonlySet<string>): AfterDeclaration[] {
  if (usesRay === undefined || !clusters.has(usesRay.name)) return [];
  if (after.some((one) => one.kind === 'after' && one.name === usesRay.name && one.event === 'started')) return [];
  return [{ kind: 'after', at: usesRay.at, name: usesRay.name, event: 'started' }];
}
