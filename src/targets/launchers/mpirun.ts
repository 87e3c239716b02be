import type { Launcher } from '../target.js';

/** Open MPI's mpirun. It hands on only the variables named by `-x`. */
export const mpirun: Launcher = (step) => [
  'mpirun',
  '-np',
  String(step.tasks),
  '--map-by',
  `ppr:${step.tasksPerNode}:node:PE=${step.cpusPerTask}`,
  // A host named so has one slot.
  ...(step.namesHosts ? ['--host', '{hosts}', '--oversubscribe'] : []),
  ...step.environment.flatMap((name) => ['-x', name]),
];
