import { type Problems, suggestion } from '../../diagnostics/index.js';
import { applicationsOf, type ExperimentDeclaration } from '../../ir/index.js';
import type { Facts } from '../inspect/index.js';

/** Inputs and outputs that an ML model is said to have are those of its graph, as far as that can be read. */
export function checkModels(experiment: ExperimentDeclaration, facts: Facts, problems: Problems): void {
  for (const { mlModels } of applicationsOf(experiment)) {
    for (const model of mlModels) {
      const graph = facts.mlModels.get(model)?.graph;
      if (graph === undefined) continue;
      for (const kind of ['inputs', 'outputs'] as const) {
        const names = graph[kind].map(({ name }) => name);
        for (const name of model[kind] ?? []) {
          if (names.includes(name)) continue;
          const message = `.addMlModel('${model.name}'): the model has no ${kind.slice(0, -1)} '${name}'`;
          problems.error('ML1003', message, model.at, suggestion(name, names));
        }
      }
    }
  }
}
