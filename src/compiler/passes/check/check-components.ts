import type { Problems } from '../../../diagnostics/index.js';
import type { Reads } from '../compilation.js';
import { requirement } from '../lookup/shared-nodes.js';

/** No job has nodes of several kinds, unless the scheduler supports it. */
export function checkComponents({ jobs, site, target }: Reads<'jobs' | 'site' | 'target'>, problems: Problems): void {
  if (target.capabilities.heterogeneousJobs) return;
  for (const { components } of jobs) {
    if (components.length === 1) continue;
    const named = components.flatMap(({ applications, orchestrators }) =>
      [...applications, ...orchestrators].slice(0, 1),
    );
    const choosy = named.find((entity) => requirement(entity) !== undefined);
    const other = named.find((entity) => entity !== choosy);
    const message = `'${choosy?.name}' requires other nodes than '${other?.name}', and a job on site '${site.name}' has nodes of one kind`;
    problems.error('PLAN1002', message, choosy?.requires?.at, 'give one of them a job of its own: .batch({ … })');
  }
}
