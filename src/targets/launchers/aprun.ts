import type { Launcher, LaunchStep } from '../target.js';
import { gnuStyle, type LauncherOption, type OptionStyle, optionsOf, optionWords } from './options.js';
import { colonLine, commaList, refuseHostWords } from './programs.js';

/** `-cc` has one dash and two letters. */
const style: OptionStyle = (name, value) =>
  name === 'cc' ? ['-cc', ...(value === undefined ? [] : [value])] : gnuStyle(name, value);

const option = optionsOf(style);

/**
 * Cray XC's aprun. It chooses nodes of the job that run nothing else, and hands on the whole environment. Hosts are node ids. Scripts run on a
 * service node, which all users share: stores run on nodes that the job pays for.
 */
export const aprun: Launcher = {
  name: 'aprun',
  program: 'aprun',
  sharesNodes: false,
  scriptApart: true,
  givesGpus: true,
  startsSingleStores: true,
  rankVariables: ['ALPS_APP_PE'],
  noise: [/^Application [\w-]+ (exit codes|resources|exit signals)/],
  line: (programs) =>
    programs.some(({ step }) => (step.component ?? 0) > 0)
      ? {
          notSupported: 'aprun cannot choose among the nodes of one job that differ',
          hint: 'give the entity a job of its own with .batch()',
        }
      : (refuseHostWords('aprun', programs) ??
        colonLine('aprun', programs, (step, isFirst) =>
          optionWords([...sizes(step), ...(isFirst ? placement(step) : [])], step.launcherArgs, style),
        )),
};

function sizes(step: LaunchStep): readonly LauncherOption[] {
  const { memoryPerNodeMiB, tasksPerNode } = step;
  return [
    ...option('n pes', step.tasks),
    ...option('N pes-per-node', tasksPerNode),
    ...option('d cpus-per-pe', step.cpusPerTask),
    // Memory of each task, in megabytes.
    ...option(
      'm memory-per-pe',
      memoryPerNodeMiB === undefined ? undefined : `${Math.floor(memoryPerNodeMiB / tasksPerNode)}m`,
    ),
  ];
}

function placement({ hosts, excludeHosts, cpuBind, cpusPerTask }: LaunchStep): readonly LauncherOption[] {
  const binding = cpuBind?.join(',') ?? (cpusPerTask > 1 ? 'depth' : undefined);
  return [
    ...option('L node-list', commaList(hosts)),
    ...option('E exclude-node-list', commaList(excludeHosts)),
    ...option('cc cpu-binding', binding),
  ];
}
