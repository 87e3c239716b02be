import type { Problems } from '../../../diagnostics/index.js';
import { launcherOf, type Target } from '../../../targets/target.js';
import type { Reads, SizedLaunch } from '../compilation.js';

/** Every launch has a launcher that the target can use, and the programs of a launch have one environment. */
export function checkLaunches({ sized, site, target }: Reads<'sized' | 'site' | 'target'>, problems: Problems): void {
  const siteLauncher = launcherOf(target, site);
  const hint = `${target.name} launches by: ${target.launchers.join(', ')}`;
  if (!target.launchers.includes(siteLauncher)) {
    const message = `site '${site.name}' launches by ${siteLauncher}, and ${target.name} jobs cannot`;
    problems.error('PLAN1002', message, undefined, hint);
  }
  for (const [{ name }, { launches }] of sized) {
    for (const { programs, size } of launches) {
      const [{ command }, ...further] = programs;
      const launcher = command.launcher ?? siteLauncher;
      if (command.launcher !== undefined && !target.launchers.includes(command.launcher)) {
        const message = `.launcher('${command.launcher}') of '${name}': ${target.name} jobs cannot launch by it`;
        problems.error('PLAN1002', message, command.at, hint);
      } else if (launcher === 'none' && (size.tasks > 1 || size.nodes > 1)) {
        const message = `'${name}' has ${size.tasks} tasks, and site '${site.name}' has no launcher to start them`;
        problems.error('PLAN1002', message, command.at, 'give the site a launcher, or the command one task');
      }
      checkReferences(name, programs, target, problems);
      for (const other of further) {
        for (const [variable, value] of Object.entries(other.command.env ?? {})) {
          const first = command.env?.[variable];
          if (first === undefined || JSON.stringify(first) === JSON.stringify(value)) continue;
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

/** No secret goes to a scheduler that shows a job's variables to others, as its arguments or when it is asked. */
function checkReferences(
  name: string,
  programs: SizedLaunch['programs'],
  { name: scheduler, capabilities }: Target,
  problems: Problems,
): void {
  if (capabilities.handsOnVariables) return;
  for (const { command } of programs) {
    const references = Object.entries(command.env ?? {}).filter(([, value]) => typeof value === 'object');
    if (references.length === 0) continue;
    const message = `'${name}': ${scheduler} shows the variables of a submission to everybody on its hosts, so it cannot hand on ${references.map(([variable]) => variable).join(', ')}`;
    const hint = 'let the application read it from a file that only you can read, and pass the path by .env()';
    problems.error('PLAN1002', message, command.at, hint);
  }
}
