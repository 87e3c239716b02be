import {
  type AfterDeclaration,
  type ApplicationDeclaration,
  applicationsOf,
  byKind,
  type ColocatedDeclaration,
  derivedOnce,
  type ExperimentDeclaration,
  type OrchestratorDeclaration,
  orchestratorsOf,
} from '../../../ir/index.js';
import { entityOf } from './references.js';
import { sharedWith } from './shared-nodes.js';

/** Name of the store whose environment variables have no suffix. */
const defaultStore = 'orchestrator';

/** A store that an application sees. `name` is the orchestrator's name, or the name of the entity that the store is colocated with. */
export type VisibleStore = { readonly name: string; readonly suffix: string } & (
  | { readonly kind: 'standalone'; readonly declaration: OrchestratorDeclaration }
  | { readonly kind: 'colocated'; readonly declaration: ColocatedDeclaration }
);

/**
 * The stores that an application sees: its own colocated store, the stores of the entities whose nodes it shares, and all standalone stores.
 */
export function visibleStores(experiment: ExperimentDeclaration, application: ApplicationDeclaration): VisibleStore[] {
  const colocated = [application, ...sharedWith(experiment, application)].flatMap((entity): VisibleStore[] => {
    const declaration = byKind(entity, { application: (one) => one.colocated, orchestrator: () => undefined });
    if (declaration === undefined) return [];
    return [{ kind: 'colocated', name: entity.name, suffix: declaration.id ?? '', declaration }];
  });
  return [...colocated, ...standaloneStores(experiment)];
}

const standaloneStores = derivedOnce((experiment: ExperimentDeclaration): readonly VisibleStore[] =>
  orchestratorsOf(experiment).map((declaration) => {
    const { name } = declaration;
    return { kind: 'standalone', name, suffix: suffixOf(name), declaration };
  }),
);

/** Suffix of a standalone store's environment variables. */
export function suffixOf(name: string): string {
  return name === defaultStore ? '' : name;
}

/** Number of servers of a standalone store. */
export function shardsOf({ shards, nodes }: OrchestratorDeclaration): number {
  return shards ?? nodes ?? 1;
}

/** True for a store that goes on without one of its nodes, since others have copies of its data. */
export function outlivesNodes(store: OrchestratorDeclaration): boolean {
  return store.replicas === 1 && nodesOfStore(store) > 1;
}

/** Shards of a standalone store, and replicas of each. */
export function sizeOf(store: OrchestratorDeclaration): { readonly shards: number; readonly replicas: number } {
  return { shards: shardsOf(store), replicas: store.replicas ?? 0 };
}

/** Number of the nodes that a standalone store's servers run on. */
export function nodesOfStore(store: OrchestratorDeclaration): number {
  return store.nodes ?? shardsOf(store);
}

/** The name by which users refer to a store. */
export function storeName({ kind, suffix, declaration }: VisibleStore): string {
  return kind === 'standalone' ? declaration.name : suffix;
}

type AfterKey = Extract<AfterDeclaration, { kind: 'after-key' }>;

/** The store in which an entity waits for a key: the store that it names, or the only one that both it and the key's writer see. */
export function awaitedStore(
  experiment: ExperimentDeclaration,
  application: ApplicationDeclaration,
  after: AfterKey,
): VisibleStore | undefined {
  const candidates = commonStores(experiment, application, after);
  if (after.orchestrator !== undefined) return candidates.find((store) => storeName(store) === after.orchestrator);
  return candidates.length === 1 ? candidates[0] : undefined;
}

/** The stores that both an entity and the writer of its awaited key see. */
export function commonStores(
  experiment: ExperimentDeclaration,
  application: ApplicationDeclaration,
  after: AfterKey,
): VisibleStore[] {
  const writer = entityOf(after.name, applicationsOf(experiment));
  const written = writer === undefined ? [] : visibleStores(experiment, writer).map(({ name }) => name);
  return visibleStores(experiment, application).filter(({ name }) => written.includes(name));
}
