import type { Problems } from '../../../diagnostics/index.js';
import { applicationsOf } from '../../../ir/index.js';
import type { Reads } from '../compilation.js';

/** The experiment has at least one model or ensemble. */
export function checkApplications({ experiment }: Reads<'experiment'>, problems: Problems): void {
  if (applicationsOf(experiment).length > 0) return;
  const message = `experiment '${experiment.name}' has nothing to run`;
  problems.error('PLAN1003', message, experiment.at, 'add a .model() or an .ensemble()');
}
