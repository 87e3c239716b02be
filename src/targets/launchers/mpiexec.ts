import type { Launcher } from '../target.js';

/** MPICH's mpiexec (hydra), Intel MPI's as well. It hands on the whole environment. */
export const mpiexec: Launcher = (step) => [
  'mpiexec',
  '-n',
  String(step.tasks),
  ...(step.namesHosts ? ['-ppn', String(step.tasksPerNode), '-hosts', '{hosts}'] : []),
];
