import type { Problems } from '../../../diagnostics/index.js';
import { byKind, engines, notRunnable } from '../../../ir/index.js';
import type { Reads } from '../compilation.js';
import { entityNamed } from '../lookup/references.js';

const hint = 'the scripts can be looked at; to run, use the embedded engine, in one piece';

/** Warns of features that compile, but that this version's runtime refuses. */
export function checkRunnable({ experiment, plan }: Reads<'experiment' | 'plan'>, problems: Problems): void {
  for (const store of plan.stores) {
    const entity = entityNamed(experiment, store.name);
    const at =
      entity && byKind(entity, { application: ({ colocated }) => colocated?.at, orchestrator: (one) => one.at });
    const [first] = [...store.mlModels, ...store.scripts];
    if (first !== undefined && !engines[store.engine].runsModels) {
      problems.error(
        'STORE1006',
        `store '${store.name}' is of the engine '${store.engine}', which runs no models and scripts, and is to load '${first.name}'`,
        at,
        "say engine: 'redis' or 'embedded', or leave them out",
      );
    }
    for (const what of notRunnable(store)) {
      problems.warning('STORE1010', `store '${store.name}': ${what} is not there yet, so its job will fail`, at, hint);
    }
  }
}
