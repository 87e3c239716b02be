import type { Job, LauncherName } from '../../ir/index.js';
import { directive } from '../directives.js';
import type { Directive } from '../target.js';

/** `HH:MM`, rounded up: LSF knows no seconds. */
function formatRunLimit(seconds: number): string {
  const minutes = Math.ceil(seconds / 60);
  return `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`;
}

/** Directives of a job: nodes by `-nnodes` where jsrun launches, by slots and `span[ptile]` elsewhere. */
export function lsfDirectives(job: Job, launcher: LauncherName): readonly Directive[] {
  const { allocation, array } = job;
  const perNode = allocation.cpusPerNode ?? 1;
  const throttle = array?.maxConcurrent === undefined ? '' : `%${array.maxConcurrent}`;
  const size =
    launcher === 'jsrun'
      ? [{ flag: '-nnodes', value: allocation.nodes }]
      : [
          { flag: '-n', value: allocation.nodes * perNode },
          { flag: '-R', value: `span[ptile=${perNode}]` },
        ];
  return [
    { flag: '-J', value: array === undefined ? job.name : `${job.name}[1-${array.size}]${throttle}` },
    { flag: '-o', value: array === undefined ? `logs/${job.name}-%J.out` : `logs/${job.name}-%J_%I.out` },
    ...directive('-P', allocation.account),
    ...directive('-q', allocation.queue),
    ...directive('-sla', allocation.qos),
    ...directive('-U', allocation.reservation),
    ...directive(
      '-W',
      allocation.walltimeSeconds === undefined ? undefined : formatRunLimit(allocation.walltimeSeconds),
    ),
    ...size,
    ...(allocation.exclusive && launcher !== 'jsrun' ? [{ flag: '-x' }] : []),
    ...(allocation.gpusPerNode === undefined || launcher === 'jsrun'
      ? []
      : [{ flag: '-gpu', value: `num=${allocation.gpusPerNode}/host` }]),
    ...directive(
      '-R',
      allocation.memoryPerNodeMiB === undefined ? undefined : `rusage[mem=${allocation.memoryPerNodeMiB}MB]`,
    ),
    ...directive('-R', allocation.constraint === undefined ? undefined : `select[${allocation.constraint}]`),
  ];
}
