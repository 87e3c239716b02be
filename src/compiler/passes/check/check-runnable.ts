import type { Problems } from '../../../diagnostics/index.js';
import {
  applicationsOf,
  byKind,
  type ColocatedDeclaration,
  engines,
  notRunnable,
  type OrchestratorDeclaration,
} from '../../../ir/index.js';
import type { Reads } from '../compilation.js';
import { callOf, loadedByStore } from '../lookup/loaded-models.js';
import { entityNamed } from '../lookup/references.js';

/** Warns of features that compile, but that this version's runtime refuses. */
export function checkRunnable({ experiment, plan }: Reads<'experiment' | 'plan'>, problems: Problems): void {
  const kept = new Set<object>();
  for (const store of plan.stores) {
    const entity = entityNamed(experiment, store.name);
    const declaration =
      entity &&
      byKind<OrchestratorDeclaration | ColocatedDeclaration | undefined>(entity, {
        application: ({ colocated }) => colocated,
        orchestrator: (one) => one,
      });
    const loaded = (declaration === undefined ? undefined : loadedByStore(experiment).get(declaration)) ?? [];
    for (const { what } of notRunnable(store)) {
      const message = `store '${store.name}': ${what} is not there yet, so its job will fail`;
      const hint = 'the scripts can be looked at; to run, use the embedded engine, in one piece';
      problems.warning('STORE1010', message, declaration?.at, hint);
    }
    if (!engines[store.engine].runsScripts) for (const one of loaded) kept.add(one);
  }
  for (const script of applicationsOf(experiment).flatMap(({ scripts }) => scripts)) {
    if (!kept.has(script)) continue;
    const message = `${callOf(script)}: the embedded engine keeps scripts and does not run them yet, so calls of it will fail`;
    problems.warning('STORE1010', message, script.at, 'let an ONNX model do its work, or the application itself');
  }
}
