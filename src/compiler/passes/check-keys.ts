import { type Problems, suggestion } from '../../diagnostics/index.js';
import {
  type AfterDeclaration,
  type ApplicationDeclaration,
  applicationsOf,
  type ExperimentDeclaration,
} from '../../ir/index.js';
import { storeName, type VisibleStore, visibleStores } from './check-stores.js';
import { entityOf } from './references.js';

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

function commonStores(
  experiment: ExperimentDeclaration,
  application: ApplicationDeclaration,
  after: AfterKey,
): VisibleStore[] {
  const writer = entityOf(after.name, applicationsOf(experiment));
  const written = writer === undefined ? [] : visibleStores(experiment, writer).map(({ name }) => name);
  return visibleStores(experiment, application).filter(({ name }) => written.includes(name));
}

/** Every key that is waited for is in a store that its writer and its reader both see. */
export function checkKeys(experiment: ExperimentDeclaration, problems: Problems): void {
  for (const application of applicationsOf(experiment)) {
    for (const after of application.after) {
      if (after.kind !== 'after-key' || awaitedStore(experiment, application, after) !== undefined) continue;
      if (entityOf(after.name, applicationsOf(experiment)) === undefined) continue;
      const call = `.after('${after.name}', { key: '${after.key}' })`;
      const names = commonStores(experiment, application, after).map(storeName);
      const what =
        names.length === 0
          ? `'${application.name}' and '${after.name}' see no store together`
          : after.orchestrator === undefined
            ? `'${application.name}' and '${after.name}' see ${names.length} stores together`
            : `'${application.name}' and '${after.name}' see no store named '${after.orchestrator}' together`;
      const hint =
        names.length === 0
          ? 'open one with .orchestrator(), or have one of them share the nodes of the other'
          : after.orchestrator === undefined
            ? `name one with orchestrator: ${names.map((name) => `'${name}'`).join(', ')}`
            : suggestion(after.orchestrator, names);
      problems.error('REF1004', `${call}: ${what}`, after.at, hint);
    }
  }
}
