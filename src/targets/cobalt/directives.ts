import { formatClock, type Job } from '../../ir/index.js';
import { directive, jobName } from '../directives.js';
import { isPlainDirectiveValue } from '../quoting.js';
import type { Directive, JobRequest, NotSupported } from '../target.js';

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

/** A job without a walltime, and values that are several words: Cobalt parts a line at blanks, whatever quotes are in it. */
export function cobaltRefusals({ directives }: Job): readonly NotSupported[] {
  const all = directives.flat();
  const split = all.flatMap(({ flag, value }): NotSupported[] => {
    const text = String(value);
    if (value === undefined || isPlainDirectiveValue(text)) return [];
    return [
      { notSupported: `cobalt would read the '${text}' of ${flag} as several words`, hint: 'write it without blanks' },
    ];
  });
  if (all.some(({ flag }) => flag === '-t' || flag === '--time')) return split;
  const hint = "give it one with .batch({ walltime: '01:00:00' }), or the site with defaults: { walltime }";
  return [{ notSupported: 'cobalt takes no job without a walltime', hint }, ...split];
}
