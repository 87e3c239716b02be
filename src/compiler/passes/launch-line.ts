import type { Problems, SourceLocation } from '../../diagnostics/index.js';
import type { LauncherName, Site } from '../../ir/index.js';
import { launchers } from '../../targets/launchers/index.js';
import {
  isNotSupported,
  type LaunchLine,
  type LaunchProgram,
  type LaunchStep,
  type Target,
} from '../../targets/target.js';
import type { PlacedJob } from './known.js';
import type { EntityPlace } from './lookup/placed-jobs.js';

/** The line that a launcher starts programs with; no words, and a problem, for one that it cannot start. */
export function launchLine(
  launcher: LauncherName,
  programs: readonly [LaunchProgram, ...LaunchProgram[]],
  { name, at }: { readonly name: string; readonly at: SourceLocation | undefined },
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
  target: Target,
  site: Site,
): Pick<LaunchStep, 'component' | 'gpuDialect' | 'namesMemory'> {
  return {
    ...(site.gpuDialect === undefined ? {} : { gpuDialect: site.gpuDialect }),
    namesMemory: namesMemory(target, site, job),
    ...(job.components.length === 1 ? {} : { component: index }),
  };
}

/** A directive that is dropped is refused of steps too. */
function namesMemory({ memoryFlag }: Target, site: Site, { batch }: PlacedJob): boolean {
  return ![...site.directives.drop, ...(batch?.directives?.drop ?? [])].some((flag) => flag === memoryFlag);
}
