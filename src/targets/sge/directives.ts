import { type Allocation, formatClock, type Job, type LauncherName, type Site } from '../../ir/index.js';
import { directive, jobName } from '../directives.js';
import type { Directive, JobRequest, NotSupported } from '../target.js';
import { amountOf, memoryResource, type Slots, slotsOf } from './slots.js';

const mailLetters = { begin: 'b', end: 'e', fail: 'a' } as const;

/** Directives of a job. Its nodes are slots of a parallel environment, and everything else that it needs is a resource. */
export function sgeDirectives(job: JobRequest, _launcher: LauncherName, site: Site): readonly (readonly Directive[])[] {
  const { allocation, array, mail } = job;
  const name = jobName(job.name);
  const slots = slotsOf(allocation, site);
  const events = (['begin', 'end', 'fail'] as const).filter((event) => mail?.events.includes(event) === true);
  return [
    [
      { flag: '-N', value: name },
      // Else the queue names the shell, which need not be bash.
      { flag: '-S', value: '/bin/bash' },
      { flag: '-cwd' },
      { flag: '-j', value: 'y' },
      { flag: '-o', value: array === undefined ? `logs/${name}-$JOB_ID.out` : `logs/${name}-$JOB_ID_$TASK_ID.out` },
      // SIGUSR2 comes some time before SIGKILL.
      { flag: '-notify' },
      // A node that has failed may still write: the next run is the user's to start.
      { flag: '-r', value: 'n' },
      ...directive('-m', events.length === 0 ? undefined : events.map((event) => mailLetters[event]).join('')),
      ...directive('-M', mail?.to),
      ...directive('-P', allocation.account),
      ...directive('-q', allocation.queue),
      ...directive('-ar', allocation.reservation),
      ...('notSupported' in slots ? [] : slotDirectives(allocation, slots, site)),
      ...(array === undefined ? [] : [{ flag: '-t', value: `1-${array.size}` }]),
      ...directive('-tc', array?.maxConcurrent),
    ],
  ];
}

function slotDirectives(allocation: Allocation, slots: Slots, site: Site): readonly Directive[] {
  const { walltimeSeconds, memoryPerNodeMiB, gpusPerNode, constraint } = allocation;
  const { resources, gpuDialect } = site;
  const memory = memoryResource(site);
  const wholeNode = allocation.exclusive ? resources.wholeNode : undefined;
  return [
    ...directive('-pe', slots.environment),
    ...directive('-l h_rt', walltimeSeconds === undefined ? undefined : formatClock(walltimeSeconds)),
    ...directive(
      `-l ${memory.name}`,
      memoryPerNodeMiB === undefined
        ? undefined
        : `${Math.ceil(amountOf(memoryPerNodeMiB, memory, slots, allocation))}M`,
    ),
    ...(resources.gpus === undefined || gpusPerNode === undefined || gpuDialect === 'none'
      ? []
      : directive(`-l ${resources.gpus.name}`, amountOf(gpusPerNode, resources.gpus, slots, allocation))),
    ...(wholeNode === undefined ? [] : directive(`-l ${wholeNode}`, 'true')),
    ...directive('-l hostname', hostExpression(allocation)),
    ...directive('-l', constraint),
  ];
}

/** `(n1|n2)&!(n3)`: names of hosts as every resource of text takes them. */
function hostExpression({ hosts = [], excludeHosts = [] }: Allocation): string | undefined {
  const terms = [
    ...(hosts.length === 0 ? [] : [hosts.join('|')]),
    ...(excludeHosts.length === 0 ? [] : [`!(${excludeHosts.join('|')})`]),
  ];
  if (terms.length === 0) return undefined;
  return hosts.length > 1 && terms.length > 1 ? `(${terms[0]})&${terms[1]}` : terms.join('&');
}

/** Things in a job that Grid Engine would refuse, cut short or never start. */
export function sgeRefusals(job: Job, site: Site): readonly NotSupported[] {
  const { allocation, directives } = job;
  const { nodes, hosts = [], gpusPerNode } = allocation;
  const { gpus } = site.resources;
  const slots = slotsOf(allocation, site);
  const refusals: NotSupported[] = 'notSupported' in slots ? [slots] : [];
  const refuse = (notSupported: string, hint: string) => refusals.push({ notSupported, hint });
  if (hosts.length > 0 && hosts.length < nodes) {
    const hint = 'name as many hosts as the job has nodes, or none';
    refuse(`a job of ${nodes} nodes gets hosts that are named only, and these are ${hosts.length}`, hint);
  }
  if (gpusPerNode !== undefined && site.gpuDialect !== 'none') {
    if (gpus === undefined) {
      const hint = "name it in the site: resources: { gpus: { name: 'gpu' } }; qconf -sc lists what there is";
      refuse(`the job needs GPUs, and site '${site.name}' names no resource for them`, hint);
    } else if (!('notSupported' in slots) && !Number.isInteger(amountOf(gpusPerNode, gpus, slots, allocation))) {
      const message = `'${gpus.name}' counts for each slot, and ${gpusPerNode} GPUs for ${slots.perNode} slots is no whole number`;
      refuse(message, 'ask for as many CPUs as GPUs, or for a multiple of GPUs');
    }
  }
  for (const { flag, value } of directives.flat()) {
    // Whatever quotes are around it.
    if (String(value ?? '').includes('#')) {
      refuse(`sge reads no further than the # of ${flag} '${value}'`, 'write the value without #');
    }
  }
  return refusals;
}
