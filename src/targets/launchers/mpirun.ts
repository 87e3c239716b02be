import type { Launcher } from '../target.js';

/** Open MPI's mpirun. It hands on only the variables named by `-x`, but for tasks on its own host, which inherit all. */
export const mpirun: Launcher = (step) => [
  'mpirun',
  '-np',
  String(step.tasks),
  ...(step.namesHosts
    ? [
        '--map-by',
        `ppr:${step.tasksPerNode}:node:PE=${step.cpusPerTask}`,
        // A host named so has one slot.
        '--host',
        '{hosts}',
        '--oversubscribe',
        ...step.environment.flatMap((name) => ['-x', name]),
      ]
    : // A laptop may have fewer cores than the workflow has tasks.
      ['--oversubscribe']),
];
