import { availableParallelism } from 'node:os';
import type { Entity, Job } from '../../ir/index.js';
import { launcherOfProgram } from '../../targets/launchers/index.js';
import { hostPositions } from '../job/hosts.js';
import type { JobEnvironment } from '../job/job-environment.js';

/** Hosts of one kind, and the CPUs and GPUs that the job has on each. */
export type HostsOfJob = Pick<JobEnvironment, 'hosts' | 'cpusPerNode'> & { readonly gpusPerNode?: number | undefined };

/**
 * The part of a job that one group of its nodes is. Where a scheduler tells the first component's hosts only, its launcher chooses the others,
 * and their number alone is known.
 */
export function onGroup(job: HostsOfJob, planned: Job, group: number): HostsOfJob {
  const chosen = planned.groups[group];
  const { component } = chosen ?? { component: 0 };
  const { cpusPerNode, gpusPerNode } = [planned.allocation, ...planned.components][component] ?? planned.allocation;
  if (planned.groups.length === 1 || chosen === undefined) return { ...job, gpusPerNode };
  const hosts = hostPositions(job, planned, group).map(
    (position, index) => job.hosts[position] ?? `component${component}-${chosen.first + index}`,
  );
  return { hosts, cpusPerNode: cpusPerNode ?? (component === 0 ? job.cpusPerNode : undefined), gpusPerNode };
}

/** True if a line starts its program on the script's host, and nowhere else: it names no launcher. */
export function startsHere(line: readonly string[]): boolean {
  return launcherOfProgram(line[0]) === undefined;
}

/** The script's host alone: GPUs are shared out there by the job's pool. */
export function onScriptHost({ hosts, cpusPerNode }: HostsOfJob): HostsOfJob {
  return { hosts: hosts.slice(0, 1), cpusPerNode };
}

/** Number of members that fit into the allocation at a time, at least 1: those of one node side by side, those of several beside nobody. */
export function membersAtATime(job: HostsOfJob, size: Entity['size']): number {
  const nodes = job.hosts.length;
  if (size.nodes > 1) return Math.max(1, Math.floor(nodes / size.nodes));
  const cpusPerNode = job.cpusPerNode ?? (nodes === 1 ? availableParallelism() : undefined);
  const onNode = Math.min(
    cpusPerNode === undefined ? 1 : Math.floor(cpusPerNode / (size.tasks * size.cpusPerTask)),
    // A job that names no GPUs has nodes that come with theirs.
    size.gpusPerNode === undefined || job.gpusPerNode === undefined
      ? Number.POSITIVE_INFINITY
      : Math.floor(job.gpusPerNode / size.gpusPerNode),
  );
  return Math.max(1, nodes * onNode);
}
