import { availableParallelism } from 'node:os';
import type { Entity } from '../../ir/index.js';
import type { JobEnvironment } from '../job/job-environment.js';

/** How many members fit into the allocation at a time, at least 1. */
export function membersAtATime(job: JobEnvironment, size: Entity['size']): number {
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
