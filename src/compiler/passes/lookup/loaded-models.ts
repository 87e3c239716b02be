import {
  type ApplicationDeclaration,
  applicationsOf,
  derivedOnce,
  type ExperimentDeclaration,
  type MlModelDeclaration,
  type ScriptDeclaration,
} from '../../../ir/index.js';
import { storeName, type VisibleStore, visibleStores } from './visible-stores.js';

/** An ML model or script that a store loads before applications start. */
export type Loaded = MlModelDeclaration | ScriptDeclaration;

/** The stores that load an ML model or script: the store that it names, or the entity's colocated store, or all standalone stores. */
export function storesOfModel(
  experiment: ExperimentDeclaration,
  application: ApplicationDeclaration,
  model: Pick<Loaded, 'orchestrator'>,
): VisibleStore[] {
  const visible = visibleStores(experiment, application);
  if (model.orchestrator !== undefined) return visible.filter((store) => storeName(store) === model.orchestrator);
  const own = visible.filter(({ kind, name }) => kind === 'colocated' && name === application.name);
  if (own.length > 0) return own;
  const standalone = visible.filter(({ kind }) => kind === 'standalone');
  return standalone.length > 0 ? standalone : visible.slice(0, 1);
}

/** The ML models and scripts that each store loads, by the store's declaration, in the order of their declaration. */
export const loadedByStore = derivedOnce(
  (experiment: ExperimentDeclaration): ReadonlyMap<object, readonly Loaded[]> => {
    const loaded = new Map<object, Loaded[]>();
    for (const application of applicationsOf(experiment)) {
      for (const one of [...application.mlModels, ...application.scripts]) {
        for (const { declaration } of storesOfModel(experiment, application, one)) {
          const list = loaded.get(declaration);
          if (list === undefined) loaded.set(declaration, [one]);
          else list.push(one);
        }
      }
    }
    return loaded;
  },
);

/** The call that declared an ML model or script, for messages. */
export function callOf({ kind, name }: Pick<Loaded, 'kind' | 'name'>): string {
  return kind === 'ml-model' ? `.addMlModel('${name}')` : `.addScript('${name}')`;
}
