import { availableParallelism } from 'node:os';
import type { Entity, Job } from '../../ir/index.js';
import type { JobEnvironment } from '../job/job-environment.js';

/** Hosts of one kind, and the CPUs that the job has on each. */
export type HostsOfJob = Pick<JobEnvironment, 'hosts' | 'cpusPerNode'>;

/**
 * The part of a job that one group of its nodes is: its share of the hosts, which come in the order of the components. Where a
 * scheduler tells the first component's hosts only, its launcher chooses the others, and their number alone is known.
 */
export function onGroup(job: HostsOfJob, { allocation, components, groups }: Job, group: number): HostsOfJob {
  const chosen = groups[group];
  if (groups.length === 1 || chosen === undefined) return job;
  const { component, first, nodes } = chosen;
  const allocations = [allocation, ...components];
  const before = first + allocations.slice(0, component).reduce((sum, one) => sum + one.nodes, 0);
  const { cpusPerNode } = allocations[component] ?? allocation;
  const named = job.hosts.slice(before, before + nodes);
  const hosts = Array.from({ length: nodes }, (_, index) => named[index] ?? `component${component}-${first + index}`);
  return { hosts, cpusPerNode: cpusPerNode ?? (component === 0 ? job.cpusPerNode : undefined) };
}

/** Number of members that fit into the allocation at a time, at least 1. */
export function membersAtATime(job: HostsOfJob, size: Entity['size']): number {
  const cpusPerNode = job.cpusPerNode ?? (job.hosts.length === 1 ? availableParallelism() : undefined);
  const byNodes = Math.floor(job.hosts.length / size.nodes);
  if (cpusPerNode === undefined) return Math.max(1, byNodes);
  const byCpus = Math.floor((job.hosts.length * cpusPerNode) / (size.tasks * size.cpusPerTask));
  // Members on several nodes each have these to themselves.
  return Math.max(1, size.nodes > 1 ? Math.min(byCpus, byNodes) : byCpus);
}

/** Hands out the allocation's hosts to members, those with the fewest members first. */
export class HostPool {
  readonly #members: Map<string, number>;

  constructor(hosts: readonly string[]) {
    this.#members = new Map(hosts.map((host) => [host, 0]));
  }

  take(count: number): string[] {
    const chosen = [...this.#members.entries()]
      .sort(([, a], [, b]) => a - b)
      .slice(0, count)
      .map(([host]) => host);
    for (const host of chosen) this.#members.set(host, (this.#members.get(host) ?? 0) + 1);
    return chosen;
  }

  give(hosts: readonly string[]): void {
    for (const host of hosts) this.#members.set(host, (this.#members.get(host) ?? 1) - 1);
  }
}
