import type { Allocation, Plan } from '../../ir/index.js';
import type { NodeShape } from '../standins.js';

/** Nodes of a fake machine that is not told how many to have, at most. */
const defaultMost = 16;

/** Memory of a node in MiB where no job asks for some. */
const plainMemoryMiB = 262_144;

/** All allocations of a plan's jobs. */
export function allocationsOf(plan: Plan): Allocation[] {
  return plan.jobs.flatMap(({ allocation, components }) => [allocation, ...components]);
}

/** CPUs as the scheduler counts them: hardware threads where it counts those. */
function cpusOf({ cpusPerNode, leastCpusPerNode, threadsPerCpu = 1 }: Allocation): number {
  return (cpusPerNode ?? leastCpusPerNode ?? 1) * threadsPerCpu;
}

/** Number of nodes with which the largest job fits, and at which jobs that run side by side need not wait, up to a limit. */
function countOf(plan: Plan): number {
  const ofJob = plan.jobs.map(({ allocation, components, array, separate }) => {
    const nodes = [allocation, ...components].reduce((sum, one) => sum + one.nodes, 0);
    const times = array === undefined ? (separate ?? 1) : Math.min(array.size, array.maxConcurrent ?? array.size);
    return { nodes, sum: nodes * times };
  });
  const largest = Math.max(1, ...ofJob.map(({ nodes }) => nodes));
  return Math.max(
    largest,
    Math.min(
      defaultMost,
      ofJob.reduce((all, { sum }) => all + sum, 0),
    ),
  );
}

/** Hosts that a plan names, in their order. */
export function hostsNamedIn(plan: Plan): string[] {
  const named = [
    ...allocationsOf(plan).flatMap(({ hosts = [] }) => hosts),
    ...plan.stores.flatMap((store) => (store.kind === 'standalone' ? (store.hosts ?? []) : [])),
    ...plan.entities.flatMap(({ launch }) => launch.lines.flatMap(({ hosts = [] }) => hosts)),
  ];
  return [...new Set(named)].filter((host) => /^[A-Za-z][A-Za-z0-9-]*$/.test(host));
}

/** Nodes of the fake machine: all as large as the largest that a job asks for. */
export function nodesFor(plan: Plan, wanted: number | undefined): NodeShape[] {
  const all = allocationsOf(plan);
  const count = wanted ?? Math.max(countOf(plan), hostsNamedIn(plan).length);
  const threads = Math.max(1, ...all.map(({ threadsPerCpu = 1 }) => threadsPerCpu));
  const cpus = Math.max(1, ...all.map(cpusOf));
  const names = hostsNamedIn(plan).slice(0, count);
  for (let number = 1; names.length < count; number++) {
    if (!names.includes(`node${number}`)) names.push(`node${number}`);
  }
  return names.map((name) => ({
    name,
    cpus: Math.ceil(cpus / threads) * threads,
    threadsPerCore: threads,
    gpus: Math.max(0, ...all.map(({ gpusPerNode = 0 }) => gpusPerNode)),
    memoryMiB: Math.max(plainMemoryMiB, ...all.map(({ memoryPerNodeMiB = 0 }) => memoryPerNodeMiB)),
  }));
}
