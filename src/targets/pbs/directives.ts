import { formatClock, type Job } from '../../ir/index.js';
import { directive } from '../directives.js';
import type { Directive } from '../target.js';

/** Directives of a job. In `select`, resources are those of each chunk, and a chunk is a node here (`place=scatter`). */
export function pbsDirectives(job: Job): readonly Directive[] {
  const { allocation, array } = job;
  const { cpusPerNode } = allocation;
  const chunk = [
    ...(cpusPerNode === undefined ? [] : [`ncpus=${cpusPerNode}`, `mpiprocs=${cpusPerNode}`]),
    ...(allocation.gpusPerNode === undefined ? [] : [`ngpus=${allocation.gpusPerNode}`]),
    ...(allocation.memoryPerNodeMiB === undefined ? [] : [`mem=${allocation.memoryPerNodeMiB}mb`]),
    ...(allocation.constraint === undefined ? [] : [allocation.constraint]),
  ];
  const throttle = array?.maxConcurrent === undefined ? '' : `%${array.maxConcurrent}`;
  return [
    { flag: '-N', value: job.name },
    // One file for both streams; PBS copies it into the folder when the job ends.
    { flag: '-j', value: 'oe' },
    { flag: '-o', value: array === undefined ? 'logs/' : `logs/${job.name}-^array_index^.out` },
    ...directive('-A', allocation.account),
    // In PBS a reservation is a queue.
    ...directive('-q', allocation.reservation ?? allocation.queue),
    { flag: '-l', value: [`select=${allocation.nodes}`, ...chunk].join(':') },
    { flag: '-l', value: allocation.exclusive ? 'place=scatter:excl' : 'place=scatter' },
    ...directive(
      '-l',
      allocation.walltimeSeconds === undefined ? undefined : `walltime=${formatClock(allocation.walltimeSeconds)}`,
    ),
    ...directive('-J', array === undefined || array.size < 2 ? undefined : `0-${array.size - 1}${throttle}`),
  ];
}
