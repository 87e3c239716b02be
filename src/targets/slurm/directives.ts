import { formatClock, type Job } from '../../ir/index.js';
import { directive } from '../directives.js';
import type { Directive } from '../target.js';

/** `D-HH:MM:SS` from a day on, else `HH:MM:SS`. */
function formatTime(seconds: number): string {
  const days = Math.floor(seconds / 86_400);
  return days === 0 ? formatClock(seconds) : `${days}-${formatClock(seconds % 86_400)}`;
}

/** Directives of a job, in the order in which sbatch's manual names their groups. */
export function slurmDirectives(job: Job): readonly Directive[] {
  const { allocation, array } = job;
  const throttle = array?.maxConcurrent === undefined ? '' : `%${array.maxConcurrent}`;
  return [
    { flag: '--job-name', value: job.name },
    { flag: '--output', value: array === undefined ? 'logs/%x-%j.out' : 'logs/%x-%A_%a.out' },
    ...directive('--account', allocation.account),
    ...directive('--partition', allocation.queue),
    ...directive('--qos', allocation.qos),
    ...directive('--reservation', allocation.reservation),
    ...directive('--constraint', allocation.constraint),
    ...directive(
      '--time',
      allocation.walltimeSeconds === undefined ? undefined : formatTime(allocation.walltimeSeconds),
    ),
    { flag: '--nodes', value: allocation.nodes },
    ...directive('--ntasks-per-node', allocation.cpusPerNode),
    ...(allocation.exclusive ? [{ flag: '--exclusive' }] : []),
    ...directive('--gpus-per-node', allocation.gpusPerNode),
    ...directive('--mem', allocation.memoryPerNodeMiB === undefined ? undefined : `${allocation.memoryPerNodeMiB}M`),
    ...directive('--array', array === undefined ? undefined : `0-${array.size - 1}${throttle}`),
  ];
}
