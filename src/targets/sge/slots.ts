import type { Allocation, NamedResource, Site } from '../../ir/index.js';
import type { NotSupported } from '../target.js';

/** Slots of a job: how many it takes on each node, and the words of `-pe`; without them it is one slot of one node. */
export interface Slots {
  readonly perNode: number;
  /** `smp 4`: a parallel environment of the site, and the slots that the job takes in all. */
  readonly environment?: string;
}

/** Parallel environment for the CPUs of one node, which the scheduler's own templates call so. */
const usualOneNode = 'smp';

/** Memory that a host has left, which every cell knows and nothing enforces. */
const usualMemory: NamedResource = { name: 'mem_free', per: 'node' };

/** The resource by which a site counts memory. */
export function memoryResource({ resources }: Site): NamedResource {
  return resources.memory ?? usualMemory;
}

/**
 * Slots of an allocation: those of one node in an environment that keeps them together; those of several in one that gives each host the
 * same number, or in one that fills whole hosts up. A refusal where the site names none that could.
 */
export function slotsOf(allocation: Allocation, site: Site): Slots | NotSupported {
  const { nodes, cpusPerNode = 1, exclusive } = allocation;
  const { oneNode = usualOneNode, perNode, fillUp } = site.parallelEnvironments;
  const { cores } = site.node;
  if (exclusive && site.resources.wholeNode === undefined && cores === undefined) {
    return {
      notSupported: 'nothing says how a job gets whole nodes',
      hint: "name the site's resource for it, resources: { wholeNode: 'exclusive' }, or its node: { cores }",
    };
  }
  if (nodes === 1) {
    return cpusPerNode === 1 ? { perNode: 1 } : { perNode: cpusPerNode, environment: `${oneNode} ${cpusPerNode}` };
  }
  if (perNode !== undefined) {
    const slots = perNode.includes(slotsPlace) ? fitting(cpusPerNode, site) : 1;
    if (slots === undefined) {
      const most = Math.max(...(site.parallelEnvironments.slots ?? []));
      const hint = 'lower the tasks or CPUs of a node, or name a larger one in slots of parallelEnvironments';
      return {
        notSupported: `the job needs ${cpusPerNode} slots of a node, and '${perNode}' gives ${most} at most`,
        hint,
      };
    }
    return { perNode: slots, environment: `${perNode.replaceAll(slotsPlace, String(slots))} ${nodes * slots}` };
  }
  if (fillUp !== undefined && cores !== undefined) {
    return { perNode: cores, environment: `${fillUp} ${nodes * cores}` };
  }
  const missing =
    fillUp === undefined
      ? "parallelEnvironments: { perNode: 'mpi-{slots}' } or { fillUp: 'mpi' }; qconf -spl lists them, qconf -sp NAME shows the allocation_rule"
      : 'node: { cores }: an environment that fills hosts up gives whole ones only where their cores are known';
  return {
    notSupported: `the job needs ${nodes} nodes, and site '${site.name}' names no parallel environment that gives them`,
    hint: `name it in the site: ${missing}`,
  };
}

/** Place of the slots a node in the name of an environment: `mpi-{slots}`. */
const slotsPlace = '{slots}';

/** The least number of slots for which there is an environment; `undefined` where none has so many. */
function fitting(wanted: number, { parallelEnvironments: { slots } }: Site): number | undefined {
  return slots === undefined ? wanted : slots.toSorted((a, b) => a - b).find((one) => one >= wanted);
}

/** The value of a request: the amount of a node as the resource counts it; `undefined` where that is no whole number. */
export function amountOf(perNode: number, { per }: NamedResource, slots: Slots, { nodes }: Allocation): number {
  switch (per) {
    case 'node':
      return perNode;
    case 'slot':
      return perNode / slots.perNode;
    case 'job':
      return perNode * nodes;
  }
}
