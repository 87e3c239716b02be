import type { Launcher, LaunchStep } from '../target.js';
import { blankStyle, type LauncherOption, optionsOf, optionWords } from './options.js';
import { colonLine, hostList, refuseExcludedHosts } from './programs.js';

const option = optionsOf(blankStyle);

/**
 * HPE Cray's mpiexec of the Parallel Application Launch Service. It binds as if it had the node to itself, so binding is left to
 * steps that are alone, and to users who ask for it. Of the hosts of a line, which its first program names, each further program has those that
 * follow the hosts of the one before. GPUs are those of the node: tasks choose theirs.
 */
export const pals: Launcher = {
  name: 'pals',
  program: 'mpiexec',
  mpi: { name: 'PALS', version: /PALS/i },
  sharesNodes: true,
  namesHosts: true,
  rankVariables: ['PMI_RANK', 'PALS_RANKID'],
  noise: [/: rank \d+ exited with code \d+|^Application [\w-]+ (exit codes|resources|exit signals)/],
  line: (programs) =>
    refuseExcludedHosts('mpiexec of PALS', programs) ??
    colonLine('mpiexec', programs, (step, isFirst) =>
      optionWords(
        [
          ...option('n np', step.tasks),
          ...option('ppn', step.tasksPerNode),
          ...option('depth d', step.cpusPerTask),
          // It is the default, which a variable may have changed.
          ...(isFirst && step.endsTogether ? option('abort-on-failure no-abort-on-failure', true) : []),
          ...(isFirst ? [...option('hosts hostfile hostlist', hostList(step)), ...binding(step)] : []),
        ],
        step.launcherArgs,
        blankStyle,
      ),
    ),
};

function binding({ cpuBind, alone }: LaunchStep): readonly LauncherOption[] {
  if (cpuBind !== undefined) return option('cpu-bind', `list:${cpuBind.join(':')}`);
  return option('cpu-bind', alone === true ? 'depth' : 'none');
}
