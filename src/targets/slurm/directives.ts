import { type Allocation, formatClock, type LauncherName, type Site } from '../../ir/index.js';
import { directive, jobName, throttle } from '../directives.js';
import { commaList } from '../launchers/programs.js';
import type { Directive, JobRequest } from '../target.js';

/** `D-HH:MM:SS` from a day on, else `HH:MM:SS`. */
function formatTime(seconds: number): string {
  const days = Math.floor(seconds / 86_400);
  return days === 0 ? formatClock(seconds) : `${days}-${formatClock(seconds % 86_400)}`;
}

const mailTypes = { begin: 'BEGIN', end: 'END', fail: 'FAIL' } as const;

/**
 * Directives of a job, in the order in which sbatch's manual names their groups. Components of a heterogeneous job follow each
 * other; what concerns the job as a whole stands with the first.
 */
export function slurmDirectives(
  job: JobRequest,
  _launcher: LauncherName,
  site: Site,
): readonly (readonly Directive[])[] {
  const { array, mail } = job;
  const first = [
    { flag: '--job-name', value: jobName(job.name) },
    // Not %x: a job's name that a directive sets may have a slash.
    { flag: '--output', value: `logs/${jobName(job.name)}-${array === undefined ? '%j' : '%A_%a'}.out` },
    // A requeue keeps the id: without it the second attempt's log takes the place of the first's.
    { flag: '--open-mode', value: 'append' },
    ...directive('--mail-type', mail?.events.map((event) => mailTypes[event]).join(',')),
    ...directive('--mail-user', mail?.to),
    // A store with replicas goes on without a node, unless Slurm ends its job.
    ...directive('--no-kill', job.outlivesNodes ? true : undefined),
    ...allocationDirectives(job.allocation, site),
    ...directive('--array', array === undefined ? undefined : `0-${array.size - 1}${throttle(array)}`),
  ];
  return [first, ...job.components.map((component) => allocationDirectives(component, site))];
}

function allocationDirectives(allocation: Allocation, site: Site): readonly Directive[] {
  const { walltimeSeconds, memoryPerNodeMiB } = allocation;
  return [
    ...directive('--account', allocation.account),
    ...directive('--partition', allocation.queue),
    ...directive('--qos', allocation.qos),
    ...directive('--reservation', allocation.reservation),
    ...directive('--constraint', allocation.constraint),
    ...directive('--time', walltimeSeconds === undefined ? undefined : formatTime(walltimeSeconds)),
    { flag: '--nodes', value: allocation.nodes },
    ...directive('--ntasks-per-node', allocation.cpusPerNode),
    ...directive('--exclusive', allocation.exclusive ? true : undefined),
    // Nodes that are smaller than what the job runs would be whole nodes as well.
    ...directive('--mincpus', allocation.cpusPerNode === undefined ? allocation.leastCpusPerNode : undefined),
    ...gpuDirectives(allocation, site),
    ...directive('--mem', memoryPerNodeMiB === undefined ? undefined : `${memoryPerNodeMiB}M`),
    ...directive('--nodelist', commaList(allocation.hosts)),
    ...directive('--exclude', commaList(allocation.excludeHosts)),
  ];
}

function gpuDirectives({ gpusPerNode }: Allocation, { gpuDialect }: Site): readonly Directive[] {
  if (gpusPerNode === undefined || gpuDialect === 'none') return [];
  return gpuDialect === 'gres'
    ? [{ flag: '--gres', value: `gpu:${gpusPerNode}` }]
    : [{ flag: '--gpus-per-node', value: gpusPerNode }];
}
