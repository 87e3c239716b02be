import type { Problems } from '../../../diagnostics/index.js';
import { asScheduled } from '../../../ir/index.js';
import { jobRefusals } from '../../../targets/refusals.js';
import { launcherOf } from '../../../targets/target.js';
import type { Reads } from '../compilation.js';
import { entityNamed } from '../lookup/references.js';

/** No job requests something that its scheduler cannot express. */
export function checkJobs(
  { plan, experiment, site, target }: Reads<'plan' | 'experiment' | 'site' | 'target'>,
  problems: Problems,
): void {
  for (const job of plan.jobs) {
    const entities = [...job.entities, ...job.stores].flatMap((name) => entityNamed(experiment, name) ?? []);
    const at = entities.find(({ batch }) => batch !== undefined)?.batch?.at ?? experiment.batch?.at ?? entities[0]?.at;
    for (const { notSupported, hint } of jobRefusals(asScheduled(job), target, launcherOf(target, site), site)) {
      problems.error('PLAN1002', `job '${job.name}': ${notSupported}`, at, hint);
    }
  }
}
