import type { Allocation, LauncherName, Site } from '../../ir/index.js';
import { directive, jobName, throttle } from '../directives.js';
import type { Directive, JobRequest } from '../target.js';

/** `HH:MM`, rounded up: LSF knows no seconds. */
function formatRunLimit(seconds: number): string {
  const minutes = Math.ceil(seconds / 60);
  return `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`;
}

/**
 * Directives of a job: nodes by `-nnodes` where jsrun launches, by slots and `span[ptile]` elsewhere; nodes that differ by a compound
 * resource requirement.
 */
export function lsfDirectives(job: JobRequest, launcher: LauncherName, site: Site): readonly (readonly Directive[])[] {
  const { allocation, array, mail } = job;
  const { walltimeSeconds } = allocation;
  const name = jobName(job.name);
  const hosts = [allocation, ...job.components].flatMap((one) => one.hosts ?? []);
  return [
    [
      { flag: '-J', value: array === undefined ? name : `${name}[1-${array.size}]${throttle(array)}` },
      { flag: '-o', value: array === undefined ? `logs/${name}-%J.out` : `logs/${name}-%J_%I.out` },
      ...directive('-B', mail?.events.includes('begin') === true ? true : undefined),
      // One mail at the end, which says how the job ended.
      ...directive('-N', mail?.events.some((event) => event !== 'begin') === true ? true : undefined),
      ...directive('-u', mail?.to),
      ...directive('-P', allocation.account),
      ...directive('-q', allocation.queue),
      ...directive('-sla', allocation.qos),
      ...directive('-U', allocation.reservation),
      ...directive('-W', walltimeSeconds === undefined ? undefined : formatRunLimit(walltimeSeconds)),
      ...directive('-m', hosts.length === 0 ? undefined : hosts.join(' ')),
      ...(job.components.length === 0
        ? nodeDirectives(allocation, launcher, site)
        : [{ flag: '-R', value: [allocation, ...job.components].map((one) => compoundTerm(one, site)).join(' + ') }]),
    ],
  ];
}

function nodeDirectives(allocation: Allocation, launcher: LauncherName, { gpuDialect }: Site): readonly Directive[] {
  const perNode = allocation.cpusPerNode ?? 1;
  const { gpusPerNode, memoryPerNodeMiB } = allocation;
  const size =
    launcher === 'jsrun'
      ? [{ flag: '-nnodes', value: allocation.nodes }]
      : [
          { flag: '-n', value: allocation.nodes * perNode },
          { flag: '-R', resource: 'span', value: `ptile=${perNode}` },
        ];
  return [
    ...size,
    ...directive('-x', allocation.exclusive && launcher !== 'jsrun' ? true : undefined),
    // jsrun's nodes come whole, GPUs included.
    ...directive(
      '-gpu',
      gpusPerNode === undefined || launcher === 'jsrun' || gpuDialect === 'none'
        ? undefined
        : `num=${gpusPerNode}/host`,
    ),
    ...directive('-R rusage', memoryPerNodeMiB === undefined ? undefined : `mem=${memoryPerNodeMiB}MB`),
    ...directive('-R select', selection(allocation)),
  ];
}

/** The constraint, and every host that is not wanted. */
function selection({ constraint, excludeHosts = [] }: Allocation): string | undefined {
  const hosts = excludeHosts.map((host) => `hname!='${host}'`);
  if (constraint === undefined) return hosts.length === 0 ? undefined : hosts.join(' && ');
  return hosts.length === 0 ? constraint : [`(${constraint})`, ...hosts].join(' && ');
}

/** Slots of one kind of node. */
function compoundTerm(allocation: Allocation, { gpuDialect }: Site): string {
  const perNode = allocation.cpusPerNode ?? 1;
  const select = selection(allocation);
  const { gpusPerNode, memoryPerNodeMiB } = allocation;
  const usage = [
    ...(memoryPerNodeMiB === undefined ? [] : [`mem=${memoryPerNodeMiB}MB`]),
    ...(gpusPerNode === undefined || gpuDialect === 'none' ? [] : [`ngpus_physical=${gpusPerNode}`]),
  ];
  const terms = [
    ...(select === undefined ? [] : [`select[${select}]`]),
    ...(usage.length === 0 ? [] : [`rusage[${usage.join(',')}]`]),
    `span[ptile=${perNode}]`,
  ];
  return `${allocation.nodes * perNode}*{${terms.join(' ')}}`;
}
