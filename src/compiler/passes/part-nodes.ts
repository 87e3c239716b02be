import { byKind, type EntityDeclaration, type OrchestratorDeclaration } from '../../ir/index.js';
import { launcherOf } from '../../targets/target.js';
import type { PlacedComponent, Reads } from './compilation.js';
import { groupBy } from './lookup/group-by.js';
import { isApart, nodesOwner } from './lookup/shared-nodes.js';
import { shardsOf } from './lookup/visible-stores.js';

/** Entities of a component that run on the same nodes. */
export interface NodePart extends Pick<PlacedComponent, 'applications' | 'orchestrators'> {
  /** The entity whose nodes the others share, or that has nodes of its own; undefined for those that have asked for nothing. */
  readonly owner?: EntityDeclaration;
}

/**
 * The entities of a component by the nodes that they run on. Those that share nodes, and those that are apart, have nodes of their own; all
 * others have the rest. The part whose store runs on the script's host comes first, then those that have asked for nothing, then the
 * others in the order of their declaration.
 */
export function partNodes(
  { applications, orchestrators }: Pick<PlacedComponent, 'applications' | 'orchestrators'>,
  { experiment, site, target, launchers }: Reads<'experiment' | 'site' | 'target' | 'launchers'>,
): readonly [NodePart, ...NodePart[]] {
  const all: NodePart = { applications, orchestrators };
  if (target.capabilities.oneNode) return [all];
  const launcher = launchers[launcherOf(target, site)];
  const ownerOf = (entity: EntityDeclaration) =>
    byKind<EntityDeclaration>(entity, {
      application: (one) => nodesOwner(experiment, one),
      orchestrator: (one) => one,
    });
  const sharing = new Set(applications.filter((one) => one.sharesNodesWith !== undefined).map(ownerOf));
  // A launcher that gives each launch nodes of its own gives them to stores that it starts as well.
  const isAlone = (store: OrchestratorDeclaration) =>
    !launcher.sharesNodes && (shardsOf(store) > 1 || launcher.startsSingleStores === true);
  const hasOwn = (owner: EntityDeclaration) =>
    sharing.has(owner) ||
    isApart(owner) ||
    byKind(owner, { application: () => false, orchestrator: (store) => isAlone(store) });
  const order = new Map(experiment.entities.map((entity, index) => [entity, index]));
  const owners = [...new Set([...applications, ...orchestrators].map(ownerOf))]
    .filter(hasOwn)
    .sort((a, b) => (order.get(a) as number) - (order.get(b) as number));
  const applicationsOf = groupBy(applications, keyOf);
  const orchestratorsOf = groupBy(orchestrators, keyOf);
  const parts = [undefined, ...owners].flatMap((owner): NodePart[] => {
    const part = { applications: applicationsOf.get(owner) ?? [], orchestrators: orchestratorsOf.get(owner) ?? [] };
    if (part.applications.length + part.orchestrators.length === 0) return [];
    return [owner === undefined ? part : { ...part, owner }];
  });
  // A single entity has nobody to be apart from, and has all nodes.
  if (parts.length === 1 && applications.length + orchestrators.length === 1) return [all];
  const first = parts.find((part) => part.orchestrators.some(isOneProcess)) ?? parts[0];
  if (first === undefined) return [all];
  return [first, ...parts.filter((part) => part !== first)];

  function keyOf(entity: EntityDeclaration): EntityDeclaration | undefined {
    const owner = ownerOf(entity);
    return hasOwn(owner) ? owner : undefined;
  }
}

/** True for a store of one process on a node that the user has not named: it can run on the script's host. */
function isOneProcess(store: OrchestratorDeclaration): boolean {
  return shardsOf(store) === 1 && store.hosts === undefined;
}
