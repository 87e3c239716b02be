import { formatClock } from '../../ir/index.js';
import { directive, jobName } from '../directives.js';
import type { Directive, JobRequest } from '../target.js';

/** Directives of a job. Nodes come whole; what they are like, and which, goes into `--attrs`. */
export function cobaltDirectives(job: JobRequest): readonly (readonly Directive[])[] {
  const { allocation, mail } = job;
  const { walltimeSeconds } = allocation;
  const name = jobName(job.name);
  const attributes = [
    ...(allocation.constraint === undefined ? [] : [allocation.constraint]),
    ...((allocation.hosts ?? []).length === 0 ? [] : [`location=${allocation.hosts?.join(',')}`]),
  ];
  return [
    [
      { flag: '--jobname', value: name },
      // Makes NAME.output, NAME.error and NAME.cobaltlog.
      { flag: '-O', value: `logs/${name}` },
      // Mail comes at the start and at the end, whatever was asked for.
      ...directive('-M', mail?.to),
      ...directive('-A', allocation.account),
      // In Cobalt a reservation is a queue.
      ...directive('-q', allocation.reservation ?? allocation.queue),
      ...directive('-t', walltimeSeconds === undefined ? undefined : formatClock(walltimeSeconds)),
      { flag: '-n', value: allocation.nodes },
      ...directive('--attrs', attributes.length === 0 ? undefined : attributes.join(':')),
    ],
  ];
}
