import type { Launcher } from '../target.js';

/** IBM's jsrun: one resource set a task, which is what the job step manager spreads over the hosts. */
export const jsrun: Launcher = (step) => [
  'jsrun',
  `--nrs=${step.tasks}`,
  '--tasks_per_rs=1',
  `--cpu_per_rs=${step.cpusPerTask}`,
  `--gpu_per_rs=${step.gpusPerTask ?? Math.floor((step.gpusPerNode ?? 0) / step.tasksPerNode)}`,
  `--rs_per_host=${step.tasksPerNode}`,
];
