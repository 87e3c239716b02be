import type { Problems, SourceLocation } from '../../diagnostics/index.js';
import {
  type CommandDeclaration,
  defined,
  type LauncherArgs,
  type LauncherName,
  type Site,
  standsForHosts,
} from '../../ir/index.js';
import { editDirectives, sameOption } from '../../targets/directives.js';
import {
  isNotSupported,
  type Launcher,
  type LaunchLine,
  type LaunchProgram,
  type LaunchStep,
  namesHosts,
} from '../../targets/target.js';
import type { PlacedJob, Reads, Sized } from './compilation.js';
import type { EntityPlace } from './lookup/placed-jobs.js';
import { programWords } from './lookup/program-words.js';
import { siteAt } from './lookup/queue-of.js';

/** The command line by which a launcher starts programs. It has no words, and there is a problem, if the launcher cannot start them. */
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

/** The fields of a step that depend on its job and its site. */
export function stepOptions(
  place: EntityPlace,
  { site, target }: Reads<'site' | 'target'>,
): Pick<LaunchStep, 'component' | 'group' | 'gpuDialect' | 'namesMemory' | 'threadsPerCore' | 'threadsPerCpu'> {
  const { job, index, component, group } = place;
  const { threadsPerCpu } = component.allocation;
  // All nodes of a workflow are the one that there is.
  const isOne = target.capabilities.oneNode;
  return {
    ...defined({ gpuDialect: site.gpuDialect, threadsPerCore: siteAt(place, site).node.threadsPerCore, threadsPerCpu }),
    namesMemory: !dropsOf(site, job).some((flag) => sameOption(target, flag, target.memoryFlag ?? '')),
    ...(isOne || job.components.length === 1 ? {} : { component: index }),
    ...(isOne || component.groups.length === 1 ? {} : { group: { first: group.first, nodes: group.nodes } }),
  };
}

/** True if the runtime chooses the hosts of a launcher's launches in a component, or those of a store on a number of `nodes`. */
export function choosesHosts(
  { component }: EntityPlace,
  launcher: Launcher,
  { sized, target }: Reads<'sized' | 'target'>,
  nodes = 0,
): boolean {
  if (namesHosts(target, launcher, component.groups.length)) return true;
  if (!target.capabilities.severalHosts) return false;
  const hasChoice = component.sharesOutNodes && nodes < component.allocation.nodes;
  if (launcher.namesHosts === 'besideOthers' && hasChoice) return true;
  if (launcher.resources === undefined) return false;
  return component.applications.some((one) =>
    (sized.get(one) as Sized).launches.some(
      ({ programs }) => programs.length > 1 || programs.some(({ command }) => isExplicit(command)),
    ),
  );
}

/** True for a command whose launch has to be told its CPUs or hosts. Hosts that the user has named are told already. */
function isExplicit(command: CommandDeclaration): boolean {
  if (command.hosts !== undefined) return false;
  return command.cpuBind !== undefined || programWords(command).some(standsForHosts);
}

/** The site's options for a launcher, in the order in which each takes the place of those before. */
export function siteArgs(
  { launcherArgs, gpuLauncherArgs }: Site,
  launcher: LauncherName,
  forGpus: boolean,
): readonly LauncherArgs[] {
  if (launcher === 'none') return [];
  return [launcherArgs[launcher] ?? {}, (forGpus ? gpuLauncherArgs[launcher] : undefined) ?? {}];
}

/** Flags of directives that the site or the user drops. */
function dropsOf(site: Site, { batch }: PlacedJob): readonly string[] {
  return [...site.directives.drop, ...(batch?.directives?.drop ?? [])];
}

/** True if no other job runs on the nodes: a launcher that binds tasks as if it had a node to itself would bind all jobs' to the same CPUs. */
export function hasWholeNodes(place: EntityPlace, { site, target }: Reads<'site' | 'target'>): boolean {
  const { job, component } = place;
  const { wholeNodes } = target;
  const { exclusive, cpusPerNode = 0 } = component.allocation;
  const { node } = siteAt(place, site);
  if (wholeNodes === true || exclusive || node.exclusive || cpusPerNode >= (node.cores ?? Number.POSITIVE_INFINITY))
    return true;
  return editDirectives(target, [[]], site.directives, job.batch?.directives)
    .flat()
    .some((one) => wholeNodes.test(target.formatDirective(one)));
}
