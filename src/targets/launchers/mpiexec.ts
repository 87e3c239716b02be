import type { Launcher, LaunchStep } from '../target.js';
import { type LauncherOption, oneDashStyle, optionsOf, optionWords } from './options.js';
import { colonLine, hostList, type Programs, refuseExcludedHosts, shared } from './programs.js';

const option = optionsOf(oneDashStyle);

/** MPICH's mpiexec (hydra), Intel MPI's as well. It hands on the whole environment. */
export const mpiexec: Launcher = {
  name: 'mpiexec',
  program: 'mpiexec',
  mpi: { name: 'hydra', version: /HYDRA|MPICH|Intel\(R\) MPI/i },
  sharesNodes: true,
  namesHosts: true,
  spreadsPrograms: true,
  rankVariables: ['PMI_RANK'],
  noise: [
    /BAD TERMINATION OF ONE OF YOUR APPLICATION|^=\s+(EXIT CODE|CLEANING UP|YOU CAN IGNORE|PID \d+ RUNNING|KILLED BY)/,
    /^(This typically refers to a problem with your application|Please see the FAQ page)/,
  ],
  line: (programs) =>
    refuseExcludedHosts('mpiexec', programs) ??
    colonLine('mpiexec', programs, (step, isFirst) =>
      optionWords(
        [...option('n np', step.tasks), ...(isFirst ? placement(step, programs) : [])],
        step.launcherArgs,
        oneDashStyle,
      ),
    ),
};

/** Options that hold for all programs of a line. Without `-ppn`, tasks take turns over the hosts. */
function placement(step: LaunchStep, programs: Programs): readonly LauncherOption[] {
  const hosts = hostList(step);
  const { cpuBind } = step;
  return [
    ...option('ppn perhost', hosts === undefined ? undefined : shared(programs, ({ tasksPerNode }) => tasksPerNode)),
    ...option('hosts host f machinefile', hosts),
    ...option('bind-to binding', cpuBind === undefined ? undefined : `user:${cpuBind.join(',')}`),
  ];
}
