import type { Problems } from '../../diagnostics/index.js';
import type { ApplicationDeclaration, LauncherName, Site } from '../../ir/index.js';
import type { Sized } from './allocate.js';

/** What a target can launch with. */
export interface LaunchLimits {
  readonly name: string;
  readonly launchers: readonly LauncherName[];
}

/** Every launch has a launcher that the target knows, and programs of one launch agree on their environment. */
export function checkLaunches(
  sized: ReadonlyMap<ApplicationDeclaration, Sized>,
  site: Site,
  siteLauncher: LauncherName,
  target: LaunchLimits,
  problems: Problems,
): void {
  const known = `${target.name} launches by: ${target.launchers.join(', ')}`;
  if (!target.launchers.includes(siteLauncher)) {
    const message = `site '${site.name}' launches by ${siteLauncher}, and ${target.name} jobs cannot`;
    problems.error('PLAN1002', message, undefined, known);
  }
  for (const [{ name }, { launches }] of sized) {
    for (const { programs, size } of launches) {
      const [{ command }, ...further] = programs;
      const launcher = command.launcher ?? siteLauncher;
      if (command.launcher !== undefined && !target.launchers.includes(command.launcher)) {
        const message = `.launcher('${command.launcher}') of '${name}': ${target.name} jobs cannot launch by it`;
        problems.error('PLAN1002', message, command.at, known);
      } else if (launcher === 'none' && (size.tasks > 1 || size.nodes > 1)) {
        const message = `'${name}' has ${size.tasks} tasks, and site '${site.name}' has no launcher to start them`;
        problems.error('PLAN1002', message, command.at, 'give the site a launcher, or the command one task');
      }
      for (const other of further) {
        for (const [variable, value] of Object.entries(other.command.env ?? {})) {
          const first = command.env?.[variable];
          if (first === undefined || first === value) continue;
          const message = `.mpmd(): the programs of '${name}' share an environment, and ${variable} has two values`;
          problems.error(
            'PLAN1002',
            message,
            other.command.at,
            'give all of them one value, or pass it as an argument',
          );
        }
      }
    }
  }
}
