import type { Problems, SourceLocation } from '../../diagnostics/index.js';
import { defined, type LauncherName, type Site } from '../../ir/index.js';
import { isNotSupported, type LaunchLine, type LaunchProgram, type LaunchStep } from '../../targets/target.js';
import type { PlacedJob, Reads } from './known.js';
import type { EntityPlace } from './lookup/placed-jobs.js';

/** The line that a launcher starts programs with; no words, and a problem, for one that it cannot start. */
export function launchLine(
  launcher: LauncherName,
  programs: readonly [LaunchProgram, ...LaunchProgram[]],
  { name, at }: { readonly name: string; readonly at: SourceLocation | undefined },
  { launchers }: Reads<'launchers'>,
  problems: Problems,
): LaunchLine {
  const line = launchers[launcher].line(programs);
  if (!isNotSupported(line)) return line;
  problems.error('PLAN1002', `'${name}': ${line.notSupported}`, at, line.hint);
  return { words: [] };
}

/** Fields of a step that follow from its job and its site. */
export function stepOptions(
  { job, index }: EntityPlace,
  { site, target }: Reads<'site' | 'target'>,
): Pick<LaunchStep, 'component' | 'gpuDialect' | 'namesMemory'> {
  return {
    ...defined({ gpuDialect: site.gpuDialect }),
    namesMemory: !dropsOf(site, job).some((flag) => flag === target.memoryFlag),
    ...(job.components.length === 1 ? {} : { component: index }),
  };
}

/** Flags that are never written: what a directive may not ask for is refused of steps too. */
function dropsOf(site: Site, { batch }: PlacedJob): readonly string[] {
  return [...site.directives.drop, ...(batch?.directives?.drop ?? [])];
}
