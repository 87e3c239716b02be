import type { Target } from '../target.js';

/** This machine, without a scheduler: jobs run one after the other, programs of several tasks by mpirun. */
export const local: Target<'local'> = {
  name: 'local',
  scriptExtension: 'sh',
  sentinel: '#',
  defaultLauncher: 'mpirun',
  launchers: ['mpirun', 'mpiexec', 'orterun', 'none'],
  capabilities: {
    oneNode: true,
    jobArrays: false,
    heterogeneousJobs: false,
    maxArraySize: Number.MAX_SAFE_INTEGER,
    minArraySize: 1,
    severalHosts: false,
    gpus: true,
    handsOnVariables: true,
    excludedHosts: true,
    arraysFailWithElements: true,
    unstartedEndChains: false,
    jobEvents: ['started', 'completed', 'failed', 'ended'],
  },
  variables: {
    // The scripts lie in the folder's jobs/.
    submitFolder: `"$(dirname -- "\${BASH_SOURCE[0]}")/.."`,
    jobId: '$$',
    hosts: 'localhost',
    // Without these nproc would see the threads of OpenMP.
    cpusPerNode: '$(env -u OMP_NUM_THREADS -u OMP_THREAD_LIMIT nproc)',
    arrayIndex: '$SIMWRIGHT_ARRAY_INDEX',
  },
  directives: () => [],
  wholeNodes: true,
  aliases: [],
  formatDirective: ({ flag }) => flag,
  dependency: () => [],
};
