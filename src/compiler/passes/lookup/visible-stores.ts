import {
  type AfterDeclaration,
  type ApplicationDeclaration,
  applicationsOf,
  type ColocatedDeclaration,
  derivedOnce,
  type ExperimentDeclaration,
  type OrchestratorDeclaration,
  orchestratorsOf,
} from '../../../ir/index.js';
import { entityOf } from './references.js';
import { sharedWith } from './shared-nodes.js';

/** The name that SmartRedis's environment variables have no suffix for. */
const defaultStore = 'orchestrator';

/** A store that an application sees. `name` is the plan's: the orchestrator's, or that of the entity it is colocated with. */
export type VisibleStore = { readonly name: string; readonly suffix: string } & (
  | { readonly kind: 'standalone'; readonly declaration: OrchestratorDeclaration }
  | { readonly kind: 'colocated'; readonly declaration: ColocatedDeclaration }
);

/**
 * Stores that an application sees: its colocated one first, then those of the entities whose nodes it shares, then every standalone one.
 */
export function visibleStores(experiment: ExperimentDeclaration, application: ApplicationDeclaration): VisibleStore[] {
  const colocated = [application, ...sharedWith(experiment, application)].flatMap((entity) => {
    if (entity.kind === 'orchestrator' || entity.colocated === undefined) return [];
    const declaration = entity.colocated;
    return [{ kind: 'colocated', name: entity.name, suffix: declaration.id ?? '', declaration } as const];
  });
  return [...colocated, ...standaloneStores(experiment)];
}

const standaloneStores = derivedOnce((experiment: ExperimentDeclaration): readonly VisibleStore[] =>
  orchestratorsOf(experiment).map((declaration) => {
    const { name } = declaration;
    return { kind: 'standalone', name, suffix: suffixOf(name), declaration };
  }),
);

/** SmartRedis's suffix of a standalone store. */
export function suffixOf(name: string): string {
  return name === defaultStore ? '' : name;
}

/** Servers that a standalone store is split over. */
export function shardsOf({ shards, nodes }: OrchestratorDeclaration): number {
  return shards ?? nodes ?? 1;
}

/** A store's name as users know it. */
export function storeName({ kind, suffix, declaration }: VisibleStore): string {
  return kind === 'standalone' ? declaration.name : suffix;
}

type AfterKey = Extract<AfterDeclaration, { kind: 'after-key' }>;

/** The store in which an entity awaits a key: the one it names, else the only one that it and the key's writer both see. */
export function awaitedStore(
  experiment: ExperimentDeclaration,
  application: ApplicationDeclaration,
  after: AfterKey,
): VisibleStore | undefined {
  const candidates = commonStores(experiment, application, after);
  if (after.orchestrator !== undefined) return candidates.find((store) => storeName(store) === after.orchestrator);
  return candidates.length === 1 ? candidates[0] : undefined;
}

/** Stores that an entity and the writer of a key that it awaits both see. */
export function commonStores(
  experiment: ExperimentDeclaration,
  application: ApplicationDeclaration,
  after: AfterKey,
): VisibleStore[] {
  const writer = entityOf(after.name, applicationsOf(experiment));
  const written = writer === undefined ? [] : visibleStores(experiment, writer).map(({ name }) => name);
  return visibleStores(experiment, application).filter(({ name }) => written.includes(name));
}
