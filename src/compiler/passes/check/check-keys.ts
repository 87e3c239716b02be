import { type Problems, suggestion } from '../../../diagnostics/index.js';
import { applicationsOf } from '../../../ir/index.js';
import type { Reads } from '../compilation.js';
import { entityOf } from '../lookup/references.js';
import { awaitedStore, commonStores, storeName } from '../lookup/visible-stores.js';

/** Every awaited key is in a store that both its writer and its reader see. */
export function checkKeys({ experiment }: Reads<'experiment'>, problems: Problems): void {
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
