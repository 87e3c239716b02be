import type { Allocation, Job, LauncherName, Site } from '../../ir/index.js';
import { directive, jobName, throttle } from '../directives.js';
import type { Directive, JobRequest, NotSupported } from '../target.js';

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
  const parts = [allocation, ...job.components];
  // -m names all the hosts that a job may have.
  const isNamed = parts.every(({ hosts = [], nodes }) => hosts.length >= nodes);
  const hosts = isNamed ? parts.flatMap((one) => one.hosts ?? []) : [];
  const isPlain =
    job.components.length === 0 && (isNamed || launcher === 'jsrun' || (allocation.hosts ?? []).length === 0);
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
      ...(isPlain
        ? nodeDirectives(allocation, launcher, site)
        : [{ flag: '-R', value: parts.flatMap((one) => compoundTerms(one, site)).join(' + ') }]),
    ],
  ];
}

function nodeDirectives(allocation: Allocation, launcher: LauncherName, { gpuDialect }: Site): readonly Directive[] {
  const perNode = allocation.cpusPerNode ?? allocation.leastCpusPerNode ?? 1;
  const { gpusPerNode, memoryPerNodeMiB } = allocation;
  // jsrun's nodes come whole, with all their GPUs and memory, and -nnodes excludes -R.
  if (launcher === 'jsrun') return [{ flag: '-nnodes', value: allocation.nodes }];
  return [
    { flag: '-n', value: allocation.nodes * perNode },
    ...directive('-R select', selection(allocation)),
    ...directive('-R rusage', memoryPerNodeMiB === undefined ? undefined : `mem=${memoryPerNodeMiB}MB`),
    { flag: '-R', resource: 'span', value: `ptile=${perNode}` },
    ...directive('-x', allocation.exclusive ? true : undefined),
    ...directive('-gpu', gpusPerNode === undefined || gpuDialect === 'none' ? undefined : `num=${gpusPerNode}/host`),
  ];
}

/** Sections of a resource requirement in the order in which LSF's manual has them. */
const sections = ['select', 'order', 'rusage', 'span', 'same', 'cu', 'affinity'];

/** The sections of a requirement as one `-R`: descendants of OpenLava read one only. A compound one stays as it is. */
export function joinRequirements(directives: readonly Directive[]): readonly Directive[] {
  const isSection = ({ flag, resource }: Directive) => flag === '-R' && resource !== undefined;
  const found = directives.filter(isSection);
  if (found.length === 0) return directives;
  const rank = ({ resource = '' }: Directive) =>
    sections.includes(resource) ? sections.indexOf(resource) : sections.length;
  const text = [...found].sort((a, b) => rank(a) - rank(b)).map(({ resource, value }) => `${resource}[${value}]`);
  const joined: Directive = { flag: '-R', value: text.join(' ') };
  return directives.flatMap((one) => (one === found[0] ? [joined] : isSection(one) ? [] : [one]));
}

/** The sections of `-R "select[…] span[…]"`, each a directive; any other requirement is itself. */
export function splitRequirement(one: Directive): readonly Directive[] {
  if (one.flag !== '-R' || one.resource !== undefined || !/^(\w+\[[^\]]*\]\s*)+$/.test(String(one.value))) return [one];
  return [...String(one.value).matchAll(/(\w+)\[([^\]]*)\]/g)].map(([, resource = '', value = '']) => ({
    flag: '-R',
    resource,
    value,
  }));
}

/** Wishes that a job of whole nodes for jsrun cannot have. */
export function lsfRefusals({ allocation, directives }: Job): readonly NotSupported[] {
  const { constraint, hosts = [], excludeHosts = [] } = allocation;
  if (!directives.flat().some(({ flag }) => flag === '-nnodes')) return [];
  const wishes = [
    ...(constraint === undefined ? [] : [`the constraint '${constraint}'`]),
    ...(hosts.length === 0 ? [] : ['hosts by name']),
    ...(excludeHosts.length === 0 ? [] : ['hosts to leave out']),
  ];
  const hint =
    "choose nodes by a queue, or write the whole request yourself: directives: { drop: ['-nnodes'], set: { '-csm': 'y', '-R': '…' } }";
  return wishes.map((wish) => ({
    notSupported: `${wish} cannot stand beside -nnodes, which jobs for jsrun have`,
    hint,
  }));
}

/** The constraint, and every host that is not wanted. */
function selection({ constraint, excludeHosts = [] }: Allocation): string | undefined {
  const hosts = excludeHosts.map((host) => `hname!='${host}'`);
  if (constraint === undefined) return hosts.length === 0 ? undefined : hosts.join(' && ');
  return hosts.length === 0 ? constraint : [`(${constraint})`, ...hosts].join(' && ');
}

/** Slots of one kind of node: of those with names, and of others. */
function compoundTerms(allocation: Allocation, { gpuDialect }: Site): string[] {
  const perNode = allocation.cpusPerNode ?? allocation.leastCpusPerNode ?? 1;
  const { gpusPerNode, memoryPerNodeMiB, nodes } = allocation;
  const hosts = (allocation.hosts ?? []).slice(0, nodes);
  const usage = [
    ...(memoryPerNodeMiB === undefined ? [] : [`mem=${memoryPerNodeMiB}MB`]),
    ...(gpusPerNode === undefined || gpuDialect === 'none' ? [] : [`ngpus_physical=${gpusPerNode}`]),
  ];
  const term = (count: number, select: string | undefined) => {
    const terms = [
      ...(select === undefined ? [] : [`select[${select}]`]),
      ...(usage.length === 0 ? [] : [`rusage[${usage.join(',')}]`]),
      `span[ptile=${perNode}]`,
    ];
    return count === 0 ? [] : [`${count * perNode}*{${terms.join(' ')}}`];
  };
  const named = hosts.map((host) => `hname=='${host}'`).join(' || ');
  return [...term(hosts.length, named), ...term(nodes - hosts.length, selection(allocation))];
}
