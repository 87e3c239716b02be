import type { Launcher } from '../target.js';

/**
 * Slurm's srun. A step inherits the job's sizes unless it names its own, so all are named; memory 0 shares the job's memory, where
 * a step without `--mem` would take all of it and keep the next one waiting; `--exact` takes the CPUs it names and no more.
 */
export const srun: Launcher = (step) => [
  'srun',
  `--nodes=${step.nodes}`,
  `--ntasks=${step.tasks}`,
  ...(step.tasks > 1 ? [`--ntasks-per-node=${step.tasksPerNode}`] : []),
  `--cpus-per-task=${step.cpusPerTask}`,
  ...(step.gpusPerTask === undefined ? [] : [`--gpus-per-task=${step.gpusPerTask}`]),
  ...(step.gpusPerNode === undefined ? [] : [`--gpus-per-node=${step.gpusPerNode}`]),
  `--mem=${step.memoryPerNodeMiB === undefined ? 0 : `${step.memoryPerNodeMiB}M`}`,
  step.overlap ? '--overlap' : '--exact',
];
