import type { Problems } from '../../../diagnostics/index.js';
import { launcherOf } from '../../../targets/target.js';
import type { Reads } from '../compilation.js';

/** No store is colocated with an application whose launcher needs the nodes for itself. */
export function checkColocated(
  { sized, site, target, launchers }: Reads<'sized' | 'site' | 'target' | 'launchers'>,
  problems: Problems,
): void {
  for (const [{ name, colocated }, { launches }] of sized) {
    if (colocated === undefined) continue;
    for (const { programs } of launches) {
      const launcher = programs[0].command.launcher ?? launcherOf(target, site);
      if (launchers[launcher].sharesNodes) continue;
      const message = `'${name}': ${launcher} runs nothing beside an application on its nodes, a colocated store neither`;
      problems.error('PLAN1002', message, colocated.at, 'open a standalone store with .orchestrator()');
    }
  }
}
